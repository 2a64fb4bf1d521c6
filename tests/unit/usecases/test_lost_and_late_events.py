"""Ends that never come or come first, transaction ids that begin again, clocks that are wrong: each in its own session."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations

import pytest

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import ChargingState, EventType, IdToken, SessionStatus, StationEvent
from ocpi_bridge.domain.learning import LEARNED_FOR
from ocpi_bridge.domain.session_course import CLOCK_TOLERANCE, GRACE
from ocpi_bridge.domain.stations import Capabilities
from ocpi_bridge.usecases.ingest_event import FURTHEST_AHEAD, FURTHEST_BACK, IngestEvent
from ocpi_bridge.usecases.ingested import Ingested
from tests.support.clocks import START
from tests.support.ingestion import TWO, Ingestion, newer_station
from tests.support.world import CARD, event

STARTED, UPDATED, ENDED = (
    EventType.TRANSACTION_STARTED,
    EventType.TRANSACTION_UPDATED,
    EventType.TRANSACTION_ENDED,
)
FIRST = event(STARTED, 0, meter="1000", token=CARD)
CHARGING = event(UPDATED, 600, meter="2900", power="11000", current=("16", "16", "16"))
LAST = event(ENDED, 3600, meter="5700")
HOUR = timedelta(hours=1)
OTHER_CARD = IdToken("04DD")


def next_car(seconds: float = 7200, **changes: object) -> StationEvent:
    """The start of another car's transaction at the same connector."""
    first = event(STARTED, seconds, meter="9000", token=OTHER_CARD, transaction_id="779")
    return replace(first, **changes)  # type: ignore[arg-type]


def after(base: StationEvent, seconds: float, **changes: object) -> StationEvent:
    return replace(base, time=base.time + timedelta(seconds=seconds), **changes)  # type: ignore[arg-type]


@pytest.fixture
def bridge() -> Ingestion:
    return Ingestion()


# --- An end that comes before what it ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations([FIRST, CHARGING, LAST])))
def test_an_end_in_any_order_ends_the_whole_session(bridge: Ingestion, order: tuple[StationEvent, ...]) -> None:
    bridge(*order, *order)
    session = bridge.only
    told = (session.status, session.start, session.end, session.kwh, session.token)
    assert told == (SessionStatus.COMPLETED, START, LAST.time, Decimal("4.7"), CARD)
    assert sum(period.energy for period in bridge.store.periods(session.session_id)) == session.kwh


def test_an_end_whose_start_is_missing_waits_for_it_and_nothing_can_be_steered_meanwhile(bridge: Ingestion) -> None:
    bridge(CHARGING, LAST)
    session = bridge.only
    assert (session.status, session.steerable, session.over) == (SessionStatus.ACTIVE, False, False)
    assert (session.superseded_at, session.closes_at) == (LAST.time, START + GRACE)


def test_an_end_whose_start_never_comes_is_taken_after_the_grace(bridge: Ingestion) -> None:
    bridge(CHARGING, LAST)
    assert bridge.wait(GRACE - timedelta(seconds=1)) == []
    assert bridge.wait(timedelta(seconds=1)) == [Ingested.CHANGED]
    session = bridge.only
    assert (session.status, session.start, session.end) == (SessionStatus.COMPLETED, CHARGING.time, LAST.time)
    assert session.kwh == Decimal("2.8")
    assert bridge.sweep() == []


def test_an_end_that_waits_waits_no_longer_for_being_told_again_with_another_time(bridge: Ingestion) -> None:
    bridge(CHARGING, LAST)
    bridge.clock.advance(600)
    bridge(after(LAST, 60))
    assert (bridge.only.ended_at, bridge.only.closes_at) == (LAST.time, START + GRACE)


def test_a_session_that_is_known_for_long_waits_for_no_start(bridge: Ingestion) -> None:
    bridge(CHARGING)
    bridge.wait(GRACE)
    bridge(LAST)
    assert bridge.only.status is SessionStatus.COMPLETED


