"""Whatever the charge point or its CSMS does: one result, true, before the announced timeout.

docs/charge-point-answers.md has the table that these tests hold.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from ocpi_bridge.domain.requests import WAITING, RequestState
from ocpi_bridge.domain.stations import Csms, CsmsMode
from tests.support.e2e_faults import sweep
from tests.support.e2e_site import (
    SOON,
    Site,
    charging_at,
    flat,
    limits,
    profile_id,
    site,
    site_name,
    site_world,
    sites_station,
)
from tests.support.e2e_waiting import eventually
from tools.charge_point import Behaviour
from tools.counterparts.http_service import Answer, NeverAnswer, Response
from tools.counterparts.ocpp_json import Call
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResponseType, ResultType

# 26 s for the charge point, 10 s for telling the partner.
TIMEOUT = 36
# The embedded AWS serves one command at a time, and the silent chargers of this file hold it for their deadlines.
PATIENT = 90
# Where a call of the CSMS lasts, the embedded AWS lets the commands of all stations wait for it.
SHORT_CALL = 1
ALWAYS = None
SET, CLEAR = "SetChargingProfile", "ClearChargingProfile"
# Rating of a site's station: 3 phases of 230 V and 32 A.
MAXIMUM = Decimal(3 * 230 * 32)
# The partner was told REJECTED by then, 10 s before the timeout; the CSMS still knows the callback's URL (30 s).
AFTER_THE_DEADLINE = 28.0
# What was on its way as a session ended has its own deadline, a minute at the most.
IN_THE_END = 2 * SOON


@dataclass(frozen=True, slots=True)
class Case:
    """What a charge point does with a command, and what the partner is to be told."""

    name: str
    behaviour: Behaviour
    method: str
    result: ResultType
    answers: bool = True


NO_SCHEDULE, NO_PERIODS = "no schedule and no plan", "an empty composite and no plan"
CASES = (
    Case("silent PUT", Behaviour.SILENT, "PUT", ResultType.REJECTED, answers=False),
    Case("silent GET", Behaviour.SILENT, "GET", ResultType.REJECTED, answers=False),
    Case("silent DELETE", Behaviour.SILENT, "DELETE", ResultType.REJECTED, answers=False),
    Case("refused PUT", Behaviour.REJECTING, "PUT", ResultType.REJECTED),
    Case("DELETE of nothing", Behaviour.REJECTING, "DELETE", ResultType.UNKNOWN),
    Case("CALLERROR to PUT", Behaviour.NOT_SUPPORTED, "PUT", ResultType.REJECTED),
    Case("CALLERROR to GET", Behaviour.NOT_SUPPORTED, "GET", ResultType.REJECTED),
    Case("CALLERROR to DELETE", Behaviour.NOT_SUPPORTED, "DELETE", ResultType.REJECTED),
    Case("NotSupported", Behaviour.STATUS_NOT_SUPPORTED, "PUT", ResultType.REJECTED),
    Case(
        "a status that OCPP does not have, to PUT", Behaviour.OUT_OF_SCHEMA, "PUT", ResultType.REJECTED, answers=False
    ),
    Case(
        "a status that OCPP does not have, to GET", Behaviour.OUT_OF_SCHEMA, "GET", ResultType.REJECTED, answers=False
    ),
    Case(
        "a status that OCPP does not have, to DELETE",
        Behaviour.OUT_OF_SCHEMA,
        "DELETE",
        ResultType.REJECTED,
        answers=False,
    ),
    Case(NO_SCHEDULE, Behaviour.ACCEPTING, "GET", ResultType.ACCEPTED),
    Case(NO_PERIODS, Behaviour.EMPTY_COMPOSITE, "GET", ResultType.ACCEPTED),
    Case("Rejected and no plan", Behaviour.REJECTING, "GET", ResultType.ACCEPTED),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way."""

    place: Site
    exchange: Exchange


