"""One suite for the stores of sessions and station states: on DynamoDB, and in memory as other tests use them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import registry_items, session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.pushes import DynamoPushStore
from ocpi_bridge.adapters.dynamodb.sessions import MOST_LISTED, READ_AT_ONCE, DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.dynamodb.sweep import DynamoSweepStore
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType, SessionStatus, StationEvent
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.stations import Capabilities, StationState
from ocpi_bridge.ports.messages import OverdueSession
from ocpi_bridge.ports.sessions import SessionStore
from ocpi_bridge.ports.stations import StationStates
from tests.support.clocks import START, ManualClock
from tests.support.memory import MemorySessionStore, MemoryStationStates
from tests.support.registry_entries import assignment, csms, station
from tests.support.tables import AwsTables
from tests.support.world import CARD, event, session_of

STARTED, UPDATED, ENDED = (
    EventType.TRANSACTION_STARTED,
    EventType.TRANSACTION_UPDATED,
    EventType.TRANSACTION_ENDED,
)
FIRST = event(STARTED, 0, meter="1000", token=CARD)
UID = "BE*BEC*E041503001"


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores under test, on a registry with one CSMS, one station and one assignment."""

    sessions: SessionStore
    states: StationStates
    memory: MemorySessionStore
    tables: AwsTables | None = None

    def periods(self, session_id: str) -> Sequence[ChargingPeriod]:
        if self.tables is None:
            return self.memory.periods(session_id)
        pushes = DynamoPushStore(self.tables.client, self.tables.sessions, self.tables.registry, ManualClock())
        return pushes.periods(session_id, after=0)

    def overdue(self, at: datetime) -> Sequence[OverdueSession]:
        if self.tables is None:
            return self.memory.overdue(at)
        tables = self.tables
        return (
            DynamoSweepStore(tables.client, tables.sessions, tables.requests, tables.registry)
            .due_in_sessions(at)
            .overdue
        )


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest, aws: AwsTables) -> Stores:
    given = assignment()
    if request.param == "memory":
        states = MemoryStationStates()
        memory = MemorySessionStore(states, {"acme": csms()}, {("acme", "CP-001"): station()}, [given])
        return Stores(memory, states, memory)
    items: list[Mapping[str, object]] = [
        registry_items.csms_item(csms(), 1),
        registry_items.station_item(station(), 1),
        registry_items.assignments_item(given.scope, given.key, [given], 1),
    ]
    aws.put(aws.registry, *(dynamo.to_item(item) for item in items))
    return Stores(
        DynamoSessionStore(aws.client, aws.sessions, aws.registry),
        DynamoStationStates(aws.client, aws.registry),
        MemorySessionStore(MemoryStationStates()),
        aws,
    )


@pytest.fixture
def sessions(stores: Stores) -> SessionStore:
    return stores.sessions


@pytest.fixture
def states(stores: Stores) -> StationStates:
    return stores.states


def opened(
    first: StationEvent = FIRST,
    **changes: Any,  # noqa: ANN401 - any field of a session
) -> Session:
    return replace(session_of(first), **changes)


def moved(
    session: Session,
    **changes: Any,  # noqa: ANN401 - any field of a session
) -> Session:
    return replace(session, version=session.version + 1, **changes)


# --- Places and rights -----------------------------------------------------------------------------------------------


def test_a_place_is_what_the_registry_knows_and_what_was_heard_beside(stores: Stores) -> None:
    stores.states.set_online("acme", "CP-001", online=False, at=START)
    place = stores.sessions.place("acme", "CP-001")
    assert (place.csms, place.station, place.state.online) == (csms(), station(), False)


@pytest.mark.parametrize(("csms_id", "station_id", "known"), [("acme", "CP-404", True), ("nobody", "CP-001", False)])
def test_of_an_unknown_place_nothing_is_known(
    sessions: SessionStore, csms_id: str, station_id: str, known: bool
) -> None:
    place = sessions.place(csms_id, station_id)
    assert (place.csms is not None, place.station, place.state) == (known, None, StationState())


def test_rights_come_from_the_assignments_of_the_place_and_the_token(stores: Stores) -> None:
    assert stores.sessions.rights(UID.lower(), "LOC1", None, START) == Rights(frozenset({"jedlix"}), "jedlix")
    assert stores.sessions.rights("another", "LOC1", CARD, START) == Rights()
    assert stores.sessions.rights(UID, "LOC1", None, datetime.fromisoformat("2025-01-01T00:00:00+00:00")) == Rights()


# --- Sessions --------------------------------------------------------------------------------------------------------


def test_a_created_session_is_found_by_its_transaction(sessions: SessionStore) -> None:
    assert sessions.session_of(FIRST) is None
    assert sessions.create(opened(), None)
    assert sessions.session_of(FIRST) == opened()
    assert sessions.session_of(replace(FIRST, transaction_id="779")) is None
    assert sessions.session_of(replace(FIRST, station_id="CP-002")) is None