def test_an_end_without_a_register_waits_for_the_last_readings(bridge: Ingestion) -> None:
    bridge(FIRST, replace(LAST, reading=FIRST.reading.__class__()))
    assert bridge.only.status is SessionStatus.ACTIVE
    bridge(after(LAST, -60, type=UPDATED))
    bridge.wait(GRACE)
    assert (bridge.only.status, bridge.only.kwh) == (SessionStatus.COMPLETED, Decimal("4.7"))


def test_an_end_with_start_and_register_is_told_at_once(bridge: Ingestion) -> None:
    bridge(FIRST, LAST)
    assert bridge.only.status is SessionStatus.COMPLETED


def test_what_an_end_that_waits_shows_does_not_hide_that_the_car_was_parked(bridge: Ingestion) -> None:
    parked = replace(CHARGING, charging_state=ChargingState.SUSPENDED_EV)
    bridge(parked, replace(LAST, charging_state=ChargingState.IDLE), FIRST)
    assert [one.parking for one in bridge.store.periods(bridge.only.session_id)] == [Decimal(1)]


def test_what_comes_after_the_end_changes_nothing(bridge: Ingestion) -> None:
    bridge(FIRST, LAST)
    ended = bridge.only
    assert bridge(CHARGING, FIRST, LAST, after(LAST, 600, type=UPDATED)) == [Ingested.UNCHANGED] * 4
    assert bridge.only == ended


# --- An end that never comes -------------------------------------------------------------------------------------------


def test_another_car_at_the_connector_ends_the_steering_at_once_and_the_session_after_the_grace(
    bridge: Ingestion,
) -> None:
    bridge(FIRST, CHARGING)
    bridge.until(next_car().time)
    version = bridge.only.version
    bridge(next_car())
    old = bridge.of("778")
    assert (old.status, old.steerable, old.superseded_at) == (SessionStatus.ACTIVE, False, next_car().time)
    # Whoever watches it wakes by the write.
    assert old.version == version + 1
    assert bridge.of("779").steerable
    assert bridge.wait(GRACE - timedelta(seconds=1)) == []
    bridge.wait(timedelta(seconds=1))
    old = bridge.of("778")
    assert (old.status, old.end, old.kwh) == (SessionStatus.COMPLETED, next_car().time, Decimal("1.9"))
    assert bridge.of("779").status is SessionStatus.ACTIVE


def test_an_end_that_comes_within_the_grace_is_the_end(bridge: Ingestion) -> None:
    bridge(FIRST, next_car(), LAST)
    assert (bridge.of("778").status, bridge.of("778").end) == (SessionStatus.COMPLETED, LAST.time)
    assert bridge.wait(HOUR) == []


def test_the_first_car_that_was_seen_counts(bridge: Ingestion) -> None:
    bridge.until(START + 3 * HOUR)
    bridge(FIRST, next_car(), next_car(9000, transaction_id="780"))
    assert [one.superseded_at for one in bridge.in_order] == [next_car().time, next_car(9000).time, None]
    assert bridge.of("778").version == 2


def test_an_update_of_another_transaction_shows_another_car_too(bridge: Ingestion) -> None:
    bridge(FIRST, next_car(type=UPDATED))
    assert not bridge.of("778").steerable


def test_a_car_at_another_connector_takes_nobodys_place(bridge: Ingestion) -> None:
    bridge(FIRST, next_car(connector_id=2))
    assert bridge.of("778").steerable
    assert (bridge.of("779").evse_uid, bridge.of("779").steerable) == (TWO, True)


