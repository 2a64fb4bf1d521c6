"""Events become sessions: whatever their order, however often they come, and whoever else writes at that instant."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from ocpi_bridge.adapters.dynamodb import registry_items
from ocpi_bridge.domain.assignments import Rights, Scope
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import EventType, IdToken, SessionStatus, StationEvent
from ocpi_bridge.domain.session_course import GRACE
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Connector, Evse, OcppVersion, PowerType
from ocpi_bridge.usecases.ingest_event import IngestEvent
from ocpi_bridge.usecases.ingested import WRITE_ATTEMPTS, Ingested
from tests.support.clocks import START
from tests.support.dynamodb_faults import conflicts, counted, meanwhile
from tests.support.registry_entries import NEW_YEAR, assignment, partner, station
from tests.support.world import CARD, World, event

STARTED, UPDATED, ENDED = (
    EventType.TRANSACTION_STARTED,
    EventType.TRANSACTION_UPDATED,
    EventType.TRANSACTION_ENDED,
)
FIRST = event(STARTED, 0, meter="1000", token=CARD)
CHARGING = event(UPDATED, 300, meter="1900", power="11000", current=("16", "16", "16"))
QUARTER = event(UPDATED, 1200, meter="4600", power="11000", current=("16", "16", "16"))
LAST = event(ENDED, 3600, meter="5700")


@pytest.fixture
def ingest(world: World) -> Callable[[StationEvent], Ingested]:
    world.put_assignment(assignment())
    return IngestEvent(world.sessions, world.states, world.clock)


Ingest = Callable[[StationEvent], Ingested]


def only(world: World) -> Session:
    [session] = world.stored_sessions()
    return session


# --- A transaction ---------------------------------------------------------------------------------------------------


def test_a_transaction_becomes_one_session(world: World, ingest: Ingest) -> None:
    done = [ingest(event_) for event_ in (FIRST, CHARGING, QUARTER, LAST)]
    assert done == [Ingested.CREATED, Ingested.CHANGED, Ingested.CHANGED, Ingested.CHANGED]
    session = only(world)
    assert (session.status, session.kwh, session.periods, session.version) == (
        SessionStatus.COMPLETED,
        Decimal("4.7"),
        2,
        4,
    )
    assert (session.evse_uid, session.location_id, session.transaction_id) == ("BE*BEC*E041503001", "LOC1", "778")


def test_closed_periods_are_items_of_their_own(world: World, ingest: Ingest) -> None:
    for event_ in (FIRST, QUARTER, LAST):
        ingest(event_)
    periods = world.pushes.periods(only(world).session_id, after=0)
    assert [period.energy for period in periods] == [Decimal("3.6"), Decimal("1.1")]
    assert [period.index for period in world.pushes.periods(only(world).session_id, after=1)] == [2]


def test_an_event_that_changes_nothing_writes_nothing(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    with counted(world.tables.client) as operations:
        assert ingest(FIRST) is Ingested.UNCHANGED
    assert set(operations) == {"BatchGetItem"}


def test_a_transaction_whose_start_was_lost_is_seen_from_its_first_update(world: World, ingest: Ingest) -> None:
    assert ingest(CHARGING) is Ingested.CREATED
    assert only(world).start == CHARGING.time


def test_a_transaction_of_which_only_the_end_is_known_is_a_session_that_is_over_after_the_grace(
    world: World, ingest: Ingest
) -> None:
    assert ingest(LAST) is Ingested.CREATED
    assert (only(world).status, only(world).steerable) == (SessionStatus.ACTIVE, False)
    world.clock.advance(GRACE.total_seconds())
    assert ingest(LAST) is Ingested.CHANGED
    assert (only(world).status, only(world).end) == (SessionStatus.COMPLETED, LAST.time)


def test_transactions_of_two_stations_may_have_one_id(world: World, ingest: Ingest) -> None:
    world.put_station(station("CP-002", ("E2",)))
    ingest(FIRST)
    assert ingest(replace(FIRST, station_id="CP-002")) is Ingested.CREATED
    assert {session.station_id for session in world.stored_sessions()} == {"CP-001", "CP-002"}


# --- Any order -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([FIRST, CHARGING, QUARTER])))
def test_events_in_any_order_make_the_same_session(
    world: World, ingest: Ingest, order: tuple[StationEvent, ...]
) -> None:
    for event_ in (*order, *order, LAST):
        ingest(event_)
    session = only(world)
    assert (session.kwh, session.start, session.token, session.phases) == (Decimal("4.7"), START, CARD, 3)
    assert sum(period.energy for period in world.pushes.periods(session.session_id, after=0)) == session.kwh


def test_nothing_wakes_a_session_that_ended(world: World, ingest: Ingest) -> None:
    for event_ in (FIRST, LAST):
        ingest(event_)
    ended = only(world)
    assert [ingest(late) for late in (QUARTER, FIRST, LAST)] == [Ingested.UNCHANGED] * 3
    assert only(world) == ended


def test_a_transaction_id_that_begins_again_is_another_session(world: World, ingest: Ingest) -> None:
    for event_ in (FIRST, LAST):
        ingest(event_)
    again = replace(FIRST, time=LAST.time + timedelta(minutes=5))
    assert ingest(again) is Ingested.CREATED
    first, second = sorted(world.stored_sessions(), key=lambda session: session.start)
    assert (first.status, second.status) == (SessionStatus.COMPLETED, SessionStatus.ACTIVE)
    assert first.session_id != second.session_id
    assert world.sessions.session_of(again) == second


def test_events_after_a_new_beginning_belong_to_the_new_session(world: World, ingest: Ingest) -> None:
    again = replace(FIRST, time=LAST.time + timedelta(minutes=5))
    for event_ in (FIRST, LAST, again):
        ingest(event_)
    later = replace(CHARGING, time=again.time + timedelta(minutes=5))
    assert ingest(later) is Ingested.CHANGED
    assert {session.version for session in world.stored_sessions()} == {2}


def test_a_start_that_is_reported_after_the_end_is_no_new_beginning(world: World, ingest: Ingest) -> None:
    ingest(LAST)
    assert ingest(FIRST) is Ingested.CHANGED
    assert (only(world).status, only(world).start, only(world).kwh) == (
        SessionStatus.COMPLETED,
        FIRST.time,
        Decimal("4.7"),
    )


# --- What it costs ---------------------------------------------------------------------------------------------------


def test_a_meter_reading_is_one_write(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    with counted(world.tables.client) as operations:
        assert ingest(CHARGING) is Ingested.CHANGED
    assert [name for name in operations if name != "BatchGetItem"] == ["PutItem"]


# --- Who sees and steers ---------------------------------------------------------------------------------------------


def test_a_session_that_nobody_is_assigned_to_is_seen_by_nobody(world: World) -> None:
    IngestEvent(world.sessions, world.states, world.clock)(FIRST)
    assert only(world).rights == Rights()


@pytest.mark.parametrize(
    ("scope", "key"),
    [
        (Scope.EVSE, "be*bec*e041503001"),
        (Scope.LOCATION, "loc1"),
        (Scope.TOKEN, CARD.uid.lower()),
        (Scope.CONTRACT, "nl-tnm-c12345678-x"),
        (Scope.EMSP, "nl/tnm"),
    ],
)
def test_each_scope_of_an_assignment_opens_the_session(world: World, scope: Scope, key: str) -> None:
    world.put_assignment(assignment(scope=scope, key=key))
    IngestEvent(world.sessions, world.states, world.clock)(FIRST)
    assert only(world).rights == Rights(frozenset({"jedlix"}), "jedlix")


def test_an_assignment_that_is_not_valid_now_opens_nothing(world: World) -> None:
    world.put_assignment(assignment(valid_until=START))
    IngestEvent(world.sessions, world.states, world.clock)(FIRST)
    assert only(world).rights == Rights()


def test_a_token_that_comes_late_still_decides_who_sees_and_steers(world: World) -> None:
    world.put_assignment(assignment(scope=Scope.TOKEN, key=CARD.uid))
    ingest = IngestEvent(world.sessions, world.states, world.clock)
    ingest(CHARGING)
    assert only(world).rights == Rights()
    ingest(FIRST)
    assert only(world).rights == Rights(frozenset({"jedlix"}), "jedlix")


def test_a_token_that_comes_late_takes_nothing_from_who_sees_the_place(world: World, ingest: Ingest) -> None:
    world.put_partner(partner("token-holder"), token=None)
    world.put_assignment(assignment("token-holder", Scope.TOKEN, CARD.uid, valid_from=NEW_YEAR))
    ingest(CHARGING)
    assert only(world).rights.steered_by == "jedlix"
    ingest(FIRST)
    assert only(world).rights == Rights(frozenset({"jedlix", "token-holder"}), "token-holder")


def test_a_revoked_assignment_counts_from_the_next_event_on_and_who_knew_the_session_is_remembered(
    world: World, ingest: Ingest
) -> None:
    ingest(FIRST)
    world.remove(registry_items.assignments_key(Scope.EVSE, "BE*BEC*E041503001"))
    world.clock.advance(300)
    ingest(CHARGING)
    session = only(world)
    assert (session.rights, session.known_to) == (Rights(), frozenset({"jedlix"}))
    assert (session.version, session.last_updated) == (2, world.clock.now())


def test_an_assignment_given_in_mid_session_counts_from_the_next_event_on(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    world.put_assignment(replace(assignment(), partner_id="other", scope=Scope.TOKEN, key=CARD.uid))
    ingest(CHARGING)
    assert only(world).rights == Rights(frozenset({"jedlix", "other"}), "other")
    assert only(world).known_to == {"jedlix", "other"}


def test_an_assignment_ends_in_mid_session(world: World, ingest: Ingest) -> None:
    world.put_assignment(replace(assignment(), valid_until=world.clock.now() + timedelta(seconds=200)))
    ingest(FIRST)
    world.clock.advance(200)
    ingest(CHARGING)
    assert only(world).rights == Rights()


def test_an_event_that_changes_nothing_but_finds_other_rights_still_writes_them(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    world.remove(registry_items.assignments_key(Scope.EVSE, "BE*BEC*E041503001"))
    assert ingest(FIRST) is Ingested.CHANGED
    assert ingest(FIRST) is Ingested.UNCHANGED


def test_after_the_end_rights_stay_as_they_were(world: World, ingest: Ingest) -> None:
    for event_ in (FIRST, LAST):
        ingest(event_)
    world.remove(registry_items.assignments_key(Scope.EVSE, "BE*BEC*E041503001"))
    assert ingest(CHARGING) is Ingested.UNCHANGED
    assert only(world).rights.seen_by == {"jedlix"}


# --- Doubt about the profile that charge points follow -----------------------------------------------------------------

LIMIT = EventType.CHARGING_LIMIT_CHANGED


@pytest.mark.parametrize("kind", [LIMIT, EventType.STATION_BOOTED, EventType.STATION_ONLINE])
def test_what_may_change_the_profile_puts_it_in_doubt_and_shows_nothing_to_partners(
    world: World, ingest: Ingest, kind: EventType
) -> None:
    ingest(FIRST)
    told = only(world).last_updated
    world.clock.advance(60)
    ingest(event(kind, 60, connector_id=None))
    session = only(world)
    assert (session.profile_doubt_at, session.version, session.last_updated) == (world.clock.now(), 2, told)


def test_a_limit_of_another_connector_or_station_concerns_nobody_here(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    assert ingest(event(LIMIT, 60, connector_id=9)) is Ingested.NOT_USED
    assert ingest(event(LIMIT, 60, station_id="CP-404", connector_id=None)) is Ingested.NOT_USED
    assert only(world).profile_doubt_at is None


def test_a_limit_of_the_other_connector_leaves_this_one_alone(world: World, ingest: Ingest) -> None:
    world.put_station(station(evse_uids=("BE*BEC*E041503001", "BE*BEC*E041503002")))
    ingest(FIRST)
    ingest(replace(FIRST, connector_id=2, transaction_id="2"))
    assert ingest(event(LIMIT, 60, connector_id=2)) is Ingested.PROFILES_IN_DOUBT
    in_doubt = {one.evse_uid: one.profile_doubt_at is not None for one in world.stored_sessions()}
    assert in_doubt == {"BE*BEC*E041503001": False, "BE*BEC*E041503002": True}


def test_a_session_that_is_over_is_in_no_doubt(world: World, ingest: Ingest) -> None:
    for event_ in (FIRST, LAST):
        ingest(event_)
    assert ingest(event(LIMIT, 4000, connector_id=None)) is Ingested.NOT_USED
    assert only(world).profile_doubt_at is None


def test_a_doubt_that_meets_an_event_of_the_transaction_is_not_lost(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    world.clock.advance(60)
    with meanwhile(world.tables.client, lambda: ingest(CHARGING)):
        assert ingest(event(LIMIT, 60, connector_id=None)) is Ingested.PROFILES_IN_DOUBT
    assert (only(world).profile_doubt_at, only(world).kwh) == (world.clock.now(), Decimal("0.9"))


# --- Places that nobody knows ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unknown", "done"),
    [
        (replace(FIRST, station_id="CP-404"), Ingested.UNKNOWN_STATION),
        (replace(FIRST, csms_id="nobody"), Ingested.UNKNOWN_STATION),
        (replace(FIRST, connector_id=9), Ingested.UNKNOWN_CONNECTOR),
        (replace(FIRST, connector_id=None), Ingested.UNKNOWN_CONNECTOR),
    ],
)
def test_an_event_of_an_unknown_place_is_told_and_not_kept(
    world: World, ingest: Ingest, unknown: StationEvent, done: Ingested
) -> None:
    assert ingest(unknown) is done
    assert done.lost
    assert world.tables.items(world.tables.sessions) == []


def test_a_later_event_need_not_name_the_connector_again(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    assert ingest(replace(CHARGING, connector_id=None)) is Ingested.CHANGED


def test_the_evse_of_ocpp_201_decides_whose_session_it_is(world: World, ingest: Ingest) -> None:
    evses = tuple(
        Evse(f"E{number}", (Connector("1", 1, PowerType.AC_3_PHASE, 230, 32),), ocpp_evse_id=number)
        for number in (1, 2)
    )
    world.put_station(replace(world.station, ocpp_version=OcppVersion.V201, evses=evses))
    ingest(replace(FIRST, evse_id=2))
    assert only(world).evse_uid == "E2"


# --- Station states --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "online"),
    [(EventType.STATION_BOOTED, True), (EventType.STATION_ONLINE, True), (EventType.STATION_OFFLINE, False)],
)
def test_a_station_tells_whether_it_is_there(
    world: World,
    ingest: Ingest,
    kind: EventType,
    online: bool,
) -> None:
    assert ingest(event(kind, 60)) is Ingested.STATION_STATE
    assert world.intake.surroundings("jedlix", world.open_session(), world.clock.now()).state.online is online


def test_an_older_state_does_not_replace_a_newer_one(world: World, ingest: Ingest) -> None:
    ingest(event(EventType.STATION_OFFLINE, 60))
    ingest(event(EventType.STATION_ONLINE, 59.999))
    session = world.open_session()
    assert world.intake.surroundings("jedlix", session, world.clock.now()).state.online is False
    ingest(event(EventType.STATION_ONLINE, 61))
    assert world.intake.surroundings("jedlix", session, world.clock.now()).state.online is True


def test_a_state_leaves_the_suspension_of_steering_alone(world: World, ingest: Ingest) -> None:
    world.set_state(steering_suspended=True)
    ingest(event(EventType.STATION_ONLINE))
    assert world.intake.surroundings("jedlix", world.open_session(), world.clock.now()).state.steering_suspended is True


# --- Others at the same instant --------------------------------------------------------------------------------------


def test_two_events_at_once_open_one_session(world: World, ingest: Ingest) -> None:
    with meanwhile(world.tables.client, lambda: ingest(CHARGING)):
        assert ingest(FIRST) is Ingested.CHANGED
    assert (only(world).start, only(world).kwh, only(world).version) == (START, Decimal("0.9"), 2)


def test_two_events_at_once_both_count(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    with meanwhile(world.tables.client, lambda: ingest(CHARGING)):
        ingest(QUARTER)
    assert (only(world).version, only(world).kwh, only(world).periods) == (3, Decimal("3.6"), 1)


def test_two_events_that_close_a_period_at_once_close_it_once(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    with meanwhile(world.tables.client, lambda: ingest(QUARTER)):
        ingest(LAST)
    periods = world.pushes.periods(only(world).session_id, after=0)
    assert [period.index for period in periods] == [1, 2]
    assert sum(period.energy for period in periods) == only(world).kwh


def test_two_workers_with_two_events_of_a_new_transaction_see_one_car(world: World, ingest: Ingest) -> None:
    with meanwhile(world.tables.client, lambda: ingest(FIRST), "Query"):
        assert ingest(CHARGING) is Ingested.CHANGED
    assert (only(world).superseded_at, only(world).steerable) == (None, True)


def test_a_conflict_of_writers_is_waited_out(world: World, ingest: Ingest) -> None:
    with conflicts(world.tables.client, 2):
        assert ingest(FIRST) is Ingested.CREATED


def test_writers_that_are_always_faster_are_an_honest_error(world: World, ingest: Ingest) -> None:
    ingest(FIRST)
    steps = iter(range(1, 100))

    def another_event() -> None:
        ingest(event(UPDATED, next(steps), token=IdToken("x")))

    rivals = meanwhile(world.tables.client, another_event, "PutItem", times=WRITE_ATTEMPTS)
    with rivals, pytest.raises(Contended):
        ingest(CHARGING)
    assert only(world).kwh == 0