def test_a_session_of_a_csms_that_names_it_is_found_by_its_name_however_that_is_spelled(sessions: SessionStore) -> None:
    sessions.create(opened(session_id="Sess-1", transaction_id="Sess-1"), None)
    for named in (replace(FIRST, session_id="sESS-1"), replace(FIRST, session_id="SESS-1", transaction_id="9")):
        found = sessions.session_of(named)
        assert found is not None
        assert found.session_id == "Sess-1"
    assert sessions.session_of(replace(FIRST, session_id="Sess-2")) is None


def test_a_name_that_is_not_known_leads_by_the_transaction(sessions: SessionStore) -> None:
    sessions.create(opened(), None)
    assert sessions.session_of(replace(FIRST, session_id="Sess-1")) == opened()


def test_a_transaction_has_one_session_whoever_else_creates_it(sessions: SessionStore) -> None:
    assert sessions.create(opened(), None)
    assert not sessions.create(opened(session_id="another"), None)
    assert sessions.session_of(FIRST) == opened()


def test_a_session_that_replaces_another_is_found_instead_and_leads_to_it(sessions: SessionStore) -> None:
    old, new = opened(), opened(session_id="new")
    sessions.create(old, None)
    assert sessions.former_session_of(FIRST) is None
    assert not sessions.create(new, opened(session_id="somebody else's"))
    assert sessions.create(new, old)
    assert sessions.session_of(FIRST) == new
    assert sessions.former_session_of(FIRST) == old


def test_a_write_counts_only_on_what_was_read(sessions: SessionStore) -> None:
    first = opened()
    sessions.create(first, None)
    second = moved(first, power_w=Decimal(1))
    assert sessions.update(first, second, None)
    assert not sessions.update(first, moved(first, power_w=Decimal(2)), None)
    assert sessions.session_of(FIRST) == second


def test_a_closed_period_is_kept_with_the_session_that_closed_it(stores: Stores) -> None:
    first = opened()
    stores.sessions.create(first, None)
    closed = ChargingPeriod(1, START, START + timedelta(minutes=15), Decimal(1), Decimal(4), parking=Decimal("0.25"))
    stores.sessions.update(first, moved(first, periods=1), closed)
    assert not stores.sessions.update(first, moved(first), replace(closed, index=2))
    assert list(stores.periods(first.session_id)) == [closed]


def test_a_transaction_id_that_comes_later_finds_the_session_instead_of_the_one_before(sessions: SessionStore) -> None:
    first = opened(transaction_id="stand-in", transaction_known=False)
    sessions.create(first, None)
    known = moved(first, transaction_id="778", transaction_known=True)
    assert sessions.update(first, known, None)
    assert sessions.session_of(FIRST) == known
    assert sessions.session_of(replace(FIRST, transaction_id="stand-in")) is None
    assert list(sessions.live_at("acme", "CP-001")) == [known]


# --- Who is there ----------------------------------------------------------------------------------------------------


def test_sessions_are_live_until_they_are_over(sessions: SessionStore) -> None:
    one, other = opened(), opened(replace(FIRST, transaction_id="779"))
    for session in (one, other):
        sessions.create(session, None)
    sessions.create(opened(replace(FIRST, transaction_id="780"), status=SessionStatus.COMPLETED), None)
    sessions.create(opened(replace(FIRST, station_id="CP-0010")), None)
    live = {session.session_id for session in sessions.live_at("acme", "CP-001")}
    assert live == {one.session_id, other.session_id}
    sessions.update(one, moved(one, status=SessionStatus.INVALID), None)
    assert list(sessions.live_at("acme", "CP-001")) == [other]
    assert list(sessions.live_at("acme", "CP-002")) == []


def test_more_live_sessions_than_one_call_reads_are_all_found(sessions: SessionStore) -> None:
    for number in range(READ_AT_ONCE + 5):
        sessions.create(opened(replace(FIRST, transaction_id=str(number))), None)
    assert len(sessions.live_at("acme", "CP-001")) == READ_AT_ONCE + 5 < MOST_LISTED


def test_the_newest_car_of_each_place_is_remembered_when_its_session_is_over(sessions: SessionStore) -> None:
    later = replace(FIRST, transaction_id="779", time=START + timedelta(hours=1))
    sessions.create(opened(later, status=SessionStatus.COMPLETED), None)
    sessions.create(opened(), None)
    sessions.create(opened(replace(later, transaction_id="780"), connector_id="2"), None)
    around = sessions.neighbours("acme", "CP-001")
    assert [one.transaction_id for one in around.live] in (["778", "780"], ["780", "778"])
    assert around.newest == {f"{UID.casefold()}/{number}": later.time for number in (1, 2)}