def test_a_car_at_another_connector_of_one_evse_is_another_car_in_16_and_the_next_one_in_201(
    bridge: Ingestion,
) -> None:
    bridge.store.put_station(newer_station(connectors=2))
    bridge(replace(FIRST, evse_id=1), next_car(evse_id=1, connector_id=2))
    assert not bridge.of("778").steerable
    older = Ingestion()
    one_evse = newer_station(connectors=2)
    older.store.put_station(
        replace(older.store.stations["acme", "CP-001"], evses=(replace(one_evse.evses[0], ocpp_evse_id=None),))
    )
    older(FIRST, next_car(connector_id=2))
    assert older.of("778").steerable


@pytest.mark.parametrize("ended", [False, True], ids=["running", "over"])
def test_a_session_that_is_heard_of_after_the_next_car_came_was_left(bridge: Ingestion, ended: bool) -> None:
    bridge.until(START + 3 * HOUR)
    bridge(next_car())
    if ended:
        bridge(event(ENDED, 3 * 3600, meter="9900", transaction_id="779"))
        assert bridge.of("779").over
    bridge(FIRST, CHARGING)
    old = bridge.of("778")
    assert (old.steerable, old.superseded_at) == (False, next_car().time)
    bridge.wait(GRACE)
    assert (bridge.of("778").status, bridge.of("778").kwh) == (SessionStatus.COMPLETED, Decimal("1.9"))


def test_a_session_that_goes_on_after_the_next_car_was_seen_was_not_left(bridge: Ingestion) -> None:
    bridge.until(START + 3 * HOUR)
    bridge(FIRST, next_car(600))
    assert not bridge.of("778").steerable
    bridge(event(UPDATED, 600 + CLOCK_TOLERANCE.total_seconds(), meter="3000"))
    assert not bridge.of("778").steerable
    bridge(event(UPDATED, 601 + CLOCK_TOLERANCE.total_seconds(), meter="3100"))
    assert bridge.of("778").steerable
    bridge.wait(HOUR)
    assert bridge.of("778").status is SessionStatus.ACTIVE


def test_a_start_that_is_still_to_come_takes_nobodys_place_away(bridge: Ingestion) -> None:
    bridge(next_car(8 * 3600))
    bridge(FIRST)
    assert bridge.of("778").steerable