def ask(place: Site, method: str) -> Asked:
    bridge = place.bridge
    match method:
        case "PUT":
            exchange = bridge.put_profile(place.session_id, flat(11_000))
        case "GET":
            exchange = bridge.get_active_profile(place.session_id)
        case _:
            exchange = bridge.delete_profile(place.session_id)
    return Asked(place, exchange)


FAULTS: dict[str, Answer | None] = {
    "answers 500": Answer(Response(500)),
    "answers 503": Answer(Response(503, headers={"Retry-After": "1"})),
    "answers what is no JSON": Answer(Response(200, b"<html>welcome</html>", {"Content-Type": "text/html"})),
    "refuses our credential": Answer(Response(401)),
    "redirects": Answer(Response(307, headers={"Location": "http://localhost:9/"})),
    "is down": None,
}
SILENT_IN_THE_CALL, NEVER_ANSWERS = "silent charge point, synchronous CSMS", "CSMS that never answers"
LATE, LATE_AFTER_A_PLAN = "an answer after the deadline", "an answer after the deadline, to a second plan"


def with_short_calls(csms: Csms) -> Csms:
    return replace(csms, call_timeout=SHORT_CALL)


@pytest.fixture(scope="module")
def asked(stack: LocalStack) -> Iterator[dict[str, Asked]]:
    """All at once, each at a station of its own: most of them take as long as the deadline, and tests go on meanwhile."""
    name = site_name()
    stations = {case.name: sites_station(f"{name}-{number}") for number, case in enumerate(CASES)}
    with site_world(stack, name, list(stations.values()), timeout=TIMEOUT) as world, ExitStack() as places:
        open_site = places.enter_context
        working = {
            case.name: open_site(charging_at(world, stations[case.name].station_id, case.behaviour)) for case in CASES
        }
        failing = {fault: open_site(site(stack, timeout=TIMEOUT)) for fault in FAULTS}
        silent = open_site(
            site(stack, Behaviour.SILENT, mode=CsmsMode.SYNCHRONOUS, change_csms=with_short_calls, timeout=TIMEOUT)
        )
        never = open_site(site(stack, change_csms=with_short_calls, timeout=TIMEOUT))
        late = open_site(site(stack, Behaviour.FOLLOWING, timeout=TIMEOUT))
        late_after_a_plan = open_site(site(stack, Behaviour.FOLLOWING, timeout=TIMEOUT))
        first = late_after_a_plan.bridge.put_profile(late_after_a_plan.session_id, flat(9000))
        assert first.wait_for_result(TIMEOUT).result is ResultType.ACCEPTED
        for place in (late, late_after_a_plan):
            place.charge_point.behave(Behaviour.FOLLOWING, action=SET, delay=AFTER_THE_DEADLINE)
        for fault, answer in FAULTS.items():
            if answer is None:
                failing[fault].csms.http.stop()
            else:
                failing[fault].csms.http.plan(answer, times=ALWAYS)
        never.csms.http.plan(NeverAnswer(), times=ALWAYS)
        sent = {case.name: ask(working[case.name], case.method) for case in CASES}
        sent |= {fault: ask(place, "PUT") for fault, place in failing.items()}
        sent |= {SILENT_IN_THE_CALL: ask(silent, "PUT"), NEVER_ANSWERS: ask(never, "PUT")}
        sent |= {LATE: ask(late, "PUT"), LATE_AFTER_A_PLAN: ask(late_after_a_plan, "PUT")}
        yield sent
        assert world.partner.violations() == []
        assert {name: len(one.exchange.results()) for name, one in sent.items()} == dict.fromkeys(sent, 1)
        end_in_order(sent)


def end_in_order(sent: dict[str, Asked]) -> None:
    """The cars leave, everybody behaves again: then no command may be left pending."""
    for one in sent.values():
        one.place.csms.http.clear_faults()
        one.place.charge_point.behave(Behaviour.FOLLOWING)
        one.place.charge_point.stop_transaction()

    for name, one in sent.items():
        wait_until_settled(one.place, name)


def wait_until_settled(place: Site, name: str) -> None:
    def settled() -> bool:
        return all(request.state not in WAITING for request in place.items.requests(place.session_id))

    eventually(settled, IN_THE_END, what=f"{name}: no command left pending")


