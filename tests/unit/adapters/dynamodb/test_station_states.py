"""What is remembered of stations: by attribute, in the order of when it happened, whoever writes first."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.stations import Capabilities, StationState
from ocpi_bridge.ports.stations import StationStates
from tests.support.registry_entries import csms, station
from tests.support.tables import AwsTables

NOW = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)
LEARNED = Capabilities(frozenset({RateUnit.AMPERE}), max_periods=24, max_stack_level=8)


@pytest.fixture
def states(aws: AwsTables) -> StationStates:
    return DynamoStationStates(aws.client, aws.registry)


def known(states: StationStates) -> StationState:
    return states.state("acme", "CP-001")


def test_of_a_station_that_nothing_was_heard_of_nothing_is_known(states: StationStates) -> None:
    assert known(states) == StationState()


Seen = Callable[[StationState], bool]


class Told(Protocol):
    """One thing that is told of a station, on or off."""

    def __call__(self, states: StationStates, at: datetime, *, value: bool) -> None: ...


def _online(states: StationStates, at: datetime, *, value: bool) -> None:
    states.set_online("acme", "CP-001", online=value, at=at)


def _station(states: StationStates, at: datetime, *, value: bool) -> None:
    states.set_steering("acme", "CP-001", None, suspended=value, at=at)


def _evse(states: StationStates, at: datetime, *, value: bool) -> None:
    states.set_steering("acme", "CP-001", "3256", suspended=value, at=at)


def _cap(states: StationStates, at: datetime, *, value: bool) -> None:
    states.set_cap("acme", "CP-001", "3256", Decimal(4000) if value else None, at)


@pytest.mark.parametrize(
    ("tell", "seen"),
    [
        (_online, lambda state: bool(state.online)),
        (_station, lambda state: state.steering_suspended),
        (_evse, lambda state: state.suspends("3256")),
        (_cap, lambda state: state.caps_w == {"3256": Decimal(4000)}),
    ],
)
@pytest.mark.parametrize("newest", [True, False])
def test_what_is_older_never_overrules_what_is_newer(
    tell: Told, seen: Seen, newest: bool, states: StationStates
) -> None:
    tell(states, NOW, value=newest)
    tell(states, EARLIER, value=not newest)
    assert seen(known(states)) is newest
    tell(states, NOW, value=newest)
    assert seen(known(states)) is newest
    tell(states, LATER, value=not newest)
    assert seen(known(states)) is not newest


def test_a_cap_that_was_lifted_is_not_set_again_by_an_older_word(states: StationStates) -> None:
    _cap(states, NOW, value=False)
    _cap(states, EARLIER, value=True)
    assert known(states).caps_w == {}


def test_one_thing_does_not_order_another(states: StationStates) -> None:
    _online(states, LATER, value=True)
    _station(states, EARLIER, value=True)
    _evse(states, EARLIER, value=True)
    _cap(states, EARLIER, value=True)
    states.set_cap("acme", "CP-001", "3257", Decimal("7400.5"), EARLIER - timedelta(hours=1))
    state = known(states)
    assert (state.online, state.steering_suspended, state.suspended_evses) == (True, True, frozenset({"3256"}))
    assert state.caps_w == {"3256": Decimal(4000), "3257": Decimal("7400.5")}


def test_a_station_that_is_given_back_gives_back_none_of_its_evses_taken_by_name(states: StationStates) -> None:
    _station(states, EARLIER, value=True)
    _evse(states, EARLIER, value=True)
    _station(states, NOW, value=False)
    assert known(states).suspends("3256")
    assert not known(states).suspends("3257")
    _evse(states, NOW, value=False)
    assert not known(states).suspends("3256")


def test_evses_are_named_without_case(states: StationStates) -> None:
    states.set_steering("acme", "CP-001", "be*BEC", suspended=True, at=NOW)
    states.set_cap("acme", "CP-001", "BE*bec", Decimal(1), NOW)
    assert known(states).suspends("BE*BEC")
    assert known(states).caps_w == {"be*bec": Decimal(1)}
    states.set_cap("acme", "CP-001", "be*bec", None, NOW)
    assert known(states).caps_w == {}


def test_a_uid_with_any_character_of_ocpi_can_be_kept(states: StationStates) -> None:
    uid = "#a:b/c.d[0] e"
    states.set_steering("acme", "CP-001", uid, suspended=True, at=NOW)
    states.set_cap("acme", "CP-001", uid, Decimal(0), NOW)
    assert (known(states).suspended_evses, known(states).caps_w) == (frozenset({uid}), {uid: Decimal(0)})


def test_stations_are_told_apart(states: StationStates) -> None:
    states.set_online("acme", "CP-001", online=False, at=NOW)
    assert states.state("acme", "CP-002") == StationState()
    assert states.state("acme", "cp-001") == StationState()
    assert states.state("other", "CP-001") == StationState()


def test_what_a_station_said_of_itself_is_kept_with_its_time(states: StationStates) -> None:
    states.learned("acme", "CP-001", LEARNED, NOW)
    states.learned("acme", "CP-001", Capabilities(), EARLIER)
    assert (known(states).learned, known(states).learned_at) == (LEARNED, NOW)
    states.learned("acme", "CP-001", Capabilities(smart_charging=False), LATER)
    assert (known(states).learned, known(states).learned_at) == (Capabilities(smart_charging=False), LATER)


def test_a_boot_forgets_what_the_station_refused_and_said_and_nothing_of_the_cpos(states: StationStates) -> None:
    states.learned("acme", "CP-001", LEARNED, NOW)
    states.has_no_smart_charging("acme", "CP-001", LATER)
    states.is_rate_limited("acme", "CP-001", LATER)
    _station(states, NOW, value=True)
    _cap(states, NOW, value=True)
    _online(states, NOW, value=True)
    before = known(states)
    assert (before.not_supported_until, before.rate_limited_until) == (LATER, LATER)
    states.booted("acme", "CP-001")
    after = known(states)
    assert (after.not_supported_until, after.rate_limited_until, after.learned, after.learned_at) == (None,) * 4
    assert (after.online, after.steering_suspended, after.caps_w) == (True, True, {"3256": Decimal(4000)})


def test_what_was_refused_may_be_refused_for_longer_or_shorter(states: StationStates) -> None:
    states.has_no_smart_charging("acme", "CP-001", LATER)
    states.has_no_smart_charging("acme", "CP-001", NOW)
    states.is_rate_limited("acme", "CP-001", EARLIER)
    states.is_rate_limited("acme", "CP-001", LATER)
    assert (known(states).not_supported_until, known(states).rate_limited_until) == (NOW, LATER)


def test_the_registry_lists_them_by_station(states: StationStates, aws: AwsTables) -> None:
    registry = DynamoRegistry(aws.client, aws.registry)
    registry.add_csms(csms())
    registry.import_stations("acme", [station()])
    assert registry.station_states("acme") == {}
    _station(states, NOW, value=True)
    states.set_online("acme", "CP-002", online=True, at=NOW)
    states.set_online("other", "CP-003", online=True, at=NOW)
    assert registry.station_states("acme") == {
        "CP-001": StationState(steering_suspended=True),
        "CP-002": StationState(online=True),
    }
    registry.remove_station("acme", "CP-001")
    assert [*registry.station_states("acme")] == ["CP-002"]