def test_the_old_session_is_marked_though_writers_meet(bridge: Ingestion, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge.until(next_car().time)
    bridge(FIRST)
    update = bridge.store.update
    calls = iter([True, False])

    def beaten(*args: object) -> bool:
        if next(calls, False):
            bridge(CHARGING)
        return update(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bridge.store, "update", beaten)
    assert bridge(next_car()) == [Ingested.CREATED]
    assert (bridge.of("778").superseded_at, bridge.of("778").kwh) == (next_car().time, Decimal("1.9"))


# --- Transaction ids that begin again ------------------------------------------------------------------------------------

AGAIN = next_car(transaction_id="778")


def test_a_start_after_the_end_begins_another_session_wherever_it_is(bridge: Ingestion) -> None:
    assert bridge(FIRST, LAST, replace(AGAIN, connector_id=2))[-1] is Ingested.CREATED
    assert [one.status for one in bridge.in_order] == [SessionStatus.COMPLETED, SessionStatus.ACTIVE]


def test_a_start_whose_predecessor_never_ended_is_another_session_too(bridge: Ingestion) -> None:
    bridge.until(AGAIN.time)
    assert bridge(FIRST, CHARGING, AGAIN)[-1] is Ingested.CREATED
    old, new = bridge.in_order
    assert (old.steerable, new.steerable, new.token) == (False, True, OTHER_CARD)
    bridge.wait(GRACE)
    old, new = bridge.in_order
    assert (old.status, old.end, old.kwh) == (SessionStatus.COMPLETED, AGAIN.time, Decimal("1.9"))
    assert (new.status, new.kwh) == (SessionStatus.ACTIVE, Decimal(0))


def test_a_predecessor_that_never_ended_is_left_wherever_its_id_begins_again(bridge: Ingestion) -> None:
    bridge.until(AGAIN.time)
    bridge(FIRST, replace(AGAIN, connector_id=2))
    assert [one.steerable for one in bridge.in_order] == [False, True]


def test_a_start_that_is_told_again_with_another_time_is_no_other_session(bridge: Ingestion) -> None:
    bridge(FIRST, after(FIRST, 3600), after(FIRST, 60, id_token=None))
    assert bridge.only.start == START


def test_late_events_of_the_old_transaction_stay_with_it(bridge: Ingestion) -> None:
    bridge.until(AGAIN.time)
    bridge(FIRST, AGAIN)
    before = bridge.in_order[1]
    assert bridge(CHARGING, LAST) == [Ingested.CHANGED, Ingested.CHANGED]
    old, new = bridge.in_order
    assert (old.status, old.end, old.kwh, old.phases) == (SessionStatus.COMPLETED, LAST.time, Decimal("4.7"), 3)
    assert new == before
    assert bridge(CHARGING, LAST) == [Ingested.UNCHANGED] * 2


def test_late_events_of_the_old_transaction_stay_with_it_though_the_next_start_was_lost(bridge: Ingestion) -> None:
    bridge(FIRST, LAST, next_car(type=UPDATED, transaction_id="778"))
    before = bridge.in_order[1]
    assert bridge(CHARGING) == [Ingested.UNCHANGED]
    assert bridge.in_order[1] == before


def test_an_update_long_after_the_end_is_of_another_transaction_whose_start_was_lost(bridge: Ingestion) -> None:
    bridge(FIRST, LAST)
    assert bridge(after(LAST, GRACE.total_seconds(), type=UPDATED)) == [Ingested.UNCHANGED]
    assert bridge(after(LAST, GRACE.total_seconds() + 1, type=UPDATED)) == [Ingested.CREATED]


def test_an_old_event_with_a_lower_register_belongs_to_a_transaction_that_nobody_knows(bridge: Ingestion) -> None:
    bridge(AGAIN)
    before = bridge.only
    assert bridge(LAST) == [Ingested.FORMER_TRANSACTION]
    assert Ingested.FORMER_TRANSACTION.lost
    assert bridge.only == before


def test_a_clock_that_was_set_back_during_the_session_takes_nothing_from_it(bridge: Ingestion) -> None:
    bridge(AGAIN, event(UPDATED, 600, meter="9500"), event(ENDED, 3600, meter="9900"))
    assert (bridge.only.status, bridge.only.kwh) == (SessionStatus.COMPLETED, Decimal("0.9"))


# --- Clocks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [STARTED, EventType.STATION_OFFLINE])
def test_an_event_of_a_clock_that_is_not_set_is_refused(bridge: Ingestion, kind: EventType) -> None:
    ahead, back = (START + FURTHEST_AHEAD, START - FURTHEST_BACK)
    second = timedelta(seconds=1)
    for wrong in (ahead + second, back - second):
        assert bridge(event(kind, (wrong - START).total_seconds())) == [Ingested.IMPLAUSIBLE_TIME]
    assert (bridge.store.writes, bridge.states.state("acme", "CP-001").online) == (0, None)
    assert bridge(event(kind, (ahead - START).total_seconds())) != [Ingested.IMPLAUSIBLE_TIME]
    assert bridge(event(kind, (back - START).total_seconds())) != [Ingested.IMPLAUSIBLE_TIME]
    assert Ingested.IMPLAUSIBLE_TIME.lost


# --- Sessions that the CSMS names --------------------------------------------------------------------------------------


def named(first: StationEvent, status: SessionStatus | None, **changes: object) -> StationEvent:
    told = replace(first, session_id="Sess-1", transaction_id="Sess-1", transaction_known=False, told_status=status)
    return replace(told, **changes)  # type: ignore[arg-type]


def test_the_name_that_a_csms_gives_is_the_sessions_id(bridge: Ingestion) -> None:
    bridge(named(FIRST, SessionStatus.ACTIVE))
    bridge(named(CHARGING, SessionStatus.ACTIVE, session_id="SESS-1", connector_id=None))
    session = bridge.only
    assert (session.session_id, session.kwh, session.steerable) == ("Sess-1", Decimal("1.9"), False)


def test_a_transaction_that_is_known_later_can_be_steered_and_found_from_then_on(bridge: Ingestion) -> None:
    bridge(named(FIRST, SessionStatus.ACTIVE), named(CHARGING, None, transaction_id="778", transaction_known=True))
    assert (bridge.only.transaction_id, bridge.only.steerable) == ("778", True)
    assert bridge(event(UPDATED, 900, meter="3500")) == [Ingested.CHANGED]
    bridge(named(after(CHARGING, 60), None))
    assert (bridge.only.transaction_id, bridge.only.transaction_known) == ("778", True)


def test_what_the_csms_says_of_its_session_counts_and_goes_only_forward(bridge: Ingestion) -> None:
    words = ["RESERVATION", "ACTIVE", "PENDING", "INVALID", "ACTIVE"]
    seen = []
    for minute, word in enumerate(words):
        bridge(named(after(FIRST, 60 * minute), SessionStatus(word), type=UPDATED))
        seen.append((bridge.only.status.value, bridge.only.steerable))
    assert seen == [(word, False) for word in ("RESERVATION", "ACTIVE", "ACTIVE", "INVALID", "INVALID")]
    assert (bridge.only.start, bridge.only.end) == (START + timedelta(minutes=1), START + timedelta(minutes=3))


def test_an_end_that_the_csms_tells_of_its_session_waits_for_nothing(bridge: Ingestion) -> None:
    bridge(named(LAST, SessionStatus.COMPLETED))
    assert bridge.only.status is SessionStatus.COMPLETED


def test_a_reservation_takes_nobodys_place(bridge: Ingestion) -> None:
    bridge(FIRST, named(after(FIRST, 600), SessionStatus.RESERVATION))
    assert bridge.of("778").steerable
    bridge(next_car())
    assert bridge.store.sessions["sess-1"].superseded_at is None


def test_a_session_of_another_csms_is_not_touched(bridge: Ingestion) -> None:
    bridge(named(FIRST, SessionStatus.ACTIVE))
    before = bridge.only
    assert bridge(named(CHARGING, None, csms_id="other", session_id="SESS-1")) == [Ingested.SESSION_ID_TAKEN]
    assert bridge.only == before
    assert Ingested.SESSION_ID_TAKEN.lost


def test_a_transaction_that_two_doors_tell_of_is_one_session(bridge: Ingestion) -> None:
    bridge(FIRST)
    bridge(named(CHARGING, SessionStatus.ACTIVE, transaction_id="778", transaction_known=True))
    assert bridge.only.kwh == Decimal("1.9")


def test_a_name_that_is_new_for_a_transaction_that_is_over_is_another_session(bridge: Ingestion) -> None:
    bridge(FIRST, LAST)
    assert bridge(named(CHARGING, None, transaction_id="778", transaction_known=True)) == [Ingested.CREATED]


@pytest.mark.parametrize(
    ("changes", "done"),
    [
        ({"evse_uid": TWO.lower(), "outlet_id": "1"}, Ingested.CREATED),
        ({"evse_uid": TWO}, Ingested.CREATED),
        ({"evse_uid": TWO, "outlet_id": "9"}, Ingested.UNKNOWN_CONNECTOR),
        ({"evse_uid": "E9"}, Ingested.UNKNOWN_CONNECTOR),
    ],
)
def test_a_place_may_be_told_by_its_ids_of_ocpi(bridge: Ingestion, changes: dict[str, object], done: Ingested) -> None:
    assert bridge(named(FIRST, None, connector_id=None, **changes)) == [done]
    assert [one.evse_uid for one in bridge.in_order] == ([TWO] if done is Ingested.CREATED else [])


# --- PENDING -----------------------------------------------------------------------------------------------------------

PLUGGED = replace(FIRST, evse_id=1, id_token=None, charging_state=ChargingState.EV_CONNECTED)
AUTHORIZED = replace(event(UPDATED, 90, token=CARD, evse_id=1), charging_state=ChargingState.EV_CONNECTED)
FLOWING = replace(CHARGING, evse_id=1, charging_state=ChargingState.CHARGING)
UNPLUGGED = replace(LAST, evse_id=1, charging_state=ChargingState.IDLE)


@pytest.fixture
def newer(bridge: Ingestion) -> Ingestion:
    bridge.store.put_station(newer_station())
    return bridge


def test_a_cable_without_a_card_is_pending_and_begins_with_the_card(newer: Ingestion) -> None:
    newer(PLUGGED)
    assert (newer.only.status, newer.only.start, newer.only.steerable) == (SessionStatus.PENDING, START, False)
    newer(AUTHORIZED)
    assert (newer.only.status, newer.only.start) == (SessionStatus.ACTIVE, AUTHORIZED.time)


def test_a_cable_after_the_card_is_active_at_once(newer: Ingestion) -> None:
    newer(replace(PLUGGED, id_token=CARD))
    assert (newer.only.status, newer.only.start) == (SessionStatus.ACTIVE, START)


@pytest.mark.parametrize("order", list(permutations([PLUGGED, AUTHORIZED, FLOWING, UNPLUGGED])))
def test_the_card_decides_the_start_in_any_order(newer: Ingestion, order: tuple[StationEvent, ...]) -> None:
    newer(*order)
    newer.wait(GRACE)
    session = newer.only
    told = (session.status, session.start, session.end, session.token, session.kwh)
    assert told == (SessionStatus.COMPLETED, AUTHORIZED.time, UNPLUGGED.time, CARD, Decimal("4.7"))


def test_a_cable_that_is_pulled_before_a_card_is_shown_was_no_session(newer: Ingestion) -> None:
    newer(PLUGGED)
    newer.wait(GRACE)
    newer(replace(UNPLUGGED, reading=PLUGGED.reading))
    assert newer.only.status is SessionStatus.INVALID


# --- Learning what a station can take ------------------------------------------------------------------------------------


def test_a_new_session_that_a_partner_steers_has_its_station_asked(bridge: Ingestion) -> None:
    bridge(FIRST, CHARGING)
    assert [one.transaction_id for one in bridge.learned] == ["778"]


def test_nobody_is_asked_for_a_session_that_nobody_steers_or_that_is_over(bridge: Ingestion) -> None:
    bridge(replace(FIRST, connector_id=2), named(LAST, SessionStatus.COMPLETED))
    assert bridge.learned == []


@pytest.mark.parametrize(("age", "asked"), [(LEARNED_FOR, 0), (LEARNED_FOR + timedelta(seconds=1), 1)])
def test_a_station_that_has_told_of_late_is_not_asked(bridge: Ingestion, age: timedelta, asked: int) -> None:
    bridge.states.learned("acme", "CP-001", Capabilities(), START - age)
    bridge(FIRST)
    assert len(bridge.learned) == asked


def test_a_csms_whose_stations_are_not_to_be_asked_has_none_asked(bridge: Ingestion) -> None:
    bridge.store.csmss["acme"] = replace(bridge.store.csmss["acme"], asks_capabilities=False)
    bridge(FIRST)
    assert bridge.learned == []


def test_asking_that_fails_does_not_fail_the_event(bridge: Ingestion) -> None:
    def busy(session: object) -> None:
        raise Contended("busy")

    assert IngestEvent(bridge.store, bridge.states, bridge.clock, busy)(FIRST) is Ingested.CREATED
    assert bridge.only.steerable