def test_a_reservation_is_no_car(sessions: SessionStore) -> None:
    sessions.create(opened(status=SessionStatus.RESERVATION), None)
    assert sessions.neighbours("acme", "CP-001").newest == {}


# --- What the sweep finds --------------------------------------------------------------------------------------------


def test_a_session_is_overdue_from_the_instant_it_is_to_close_at_until_it_is_over(stores: Stores) -> None:
    first = opened()
    stores.sessions.create(first, None)
    left = moved(first, superseded_at=START, closes_at=START + timedelta(minutes=15))
    stores.sessions.update(first, left, None)
    due = START + timedelta(minutes=15)
    assert list(stores.overdue(due - timedelta(milliseconds=1))) == []
    assert list(stores.overdue(due)) == [OverdueSession("acme", "CP-001", "778", first.session_id, START)]
    stores.sessions.update(left, moved(left, status=SessionStatus.COMPLETED, closes_at=None), None)
    assert list(stores.overdue(due)) == []


# --- Station states --------------------------------------------------------------------------------------------------

LATER, EARLIER = START + timedelta(seconds=1), START - timedelta(seconds=1)


def test_the_newest_word_on_a_connection_counts(states: StationStates) -> None:
    states.set_online("acme", "CP-001", online=False, at=START)
    states.set_online("acme", "CP-001", online=True, at=EARLIER)
    assert states.state("acme", "CP-001").online is False
    states.set_online("acme", "CP-001", online=True, at=START)
    assert states.state("acme", "CP-001").online is True
    assert states.state("acme", "CP-002").online is None


def test_a_station_that_is_given_back_keeps_what_was_taken_by_name(states: StationStates) -> None:
    states.set_steering("acme", "CP-001", None, suspended=True, at=START)
    states.set_steering("acme", "CP-001", UID, suspended=True, at=START)
    states.set_steering("acme", "CP-001", None, suspended=False, at=LATER)
    state = states.state("acme", "CP-001")
    assert (state.steering_suspended, state.suspends(UID.lower()), state.suspends("other")) == (False, True, False)


def test_an_older_word_on_steering_does_not_overrule(states: StationStates) -> None:
    states.set_steering("acme", "CP-001", UID, suspended=False, at=START)
    states.set_steering("acme", "CP-001", UID.lower(), suspended=True, at=EARLIER)
    states.set_steering("acme", "CP-001", None, suspended=True, at=START)
    states.set_steering("acme", "CP-001", None, suspended=False, at=EARLIER)
    state = states.state("acme", "CP-001")
    assert (state.suspended_evses, state.steering_suspended) == (frozenset(), True)


def test_a_cap_is_set_and_lifted_for_each_evse(states: StationStates) -> None:
    states.set_cap("acme", "CP-001", UID, Decimal(7400), START)
    states.set_cap("acme", "CP-001", "other", Decimal(3680), START)
    states.set_cap("acme", "CP-001", UID, Decimal(1), EARLIER)
    assert states.state("acme", "CP-001").caps_w == {UID.casefold(): Decimal(7400), "other": Decimal(3680)}
    states.set_cap("acme", "CP-001", UID, None, LATER)
    states.set_cap("acme", "CP-001", UID, Decimal(9), START)
    assert states.state("acme", "CP-001").caps_w == {"other": Decimal(3680)}


def test_what_a_station_refused_or_said_is_forgotten_when_it_boots_and_nothing_else(states: StationStates) -> None:
    able = Capabilities(frozenset({RateUnit.AMPERE}), 24, 3)
    states.set_online("acme", "CP-001", online=True, at=START)
    states.has_no_smart_charging("acme", "CP-001", LATER)
    states.is_rate_limited("acme", "CP-001", LATER)
    states.learned("acme", "CP-001", able, START)
    states.learned("acme", "CP-001", Capabilities(), EARLIER)
    known = StationState(
        online=True, not_supported_until=LATER, rate_limited_until=LATER, learned=able, learned_at=START
    )
    assert states.state("acme", "CP-001") == known
    states.booted("acme", "CP-001")
    assert states.state("acme", "CP-001") == StationState(online=True)
    states.learned("acme", "CP-001", able, EARLIER)
    assert states.state("acme", "CP-001").learned_at == EARLIER


# --- On DynamoDB only ------------------------------------------------------------------------------------------------


def test_transactions_that_are_over_are_not_read_by_who_looks_for_live_ones(aws: AwsTables) -> None:
    store = DynamoSessionStore(aws.client, aws.sessions, aws.registry)
    store.create(opened(status=SessionStatus.COMPLETED), None)
    live = opened(replace(FIRST, transaction_id="779"))
    store.create(live, None)
    store.update(live, moved(live, status=SessionStatus.COMPLETED), None)
    left = [item["sk"]["S"] for item in aws.items(aws.sessions) if item["sk"]["S"].startswith(session_items.LIVE)]
    assert left == []
