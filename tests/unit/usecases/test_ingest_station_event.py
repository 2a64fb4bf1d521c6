"""What a CSMS says of its stations: states, caps, limits, and the CPO taking over. Who watches a session wakes by it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import ChargingState, EventType, Reading, ReportedLimit, StationEvent
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.sessions import REPORTED_PERIODS
from ocpi_bridge.domain.stations import Capabilities
from ocpi_bridge.usecases.ingested import WRITE_ATTEMPTS, Ingested
from tests.support.clocks import START
from tests.support.ingestion import ONE, TWO, Ingestion, newer_station
from tests.support.world import CARD, event

FIRST = event(EventType.TRANSACTION_STARTED, 0, meter="1000", token=CARD)
SECOND = replace(FIRST, connector_id=2, transaction_id="779")
UPDATED = EventType.TRANSACTION_UPDATED
SUSPENDED, RESUMED, RELEASED = (
    EventType.STEERING_SUSPENDED,
    EventType.STEERING_RESUMED,
    EventType.STEERING_RELEASED,
)
LIMIT, CAP = EventType.CHARGING_LIMIT_CHANGED, EventType.CAP_CHANGED


@pytest.fixture
def bridge() -> Ingestion:
    """Two cars at the station; a minute later the event under test comes."""
    taking = Ingestion()
    taking(FIRST, SECOND)
    taking.clock.advance(60)
    return taking


def told(
    kind: EventType,
    seconds: float = 60,
    **changes: Any,  # noqa: ANN401 - any field of an event
) -> StationEvent:
    """The event, of the whole station unless a place is named."""
    return replace(event(kind, seconds, connector_id=None), **changes)


def doubted(bridge: Ingestion) -> set[str]:
    """The transactions whose sessions were marked, which wakes who watches them."""
    now = bridge.clock.now()
    marked = {one.transaction_id for one in bridge.store.sessions.values() if one.profile_doubt_at == now}
    assert marked == {one.transaction_id for one in bridge.store.sessions.values() if one.version > 1}
    return marked


# --- Steering ----------------------------------------------------------------------------------------------------------

PLACES = [
    ({}, "", {"778", "779"}),
    ({"connector_id": 1}, ONE, {"778"}),
    ({"evse_uid": TWO.lower()}, TWO, {"779"}),
]


@pytest.mark.parametrize(("place", "uid", "concerned"), PLACES)
def test_a_station_or_an_evse_is_taken_back_and_given_away_again(
    bridge: Ingestion, place: dict[str, Any], uid: str, concerned: set[str]
) -> None:
    assert bridge(told(SUSPENDED, **place)) == [Ingested.STEERING]
    state = bridge.states.state("acme", "CP-001")
    assert (state.steering_suspended, state.suspended_evses) == (not uid, frozenset({uid.casefold()} if uid else ()))
    assert doubted(bridge) == concerned
    bridge(told(RESUMED, 61, **place))
    assert not any(bridge.states.state("acme", "CP-001").suspends(one) for one in (ONE, TWO))


@pytest.mark.parametrize(("place", "_uid", "concerned"), PLACES)
def test_a_release_marks_the_sessions_concerned_with_our_own_time_and_suspends_nothing(
    bridge: Ingestion, place: dict[str, Any], _uid: str, concerned: set[str]
) -> None:
    assert bridge(told(RELEASED, 10, **place)) == [Ingested.STEERING]
    released = {one.transaction_id: one.released_at for one in bridge.in_order if one.released_at}
    assert released == dict.fromkeys(concerned, bridge.clock.now())
    assert doubted(bridge) == concerned
    assert not bridge.states.state("acme", "CP-001").suspends(ONE)


def test_a_release_that_comes_twice_takes_no_later_plan_away(bridge: Ingestion) -> None:
    bridge(told(RELEASED, 10, connector_id=1))
    at = bridge.of("778").released_at
    bridge.clock.advance(60)
    bridge(told(RELEASED, 10, connector_id=1))
    assert bridge.of("778").released_at == at
    bridge(told(RELEASED, 11, connector_id=1))
    assert bridge.of("778").released_at == bridge.clock.now()


@pytest.mark.parametrize("spelled", [str.upper, str.lower])
def test_one_session_is_taken_back_by_its_id_however_that_is_spelled(
    bridge: Ingestion, spelled: Callable[[str], str]
) -> None:
    session_id = bridge.of("778").session_id
    assert bridge(told(SUSPENDED, session_id=spelled(session_id))) == [Ingested.STEERING]
    assert (bridge.of("778").steering_suspended, bridge.of("779").steering_suspended) == (True, False)
    assert doubted(bridge) == {"778"}
    assert not bridge.states.state("acme", "CP-001").suspends(ONE)


def test_one_session_is_taken_back_by_its_transaction(bridge: Ingestion) -> None:
    bridge(told(SUSPENDED, transaction_id="779", connector_id=2))
    assert (bridge.of("778").steering_suspended, bridge.of("779").steering_suspended) == (False, True)


def test_an_older_word_on_a_session_does_not_overrule_a_newer_one(bridge: Ingestion) -> None:
    bridge(told(RESUMED, 61, transaction_id="778"), told(SUSPENDED, 60, transaction_id="778"))
    assert not bridge.of("778").steering_suspended
    bridge(told(SUSPENDED, 62, transaction_id="778"))
    assert bridge.of("778").steering_suspended


def test_an_older_word_on_a_station_does_not_overrule_a_newer_one(bridge: Ingestion) -> None:
    bridge(told(RESUMED, 61), told(SUSPENDED, 60))
    assert not bridge.states.state("acme", "CP-001").steering_suspended


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({"session_id": "nobody's"}, Ingested.UNKNOWN_SESSION),
        ({"transaction_id": "9"}, Ingested.UNKNOWN_SESSION),
        ({"transaction_id": "778", "station_id": "CP-002"}, Ingested.UNKNOWN_SESSION),
        ({"connector_id": 9}, Ingested.UNKNOWN_CONNECTOR),
        ({"connector_id": 1, "station_id": "CP-404"}, Ingested.UNKNOWN_STATION),
    ],
)
def test_a_word_on_what_nobody_knows_is_told_to_the_operator(
    bridge: Ingestion, changes: dict[str, Any], done: Ingested
) -> None:
    assert bridge(told(SUSPENDED, **changes)) == [done]
    assert done.lost
    assert doubted(bridge) == set()


def test_a_session_of_another_csms_is_not_taken_back(bridge: Ingestion) -> None:
    mine = bridge.of("778").session_id
    assert bridge(told(SUSPENDED, session_id=mine, csms_id="other")) == [Ingested.UNKNOWN_SESSION]
    assert not bridge.of("778").steering_suspended


# --- Caps --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [{"connector_id": 2}, {"evse_uid": TWO}, {"evse_uid": TWO.lower()}])
def test_a_cap_of_an_evse_is_kept_and_its_sessions_are_marked(bridge: Ingestion, place: dict[str, Any]) -> None:
    assert bridge(told(CAP, cap_w=Decimal(7400), **place)) == [Ingested.STATION_STATE]
    assert bridge.states.state("acme", "CP-001").caps_w == {TWO.casefold(): Decimal(7400)}
    assert doubted(bridge) == {"779"}
    bridge(told(CAP, 61, **place), told(CAP, 59, cap_w=Decimal(1), **place))
    assert bridge.states.state("acme", "CP-001").caps_w == {}


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({}, Ingested.UNKNOWN_CONNECTOR),
        ({"connector_id": 9}, Ingested.UNKNOWN_CONNECTOR),
        ({"evse_uid": "E9"}, Ingested.UNKNOWN_CONNECTOR),
        ({"connector_id": 1, "station_id": "CP-404"}, Ingested.UNKNOWN_STATION),
    ],
)
def test_a_cap_of_an_unknown_place_is_kept_nowhere(bridge: Ingestion, changes: dict[str, Any], done: Ingested) -> None:
    assert bridge(told(CAP, cap_w=Decimal(7400), **changes)) == [done]
    assert bridge.states.state("acme", "CP-001").caps_w == {}


def test_a_cap_of_an_evse_with_two_connectors_needs_none_of_them(bridge: Ingestion) -> None:
    bridge.store.put_station(newer_station(connectors=2))
    assert bridge(told(CAP, cap_w=Decimal(7400), evse_id=2)) == [Ingested.STATION_STATE]
    assert bridge.states.state("acme", "CP-001").caps_w == {TWO.casefold(): Decimal(7400)}


# --- Limits ------------------------------------------------------------------------------------------------------------


def limits(count: int, duration: int | None = None) -> Plan:
    periods = tuple(PlanPeriod(index * 60, Decimal(7000 + index)) for index in range(count))
    return Plan(RateUnit.WATT, periods, START, duration)


def test_a_limit_that_is_told_with_its_course_is_kept_with_the_sessions_concerned(bridge: Ingestion) -> None:
    reported = ReportedLimit("EMS", limits(2))
    assert bridge(told(LIMIT, connector_id=1, limit=reported)) == [Ingested.PROFILES_IN_DOUBT]
    assert (bridge.of("778").reported_limit, bridge.of("779").reported_limit) == (reported, None)
    bridge.clock.advance(1)
    bridge(told(LIMIT, 61, connector_id=1))
    assert bridge.of("778").reported_limit == reported
    bridge.clock.advance(1)
    bridge(told(LIMIT, 62, limit=ReportedLimit("EMS")))
    assert bridge.of("778").reported_limit == ReportedLimit("EMS")
    assert {one.profile_doubt_at for one in bridge.in_order} == {bridge.clock.now()}


@pytest.mark.parametrize(("duration", "kept"), [(None, 48 * 60), (48 * 60 + 1, 48 * 60), (47 * 60 + 9, 47 * 60 + 9)])
def test_a_long_course_is_cut_and_ends_there(bridge: Ingestion, duration: int | None, kept: int) -> None:
    bridge(told(LIMIT, limit=ReportedLimit("SO", limits(60, duration))))
    reported = bridge.of("778").reported_limit
    assert reported is not None
    assert reported.plan == replace(limits(REPORTED_PERIODS), duration=kept)


# --- Stations ----------------------------------------------------------------------------------------------------------


def test_a_station_that_booted_is_online_and_may_be_another_one(bridge: Ingestion) -> None:
    bridge.states.learned("acme", "CP-001", Capabilities(max_periods=6), START)
    bridge.states.has_no_smart_charging("acme", "CP-001", START + timedelta(days=1))
    bridge(told(EventType.STATION_ONLINE))
    assert bridge.states.state("acme", "CP-001").learned is not None
    assert bridge(told(EventType.STATION_BOOTED)) == [Ingested.STATION_STATE]
    state = bridge.states.state("acme", "CP-001")
    assert (state.online, state.learned, state.not_supported_until) == (True, None, None)
    assert doubted(bridge) == {"778", "779"}


def test_a_station_that_went_offline_puts_nothing_in_doubt(bridge: Ingestion) -> None:
    bridge(told(EventType.STATION_OFFLINE))
    assert doubted(bridge) == set()


# --- Hints of a transaction --------------------------------------------------------------------------------------------


def charging(seconds: float, state: ChargingState | None = None, **reading: str) -> StationEvent:
    values = {name: Decimal(value) for name, value in reading.items()}
    return replace(event(UPDATED, seconds), reading=Reading(**values), charging_state=state)  # type: ignore[arg-type]


CHARGING, PAUSED_BY_US, PAUSED_BY_CAR = (
    ChargingState.CHARGING,
    ChargingState.SUSPENDED_EVSE,
    ChargingState.SUSPENDED_EV,
)


@pytest.mark.parametrize(
    ("before", "then", "hinted"),
    [
        (charging(10, CHARGING), charging(20, PAUSED_BY_US), True),
        (charging(10, PAUSED_BY_US), charging(20, CHARGING), True),
        (charging(10, PAUSED_BY_US), charging(20, PAUSED_BY_US), False),
        (charging(10, CHARGING), charging(20, PAUSED_BY_CAR), False),
        (charging(10, offered_a="16"), charging(20, offered_a="15.8"), False),
        (charging(10, offered_a="16"), charging(20, offered_a="15.79"), True),
        (charging(10, offered_a="16"), charging(20), False),
        (charging(10), charging(20, offered_a="16"), True),
        (charging(10, offered_w="7000"), charging(20, offered_w="7100"), False),
        (charging(10, offered_w="7000"), charging(20, offered_w="7101"), True),
        (charging(20, offered_w="7000"), charging(10, offered_w="3000"), False),
        (charging(20, CHARGING), charging(10, PAUSED_BY_US), False),
    ],
)
def test_a_rate_that_moves_is_a_hint_unless_it_is_old(
    bridge: Ingestion, before: StationEvent, then: StationEvent, hinted: bool
) -> None:
    bridge(before)
    bridge.clock.advance(1)
    bridge(then)
    session = bridge.of("778")
    assert (session.rate_hint_at == bridge.clock.now()) is hinted
    assert session.profile_doubt_at is None


def test_a_rate_that_something_else_changed_puts_the_profile_in_doubt(bridge: Ingestion) -> None:
    known = ReportedLimit("EMS", limits(2))
    bridge(told(LIMIT, limit=known))
    bridge.clock.advance(1)
    bridge(replace(charging(70), limit=ReportedLimit("Other")))
    session = bridge.of("778")
    assert (session.profile_doubt_at, session.reported_limit) == (bridge.clock.now(), known)
    bridge.clock.advance(1)
    bridge(replace(charging(69), limit=ReportedLimit("Other", limits(1))))
    assert bridge.of("778").reported_limit == known
    bridge(replace(charging(71), limit=ReportedLimit("Other", limits(1))))
    assert bridge.of("778").reported_limit == ReportedLimit("Other", limits(1))


# --- Others at the same instant ----------------------------------------------------------------------------------------


def test_a_mark_that_meets_other_writers_is_tried_again_and_in_the_end_an_honest_error(
    bridge: Ingestion, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, beaten = bridge.store.update, iter([False] * (WRITE_ATTEMPTS - 1))
    monkeypatch.setattr(bridge.store, "update", lambda *args: next(beaten, True) and update(*args))
    assert bridge(told(SUSPENDED)) == [Ingested.STEERING]
    assert doubted(bridge) == {"778", "779"}
    monkeypatch.setattr(bridge.store, "update", lambda *_: False)
    with pytest.raises(Contended):
        bridge(told(RELEASED))