def wait_for(place: Site, action: str, count: int) -> list[Call]:
    """The commands of an action at the charge point, once there are so many; a sweep wakes what waits."""

    def look() -> list[Call] | None:
        found = place.commands(action)
        if len(found) < count:
            sweep(place.stack)
        return found if len(found) >= count else None

    return eventually(look, IN_THE_END, what=f"{count} {action} at the charge point")


def followed(place: Site) -> list[Decimal]:
    """The limits that the partner gets when it asks for the active profile."""
    get = place.bridge.get_active_profile(place.session_id, 900).wait_for_result(SOON)
    assert get.profile is not None
    return [period.limit for period in get.profile.charging_profile.charging_profile_period or []]


def test_every_request_is_accepted_at_once(asked: dict[str, Asked]) -> None:
    assert {name: (one.exchange.result, one.exchange.timeout) for name, one in asked.items()} == dict.fromkeys(
        asked, (ResponseType.ACCEPTED, TIMEOUT)
    )


def test_a_csms_that_recovers_within_the_deadline_gets_the_command(stack: LocalStack) -> None:
    with site(stack, timeout=PATIENT) as place:
        place.csms.http.plan(Answer(Response(503)), times=2)

        put = place.bridge.put_profile(place.session_id, flat(7000))

        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert [limits(call) for call in place.commands()] == [[(0, Decimal(7000))]]
        assert len(put.results()) == 1


def test_a_station_that_is_offline_is_rejected_at_once_and_served_again_when_it_is_back(stack: LocalStack) -> None:
    with site(stack, timeout=PATIENT) as place:
        place.charge_point.disconnect()
        place.items.wait_for_station(place.csms.csms_id, place.station_id, online=False, timeout=SOON)

        while_away = place.bridge.put_profile(place.session_id, flat(7000))
        place.charge_point.start()
        place.items.wait_for_station(place.csms.csms_id, place.station_id, online=True, timeout=SOON)
        back = place.bridge.put_profile(place.session_id, flat(8000))

        assert while_away.result is ResponseType.REJECTED
        assert back.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert [limits(call) for call in place.commands()] == [[(0, Decimal(8000))]]
        assert while_away.results() == []


def test_a_csms_that_answers_in_its_own_answer_serves_all_three(stack: LocalStack) -> None:
    with site(stack, Behaviour.OTHER_UNIT, mode=CsmsMode.SYNCHRONOUS) as place:
        put = place.bridge.put_profile(place.session_id, flat(11_040))
        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
        get = place.bridge.get_active_profile(place.session_id)
        active = get.wait_for_result(SOON)
        delete = place.bridge.delete_profile(place.session_id)
        assert delete.wait_for_result(SOON).result is ResultType.ACCEPTED

        assert active.result is ResultType.ACCEPTED
        assert active.profile is not None
        # The charge point answers in A; the partner speaks W, and 11,040 W are 16 A on each of three phases.
        assert active.profile.charging_profile.charging_rate_unit == "W"
        periods = active.profile.charging_profile.charging_profile_period or []
        assert [period.limit for period in periods] == [Decimal(11_040)]
        set_profile, composite, clear = place.commands()
        assert (set_profile.action, composite.action, clear.action) == (
            "SetChargingProfile",
            "GetCompositeSchedule",
            "ClearChargingProfile",
        )
        assert profile_id(clear) == profile_id(set_profile)
        assert all(command.callback_url is None for command in place.csms.commands.entries())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_charge_point_answers_or_not_is_told_once(asked: dict[str, Asked], case: Case) -> None:
    one = asked[case.name]

    # The simulator notes a violation for a result that comes after the announced timeout.
    assert one.exchange.wait_for_result(TIMEOUT).result is case.result

    request = one.place.items.wait_for_state(
        one.place.session_id, one.exchange.response_url, RequestState.DELIVERED, SOON
    )
    assert request.attempts == 1
    assert case.answers == ("no answer by the deadline" not in (request.reason or ""))


