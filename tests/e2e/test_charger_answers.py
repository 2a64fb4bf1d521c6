"""Whatever the charge point or its CSMS does: one result, true, before the announced timeout."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.domain.stations import Csms, CsmsMode
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
from tools.charge_point import Behaviour
from tools.counterparts.http_service import Answer, NeverAnswer, Response
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResponseType, ResultType

# The stage's own: 20 s for the charge point, 10 s for telling the partner.
TIMEOUT = 30
# The embedded AWS serves one command at a time, and the silent chargers of this file hold it for their deadlines.
PATIENT = 90
# Where a call of the CSMS lasts, the embedded AWS lets the commands of all stations wait for it.
SHORT_CALL = 3
ALWAYS = None


@dataclass(frozen=True, slots=True)
class Case:
    """What a charge point does with a command, and what the partner is to be told."""

    name: str
    behaviour: Behaviour
    method: str
    result: ResultType
    answers: bool = True


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
    Case("an answer that OCPP does not have", Behaviour.OUT_OF_SCHEMA, "PUT", ResultType.REJECTED, answers=False),
    Case("no schedule and no plan", Behaviour.ACCEPTING, "GET", ResultType.ACCEPTED),
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
        for fault, answer in FAULTS.items():
            if answer is None:
                failing[fault].csms.http.stop()
            else:
                failing[fault].csms.http.plan(answer, times=ALWAYS)
        never.csms.http.plan(NeverAnswer(), times=ALWAYS)
        sent = {case.name: ask(working[case.name], case.method) for case in CASES}
        sent |= {fault: ask(place, "PUT") for fault, place in failing.items()}
        sent |= {SILENT_IN_THE_CALL: ask(silent, "PUT"), NEVER_ANSWERS: ask(never, "PUT")}
        yield sent
        assert world.partner.violations() == []
        assert {name: len(one.exchange.results()) for name, one in sent.items()} == dict.fromkeys(sent, 1)


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

    assert len(one.place.commands()) == 1
    request = one.place.items.wait_for_state(
        one.place.session_id, one.exchange.response_url, RequestState.DELIVERED, SOON
    )
    assert case.answers == ("no answer by the deadline" not in (request.reason or ""))


def test_without_a_plan_the_active_profile_is_the_most_that_the_evse_gives(asked: dict[str, Asked]) -> None:
    profile = asked["no schedule and no plan"].exchange.wait_for_result(TIMEOUT).profile

    assert profile is not None
    periods = profile.charging_profile.charging_profile_period or []
    assert [(period.start_period, period.limit) for period in periods] == [(0, Decimal(3 * 230 * 32))]


@pytest.mark.parametrize("fault", [*FAULTS, NEVER_ANSWERS])
def test_a_csms_that_fails_means_rejected_in_time_and_no_command(asked: dict[str, Asked], fault: str) -> None:
    one = asked[fault]

    assert one.exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED

    assert one.place.commands() == []


def test_a_silent_charger_behind_a_synchronous_csms_is_rejected_in_time(asked: dict[str, Asked]) -> None:
    one = asked[SILENT_IN_THE_CALL]

    assert one.exchange.wait_for_result(TIMEOUT).result is ResultType.REJECTED

    # The sender tried again, and the CSMS sends nothing while the charge point owes an answer.
    assert len(one.place.commands()) == 1
