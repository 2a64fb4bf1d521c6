"""Processes die, records are lost, messages come twice: each request still ends once, in time, with a true result.

A lost process or record costs the bridge its redelivery (30 s) or a sweep, so all of it goes wrong side by side.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from threading import Event

import pytest

from ocpi_bridge.domain.requests import Request, RequestState
from ocpi_bridge.domain.stations import CsmsMode
from tests.support.e2e_faults import Queue, paused, sweep
from tests.support.e2e_log import FunctionLog
from tests.support.e2e_site import SOON, Site, flat, limits, profile_id, site
from tests.support.e2e_waiting import eventually
from tools.charge_point import Behaviour
from tools.counterparts.http_service import NeverAnswer
from tools.counterparts.http_service import Request as HttpRequest
from tools.demo_csms import HoldCallback, ReceivedCommand
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ReceivedResult, ResponseType, ResultType

# What partners are told by a stage of AWS: a redelivery and a sweep come in time for it.
STAGE_TIMEOUT = 90
# Short enough not to wait long for the deadline, long enough for a sweep (15 s) before it.
SHORT_TIMEOUT = 30
COPIES = 3
SET, CLEAR = "SetChargingProfile", "ClearChargingProfile"


@dataclass(frozen=True, slots=True)
class Story:
    """A request to which something happens. `release` lets the CSMS call back, where the story is about that."""

    place: Site
    exchange: Exchange
    log: FunctionLog
    release: Event = field(default_factory=Event)

    @property
    def request(self) -> Request:
        return self.place.items.request_of(self.place.session_id, self.exchange.response_url)

    def result(self) -> ReceivedResult:
        return self.exchange.wait_for_result(STAGE_TIMEOUT)

    def swept_result(self) -> ReceivedResult:
        """The result, with a sweep every moment: what is younger than 15 s is left alone by it."""

        def look() -> ReceivedResult | None:
            sweep(self.place.stack)
            return next(iter(self.exchange.results()), None)

        return eventually(look, STAGE_TIMEOUT, what="the result")

    def posts(self) -> list[HttpRequest]:
        """What came to the response URL."""
        return [post for post in self.place.posts() if (self.exchange.response_url or "").endswith(post.target)]


def put(place: Site, release: Event | None = None) -> Story:
    log = FunctionLog(place.stack)
    return Story(place, place.bridge.put_profile(place.session_id, flat(7000)), log, release or Event())


def delete(place: Site) -> Story:
    log = FunctionLog(place.stack)
    return Story(place, place.bridge.delete_profile(place.session_id), log)


def killing(place: Site) -> Callable[[ReceivedCommand], None]:
    """A hook that ends the sender once: the charge point has its command, the sender never hears of it."""

    def hook(command: ReceivedCommand) -> None:
        place.csms.before_http_answer(None)
        place.stack.kill_caller("send_charger_commands", command.client_port)

    return hook


class Places:
    """Sites for stories, open until the last of them is told."""

    def __init__(self, stack: LocalStack, stack_of_sites: ExitStack) -> None:
        self._stack = stack
        self._sites = stack_of_sites

    def open(
        self,
        timeout: int = STAGE_TIMEOUT,
        *,
        behaviour: Behaviour = Behaviour.ACCEPTING,
        mode: CsmsMode = CsmsMode.CALLBACK,
    ) -> Site:
        return self._sites.enter_context(site(self._stack, behaviour, timeout=timeout, mode=mode))


@pytest.fixture(scope="module")
def stories(stack: LocalStack) -> Iterator[dict[str, Story]]:
    with ExitStack() as sites:
        places = Places(stack, sites)
        told = {
            **with_lost_messages(stack, places),
            **with_killed_senders(places),
            "deliverer killed": with_a_killed_deliverer(places),
            **with_held_answers(stack, places),
        }
        yield told
        for story in told.values():
            # The simulator has a violation for a result that is late, or that contradicts an earlier one.
            assert story.exchange.result is ResponseType.ACCEPTED
            assert story.place.partner.violations() == []


def with_lost_messages(stack: LocalStack, places: Places) -> dict[str, Story]:
    """The record of an accepted request never got further, or only its deadline did not."""
    sites = [places.open(), places.open(SHORT_TIMEOUT, behaviour=Behaviour.SILENT)]
    with paused(stack, "send_charger_commands"):
        everything, deadline = (put(place) for place in sites)
        Queue(stack, "ChargerCommands").lose(everything.request.request_id, SOON)
        # The relay sends a request's command and its deadline together, so by now the deadlines are there.
        Queue(stack, "RequestDeadlines").lose_all()
    return {"all lost": everything, "deadline lost": deadline}


def with_killed_senders(places: Places) -> dict[str, Story]:
    """The sender dies after its call, where the answer comes in that call and where it comes by callback."""
    by_call, by_callback = places.open(mode=CsmsMode.SYNCHRONOUS), places.open()
    clearing = places.open(mode=CsmsMode.SYNCHRONOUS)
    assert put(clearing).result().result is ResultType.ACCEPTED
    for place in (by_call, by_callback, clearing):
        place.csms.before_http_answer(killing(place))
    told = {"sender killed": put(by_call), "callback": put(by_callback), "clear": delete(clearing)}
    clearing.charge_point.wait_for_command(CLEAR, SOON)
    # From now on it says what a charge point says whose profile is cleared already: Unknown.
    clearing.charge_point.behave(Behaviour.REJECTING, action=CLEAR)
    return told


def with_a_killed_deliverer(places: Places) -> Story:
    """The deliverer dies while the partner, which has taken the result, answers."""
    place = places.open()
    place.partner.misbehave(NeverAnswer(handled=True), method="POST")
    story = put(place)
    post = place.partner.http.requests.wait_for(lambda request: request.method == "POST", SOON)
    place.stack.kill_caller("deliver_results", post.client_port)
    return story


def with_held_answers(stack: LocalStack, places: Places) -> dict[str, Story]:
    """The charge point has its command, and its answer waits: for copies of the messages, and for the deadline."""
    told: dict[str, Story] = {}
    for name in ("messages twice", "late answer"):
        place, release = places.open(SHORT_TIMEOUT), Event()
        place.csms.callbacks.plan(HoldCallback(release), action=SET)
        told[name] = put(place, release)
        place.charge_point.wait_for_command(SET, SOON)
    twice = told["messages twice"]
    copy_command(twice, "before the answer")
    for _ in range(COPIES):
        body = {"request_id": twice.request.request_id, "deadline": twice.request.deadline.isoformat()}
        Queue(stack, "RequestDeadlines").send(body)
    twice.log.wait_for(SOON, 1 + COPIES, message="command.turn", request_id=twice.request.request_id)
    twice.release.set()
    return told


def copy_command(story: Story, when: str) -> None:
    queue, request_id = Queue(story.place.stack, "ChargerCommands"), story.request.request_id
    for number in range(COPIES):
        copy = f"{request_id} {when} {number}".replace(" ", "-")
        queue.send({"request_id": request_id, "step": 0}, group=request_id, copy=copy)


def test_a_request_whose_record_was_lost_is_sent_by_the_sweep(stories: dict[str, Story]) -> None:
    story = stories["all lost"]

    assert story.swept_result().result is ResultType.ACCEPTED

    assert [limits(call) for call in story.place.commands()] == [[(0, Decimal(7000))]]
    assert len(story.posts()) == 1


def test_a_request_whose_deadline_was_lost_is_expired_in_time_by_the_sweep(stories: dict[str, Story]) -> None:
    story = stories["deadline lost"]

    assert story.swept_result().result is ResultType.REJECTED

    assert len(story.posts()) == 1


def test_a_command_whose_sender_died_is_sent_again_with_the_same_profile(stories: dict[str, Story]) -> None:
    story = stories["sender killed"]

    assert story.result().result is ResultType.ACCEPTED

    first, second = story.place.commands()
    assert profile_id(first) == profile_id(second)
    assert limits(first) == limits(second) == [(0, Decimal(7000))]
    assert len(story.posts()) == 1


def test_a_clear_whose_sender_died_is_accepted_though_nothing_is_left_to_clear(stories: dict[str, Story]) -> None:
    story = stories["clear"]

    assert story.result().result is ResultType.ACCEPTED

    assert len(story.place.commands(CLEAR)) == 2
    assert len(story.posts()) == 1


def test_a_sender_that_dies_costs_nothing_where_the_answer_comes_by_callback(stories: dict[str, Story]) -> None:
    story = stories["callback"]
    assert story.result().result is ResultType.ACCEPTED

    # Its message comes back all the same.
    story.log.wait_for(
        STAGE_TIMEOUT, message="command.turn", request_id=story.request.request_id, outcome="nothing_to_do"
    )

    assert len(story.place.commands()) == 1
    assert len(story.posts()) == 1


def test_a_result_whose_deliverer_died_is_delivered_again_with_the_same_content(stories: dict[str, Story]) -> None:
    story = stories["deliverer killed"]

    def delivered_again() -> bool:
        sweep(story.place.stack)
        return len(story.posts()) > 1

    eventually(delivered_again, STAGE_TIMEOUT, what="the second delivery")

    assert {(post.target, post.body) for post in story.posts()} == {(story.posts()[0].target, b'{"result":"ACCEPTED"}')}
    eventually(lambda: story.request.state is RequestState.DELIVERED, SOON, what="DELIVERED")


def test_messages_that_come_twice_change_nothing(stories: dict[str, Story]) -> None:
    story = stories["messages twice"]
    request_id = story.request.request_id
    assert story.result().result is ResultType.ACCEPTED
    sent = len(story.place.commands())

    copy_command(story, "after the answer")
    for _ in range(COPIES):
        Queue(story.place.stack, "ResultCallbacks").send({"request_id": request_id})

    # Once for each copy sent now, and for each message of the deadline, of which there is one more than copies.
    in_vain = {"request_id": request_id, "outcome": "nothing_to_do"}
    story.log.wait_for(STAGE_TIMEOUT, COPIES, message="command.turn", **in_vain)
    story.log.wait_for(STAGE_TIMEOUT, 2 * COPIES + 1, message="result.attempt", **in_vain)
    assert story.request.state is RequestState.DELIVERED
    assert len(story.posts()) == 1
    assert len(story.place.commands()) == sent
    # A copy that came before the answer made one more attempt, with the same profile.
    commands = story.place.commands()
    assert {profile_id(call) for call in commands} == {profile_id(commands[0])}
    assert [limits(call) for call in commands] == [[(0, Decimal(7000))]] * sent


def test_an_answer_that_comes_after_the_deadline_changes_nothing(stories: dict[str, Story]) -> None:
    story = stories["late answer"]
    assert story.result().result is ResultType.REJECTED

    story.release.set()

    assert story.place.csms.callbacks.deliveries.wait_for(lambda one: one.command.action == SET, SOON).status == 200
    eventually(lambda: story.request.state is RequestState.DELIVERED, SOON, what="DELIVERED")
    assert len(story.posts()) == 1
