"""Requests fired together on one session: the charge point ends with what the last accepted one said.

E2E_ROUNDS sets how many rounds there are.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from threading import Barrier

from ocpi_bridge.domain.requests import Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.stations import CsmsMode
from tests.support.e2e_faults import Queue, paused
from tests.support.e2e_site import SOON, Site, flat, limits, site
from tests.support.e2e_waiting import eventually
from tools.counterparts.ocpp_json import Call
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResponseType, ResultType

ROUNDS = int(os.environ.get("E2E_ROUNDS", "100"))
# Fewer: the embedded AWS takes one command at a time, and each waits here for the charge point's answer.
SYNCHRONOUS_ROUNDS = max(1, ROUNDS // 10)
TOGETHER = 3


@dataclass(frozen=True, slots=True)
class Round:
    """Two PUTs and a DELETE fired together, and the commands that the charge point got until all had their result."""

    exchanges: tuple[Exchange, ...]
    commands: tuple[Call, ...]


def watts(number: int, which: int) -> int:
    """Another limit for each PUT of a run, below what the station gives."""
    return 1000 + 10 * number + which


def play(place: Site, number: int, pool: ThreadPoolExecutor) -> Round:
    since = len(place.commands())
    start = Barrier(TOGETHER)

    def fire(call: Callable[[], Exchange]) -> Exchange:
        start.wait()
        return call()

    calls: list[Callable[[], Exchange]] = [
        lambda: place.bridge.put_profile(place.session_id, flat(watts(number, 1))),
        lambda: place.bridge.put_profile(place.session_id, flat(watts(number, 2))),
        lambda: place.bridge.delete_profile(place.session_id),
    ]
    exchanges = tuple(pool.map(fire, calls))
    for exchange in exchanges:
        assert exchange.result is ResponseType.ACCEPTED
        exchange.wait_for_result(SOON)
    # A request that has its result sends no command any more.
    return Round(exchanges, tuple(place.commands()[since:]))


def what(request: Request, number: int, exchanges: tuple[Exchange, ...]) -> object:
    """What a request said: the limit of its PUT, or that it was a DELETE."""
    if request.kind is RequestKind.CLEAR:
        return "clear"
    which = [one.response_url for one in exchanges].index(request.callback.response_url if request.callback else None)
    return Decimal(watts(number, which + 1))


def said(call: Call) -> object:
    return "clear" if call.action == "ClearChargingProfile" else limits(call)[0][1]


def check(place: Site, rounds: list[Round]) -> None:
    # The partner has its result a moment before the request says so.
    eventually(lambda: all_delivered(place), SOON, what="all DELIVERED")
    requests = {one.callback.response_url: one for one in place.items.requests(place.session_id) if one.callback}
    numbers = [request.number for request in requests.values()]
    assert sorted(numbers, key=lambda number: number or 0) == list(range(1, TOGETHER * len(rounds) + 1))
    for number, played in enumerate(rounds):
        mine = sorted(
            (requests[one.response_url or ""] for one in played.exchanges), key=lambda request: request.number or 0
        )
        sent = [said(call) for call in played.commands]
        # The last one accepted is what the charge point heard last, and its result says so.
        assert sent[-1] == what(mine[-1], number, played.exchanges), f"round {number}"
        assert mine[-1].result is Result.ACCEPTED, f"round {number}"
        # Whoever was accepted by the charge point was sent to it, in order; whoever was overtaken was not.
        assert sent == [what(one, number, played.exchanges) for one in mine if one.result is Result.ACCEPTED]
        assert {one.reason for one in mine if one.result is not Result.ACCEPTED} <= {"superseded by a later request"}
        for exchange in played.exchanges:
            result, *others = exchange.results()
            assert others == []
            assert str(result.result) == str(requests[exchange.response_url or ""].result)


def all_delivered(place: Site) -> bool:
    return {one.state for one in place.items.requests(place.session_id)} == {RequestState.DELIVERED}


def test_two_puts_and_a_delete_fired_together_end_as_the_last_accepted_one_said(stack: LocalStack) -> None:
    with site(stack) as place, ThreadPoolExecutor(TOGETHER) as pool:
        check(place, [play(place, number, pool) for number in range(ROUNDS)])


def test_fired_together_where_the_answer_comes_in_the_call(stack: LocalStack) -> None:
    with site(stack, mode=CsmsMode.SYNCHRONOUS) as place, ThreadPoolExecutor(TOGETHER) as pool:
        check(place, [play(place, number, pool) for number in range(SYNCHRONOUS_ROUNDS)])


def test_a_command_that_comes_after_a_later_one_is_superseded_and_never_sent(stack: LocalStack) -> None:
    with site(stack) as place:
        with paused(stack, "send_charger_commands"):
            first = place.bridge.put_profile(place.session_id, flat(1000))
            overtaken = place.items.request_of(place.session_id, first.response_url)
            commands = Queue(stack, "ChargerCommands")
            commands.lose(overtaken.request_id, SOON)
            last = place.bridge.put_profile(place.session_id, flat(2000))
        assert last.wait_for_result(SOON).result is ResultType.ACCEPTED

        commands.send(
            {"request_id": overtaken.request_id, "step": 0}, group="late", copy=f"{overtaken.request_id}-late"
        )

        assert first.wait_for_result(SOON).result is ResultType.REJECTED
        assert [said(call) for call in place.commands()] == [Decimal(2000)]