@pytest.mark.parametrize("name", [NO_SCHEDULE, NO_PERIODS])
def test_without_a_plan_the_active_profile_is_the_most_that_the_evse_gives(asked: dict[str, Asked], name: str) -> None:
    profile = asked[name].exchange.wait_for_result(TIMEOUT).profile

    assert profile is not None
    periods = profile.charging_profile.charging_profile_period or []
    assert [(period.start_period, period.limit) for period in periods] == [(0, MAXIMUM)]


@pytest.mark.parametrize("name", ["CALLERROR to PUT", "NotSupported"])
def test_a_station_without_smart_charging_is_not_asked_again(asked: dict[str, Asked], name: str) -> None:
    one = asked[name]
    assert one.exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED

    again = one.place.bridge.put_profile(one.place.session_id, flat(11_000))

    assert again.result is ResponseType.NOT_SUPPORTED
    assert len(one.place.commands(SET)) == 1


@pytest.mark.parametrize("behaviour", [Behaviour.ACCEPTING, Behaviour.EMPTY_COMPOSITE])
def test_a_charge_point_that_accepts_everything_and_does_nothing_is_told_as_unknown(
    stack: LocalStack, behaviour: Behaviour
) -> None:
    with site(stack, behaviour, timeout=PATIENT) as place:
        put = place.bridge.put_profile(place.session_id, flat(7000))
        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED

        get = place.bridge.get_active_profile(place.session_id)
        assert get.wait_for_result(SOON).result is ResultType.UNKNOWN
        delete = place.bridge.delete_profile(place.session_id)
        assert delete.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert followed(place) == [MAXIMUM]


def test_a_plan_whose_outcome_nobody_knows_is_taken_back(asked: dict[str, Asked]) -> None:
    one = asked["silent PUT"]
    assert one.exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED

    [cleared] = wait_for(one.place, CLEAR, 1)

    [sent] = one.place.commands(SET)
    assert profile_id(cleared) == profile_id(sent)


def test_a_plan_that_is_accepted_after_the_deadline_does_not_stay(asked: dict[str, Asked]) -> None:
    place = asked[LATE].place
    assert asked[LATE].exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED
    place.charge_point.behave(Behaviour.FOLLOWING)

    cleared = wait_for(place, CLEAR, 1)[0]

    [sent] = place.commands(SET)
    assert profile_id(cleared) == profile_id(sent)
    eventually(lambda: place.charge_point.last_profile is None, SOON, what="no plan at the charge point")
    assert followed(place) == [MAXIMUM]


def test_after_a_second_plan_whose_outcome_nobody_knows_the_first_one_is_sent_again(asked: dict[str, Asked]) -> None:
    place = asked[LATE_AFTER_A_PLAN].place
    assert asked[LATE_AFTER_A_PLAN].exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED
    place.charge_point.behave(Behaviour.FOLLOWING)

    sent = wait_for(place, SET, 3)

    assert [[limit for _, limit in limits(command)] for command in sent] == [[9000], [11_000], [9000]]
    # The truth is told without being asked for (OCPI 14.4.2.4), and told again when it is.
    push = place.partner.wait_for_active_profile(place.session_id, IN_THE_END)
    assert [period.limit for period in push.profile.charging_profile.charging_profile_period or []] == [9000]
    assert followed(place) == [9000]


@pytest.mark.parametrize("fault", [*FAULTS, NEVER_ANSWERS])
def test_a_csms_that_fails_means_rejected_in_time_and_no_command(asked: dict[str, Asked], fault: str) -> None:
    one = asked[fault]

    assert one.exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED

    assert one.place.commands() == []


def test_a_silent_charger_behind_a_synchronous_csms_is_rejected_in_time(asked: dict[str, Asked]) -> None:
    one = asked[SILENT_IN_THE_CALL]

    assert one.exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED

    # The sender tried again, and the CSMS sends nothing while the charge point owes an answer.
    assert len(one.place.commands(SET)) == 1
