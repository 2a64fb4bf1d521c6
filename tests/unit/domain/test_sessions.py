"""Sessions from events: in order, out of order, twice. Energy never falls, phases stay, ended is final."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.charging_periods import PERIOD_LENGTH
from ocpi_bridge.domain.events import ChargingState, EventType, IdToken, SessionStatus, StationEvent
from ocpi_bridge.domain.profile_ids import PLACES_PER_STATION, profile_id
from ocpi_bridge.domain.session_course import advance
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.stations import Connector, Evse, OcppVersion, PowerType, ProfileIdRange, Station
from tests.support.clocks import START
from tests.support.registry_entries import csms
from tests.support.world import CARD, event, session_of

STARTED, UPDATED, ENDED = (
    EventType.TRANSACTION_STARTED,
    EventType.TRANSACTION_UPDATED,
    EventType.TRANSACTION_ENDED,
)
# A transaction of an hour: it charges, pauses, charges on. Wh on the register, W, A per phase.
HOUR = (
    event(STARTED, 0, meter="1000", token=CARD),
    event(UPDATED, 300, meter="1900", power="11000", current=("16", "16", "16")),
    event(UPDATED, 1200, meter="4600", power="11000", current=("16", "16", "16")),
    event(UPDATED, 1300, meter="4600", power="0", current=("0", "0", "0")),
    event(UPDATED, 2400, meter="4600", power="0", current=("0", "0", "0")),
    event(UPDATED, 3000, meter="5100", power="3680", current=("16", "0.2", "0")),
    event(ENDED, 3600, meter="5700"),
)


def after(events: Iterable[StationEvent]) -> tuple[Session, list[ChargingPeriod]]:
    """The session that events add up to, with the periods that it closed on the way."""
    first, *rest = events
    session, periods = session_of(first), list[ChargingPeriod]()
    if first.type is ENDED:
        session, _ = advanced(session, first)
    for later in rest:
        session, period = advanced(session, later)
        periods += [period] if period is not None else []
    return session, periods


def advanced(session: Session, event: StationEvent) -> tuple[Session, ChargingPeriod | None]:
    return advance(session, event, event.time) or (session, None)


# --- In order --------------------------------------------------------------------------------------------------------


def test_a_transaction_adds_up_to_a_session() -> None:
    session, _ = after(HOUR)
    assert (session.status, session.start, session.end) == (
        SessionStatus.COMPLETED,
        START,
        START + timedelta(hours=1),
    )
    assert (session.kwh, session.phases, session.token) == (Decimal("4.7"), 3, CARD)


def test_each_event_that_says_something_new_is_a_new_version() -> None:
    session, _ = after(HOUR)
    assert session.version == len(HOUR)


def test_a_session_without_any_reading_has_charged_nothing() -> None:
    session, periods = after([event(STARTED, 0), event(UPDATED, 1800), event(ENDED, 3600)])
    assert session.kwh == 0
    assert periods == []


def test_the_session_takes_what_the_registry_knows_of_its_place() -> None:
    session = session_of(HOUR[0])
    assert (session.country_code, session.party_id) == ("NL", "ACM")
    assert (session.location_id, session.evse_uid, session.connector_id, session.currency) == (
        "LOC1",
        "BE*BEC*E041503001",
        "1",
        "EUR",
    )


def test_the_same_start_opens_the_same_session_however_often_it_is_reported() -> None:
    assert session_of(HOUR[0]).session_id == session_of(HOUR[0]).session_id
    later = replace(HOUR[0], time=START + timedelta(days=1))
    assert session_of(later).session_id != session_of(HOUR[0]).session_id
    assert len(session_of(HOUR[0]).session_id) <= 36


def test_a_charging_state_is_kept_until_another_one_comes() -> None:
    charging = replace(HOUR[1], charging_state=ChargingState.CHARGING)
    paused = replace(HOUR[3], charging_state=ChargingState.SUSPENDED_EVSE)
    assert after([HOUR[0], charging, HOUR[2]])[0].charging_state is ChargingState.CHARGING
    assert after([HOUR[0], charging, HOUR[2], paused])[0].charging_state is ChargingState.SUSPENDED_EVSE


def test_last_updated_never_goes_back() -> None:
    session = replace(session_of(HOUR[0]), last_updated=START + timedelta(hours=2))
    assert advanced(session, HOUR[1])[0].last_updated == START + timedelta(hours=2)


# --- Out of order ----------------------------------------------------------------------------------------------------


def summary(session: Session) -> tuple[object, ...]:
    """What the partner is told, and what a plan is calculated from."""
    return (session.status, session.start, session.end, session.kwh, session.phases, session.token, session.soc)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_shuffled_events_add_up_to_the_same_session(order: tuple[int, ...]) -> None:
    *running, ended = HOUR[:4] + HOUR[-1:]
    session, periods = after([*(running[index] for index in order), ended])
    assert summary(session) == summary(after([*running, ended])[0])
    assert sum(period.energy for period in periods) == session.kwh


@pytest.mark.parametrize("place", range(1, len(HOUR)))
def test_the_end_may_overtake_what_came_before_it(place: int) -> None:
    events = list(HOUR[:-1])
    events.insert(place, HOUR[-1])
    session, _ = after(events)
    assert session.status is SessionStatus.COMPLETED
    assert session.kwh == Decimal("4.7")


def test_events_that_come_twice_change_nothing_the_second_time() -> None:
    for event_ in HOUR[:-1]:
        upto = [known for known in HOUR if known.time <= event_.time]
        session, _ = after(upto)
        assert advance(session, event_, START + timedelta(days=1)) is None


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(HOUR[1:-1]), max_size=6))
def test_energy_and_phases_do_not_depend_on_order_or_repetition(
    shuffler: random.Random, again: list[StationEvent]
) -> None:
    events = [*HOUR[:-1], *again]
    shuffler.shuffle(events)
    session, periods = after([*events, HOUR[-1]])
    assert (session.kwh, session.phases, session.start) == (Decimal("4.7"), 3, START)
    assert sum(period.energy for period in periods) == session.kwh


@given(st.permutations(HOUR[:-1]))
def test_energy_never_falls_and_never_comes_back(events: Sequence[StationEvent]) -> None:
    steps = [after(events[: count + 1])[0].kwh for count in range(len(events))]
    assert all(later >= earlier for earlier, later in pairwise(steps))


def test_an_older_event_does_not_turn_the_reading_back() -> None:
    newest = after([HOUR[0], HOUR[2]])[0]
    session, period = advanced(newest, replace(HOUR[1], charging_state=ChargingState.IDLE))
    assert (session.power_w, session.current_a, session.last_event_at) == (
        newest.power_w,
        newest.current_a,
        newest.last_event_at,
    )
    assert period is None


def test_an_event_of_the_same_second_as_the_newest_still_counts() -> None:
    same_second = event(UPDATED, 300, power="0", soc="42")
    session, _ = advanced(after(HOUR[:2])[0], same_second)
    assert (session.power_w, session.soc) == (Decimal(0), Decimal(42))


def test_a_start_that_is_later_than_what_was_seen_does_not_move_the_session() -> None:
    session, _ = advanced(session_of(HOUR[0]), replace(HOUR[0], time=START + timedelta(seconds=30)))
    assert session.start == START


def test_a_start_that_comes_late_tells_when_and_who() -> None:
    opened = session_of(HOUR[1])
    session, _ = advanced(opened, replace(HOUR[0], auth_method="AUTH_REQUEST"))
    assert (session.start, session.token, session.auth_method) == (START, CARD, "AUTH_REQUEST")
    assert session.session_id == opened.session_id


@pytest.mark.parametrize("order", [1, -1])
def test_a_reading_of_a_clock_that_runs_behind_does_not_move_the_start(order: int) -> None:
    session, _ = after([HOUR[0], event(UPDATED, -2, meter="1000")][::order])
    assert session.start == START


def test_the_first_token_stays() -> None:
    session, _ = advanced(session_of(HOUR[0]), replace(HOUR[1], id_token=IdToken("other")))
    assert session.token == CARD


# --- Ended is final --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", HOUR)
def test_nothing_changes_a_session_that_ended(late: StationEvent) -> None:
    ended, _ = after(HOUR)
    more = replace(late, time=START + timedelta(hours=9), reading=replace(late.reading, meter_wh=Decimal(99_999)))
    assert advance(ended, more, START + timedelta(hours=9)) is None


def test_an_end_before_the_newest_event_still_ends_the_session() -> None:
    session, _ = after([HOUR[0], HOUR[2], replace(HOUR[-1], time=HOUR[1].time)])
    assert (session.status, session.end) == (SessionStatus.COMPLETED, HOUR[1].time)
    assert session.last_event_at == HOUR[2].time


def test_a_session_never_ends_before_it_started() -> None:
    session, _ = after([HOUR[0], replace(HOUR[-1], time=START - timedelta(seconds=5))])
    assert session.end == START


def test_energy_that_an_old_end_brings_is_told_with_it() -> None:
    end = replace(HOUR[-1], time=HOUR[1].time)
    session, periods = after([HOUR[0], HOUR[2], end])
    assert sum(period.energy for period in periods) == session.kwh == Decimal("4.7")
    assert (periods[-1].start, periods[-1].end, periods[-1].power) == (HOUR[2].time, HOUR[2].time, Decimal(0))


@pytest.mark.parametrize(
    ("reason", "meter", "status"),
    [
        ("DeAuthorized", "1000", SessionStatus.INVALID),
        ("DeAuthorized", "1100", SessionStatus.COMPLETED),
        ("Remote", "1000", SessionStatus.COMPLETED),
        (None, "1000", SessionStatus.COMPLETED),
    ],
)
def test_a_session_that_was_refused_and_charged_nothing_is_invalid(
    reason: str | None, meter: str, status: SessionStatus
) -> None:
    end = replace(event(ENDED, 60, meter=meter), stop_reason=reason)
    assert after([HOUR[0], end])[0].status is status


# --- The register ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["0", "999", "500"])
def test_a_register_that_falls_in_mid_session_adds_nothing(bad: str) -> None:
    session, _ = after([HOUR[0], HOUR[1], event(UPDATED, 600, meter=bad), HOUR[2]])
    assert (session.meter_start_wh, session.kwh) == (Decimal(1000), Decimal("3.6"))


def test_a_lower_register_that_was_read_earlier_shows_what_was_charged_before() -> None:
    session, _ = after([HOUR[2], HOUR[1]])
    assert (session.meter_start_wh, session.kwh) == (Decimal(1900), Decimal("2.7"))


def test_the_starts_own_register_counts_whatever_its_clock_says() -> None:
    session, _ = after([HOUR[1], replace(HOUR[0], time=START + timedelta(seconds=400))])
    assert session.kwh == Decimal("0.9")


def test_a_start_that_shows_more_than_was_read_takes_no_energy_back() -> None:
    session, _ = after([HOUR[1], HOUR[2], replace(HOUR[0], reading=replace(HOUR[0].reading, meter_wh=Decimal(2500)))])
    assert session.kwh == Decimal("2.7")


# --- Phases ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "phases"),
    [
        (("16", "16", "16"), 3),
        (("16", "0.2", "0"), 1),
        (("16", "15.5"), 2),
        (("16",), 1),
        (("1", "1", "1"), None),
        (("0", "0", "0"), None),
        ((), None),
    ],
)
def test_phases_are_those_that_carry_more_than_an_ampere(current: tuple[str, ...], phases: int | None) -> None:
    assert after([HOUR[0], event(UPDATED, 60, current=current)])[0].phases == phases


def test_a_pause_does_not_take_the_phases_away() -> None:
    paused = event(UPDATED, 120, power="0", current=("0", "0", "0"))
    assert after([HOUR[0], HOUR[1], paused])[0].phases == 3


def test_the_most_phases_ever_seen_count() -> None:
    one = event(UPDATED, 60, current=("16", "0", "0"))
    two = event(UPDATED, 90, current=("16", "16", "0"))
    assert after([HOUR[0], one, two, replace(one, time=START + timedelta(seconds=120))])[0].phases == 2


# --- Charging periods ------------------------------------------------------------------------------------------------


def test_periods_are_closed_after_a_quarter_when_power_moves_and_at_the_end() -> None:
    _, periods = after(HOUR)
    assert [(period.end - START).total_seconds() for period in periods] == [1200, 1300, 2400, 3000, 3600]


def test_periods_follow_each_other_without_a_gap_and_add_up_to_the_session() -> None:
    session, periods = after(HOUR)
    assert [period.index for period in periods] == list(range(1, session.periods + 1))
    assert all(earlier.end == later.start for earlier, later in pairwise(periods))
    assert (periods[0].start, periods[-1].end) == (session.start, session.end)
    assert sum(period.energy for period in periods) == session.kwh


def test_a_period_tells_its_own_energy_and_mean_power() -> None:
    _, periods = after(HOUR)
    assert (periods[0].energy, periods[0].power) == (Decimal("3.6"), Decimal("10.8"))
    assert (periods[2].energy, periods[2].power) == (Decimal(0), Decimal(0))


def test_a_period_that_ends_with_a_pause_tells_the_current_before_it() -> None:
    _, periods = after(HOUR)
    assert [period.current for period in periods[:3]] == [48, 48, 0]


def test_a_period_tells_the_state_of_charge_at_its_end() -> None:
    _, periods = after([HOUR[0], event(UPDATED, 1000, meter="2000", soc="41"), HOUR[-1]])
    assert [period.soc for period in periods] == [41, 41]


PARKED, CHARGING, OUR_PAUSE = ChargingState.SUSPENDED_EV, ChargingState.CHARGING, ChargingState.SUSPENDED_EVSE


def in_state(seconds: float, state: ChargingState, meter: str) -> StationEvent:
    return replace(event(UPDATED, seconds, meter=meter), charging_state=state)


def test_parking_has_periods_of_its_own_from_its_beginning_to_its_end() -> None:
    _, periods = after(
        [
            HOUR[0],
            in_state(60, CHARGING, "1100"),
            in_state(360, PARKED, "1500"),
            in_state(720, CHARGING, "1500"),
            HOUR[-1],
        ]
    )
    told = [((one.end - START).total_seconds(), one.parking, one.time.quantize(Decimal("0.01"))) for one in periods]
    assert told == [(360, None, Decimal("0.10")), (720, Decimal("0.1"), Decimal(0)), (3600, None, Decimal("0.80"))]


def test_parking_at_the_end_is_parking_whatever_the_end_shows() -> None:
    _, periods = after([HOUR[0], in_state(1800, PARKED, "5700"), replace(HOUR[-1], charging_state=ChargingState.IDLE)])
    assert [one.parking for one in periods] == [None, Decimal("0.5")]


def test_our_own_pause_is_never_parking() -> None:
    _, periods = after([HOUR[0], in_state(60, OUR_PAUSE, "1000"), in_state(1000, OUR_PAUSE, "1000"), HOUR[-1]])
    assert [one.parking for one in periods] == [None, None]
    assert sum(one.time for one in periods) == 1


@pytest.mark.parametrize(("seconds", "closed"), [(899, 0), (900, 1)])
def test_a_period_lasts_a_quarter_while_the_power_stays(seconds: int, closed: int) -> None:
    assert timedelta(seconds=900) == PERIOD_LENGTH
    _, periods = after([HOUR[0], event(UPDATED, seconds, meter="2000", power="7000")])
    assert len(periods) == closed


@pytest.mark.parametrize(
    ("before", "later", "closed"),
    [("11000", "9900", 0), ("11000", "9899", 1), ("2000", "2500", 0), ("2000", "2501", 1), ("0", "501", 1)],
)
def test_a_move_of_power_counts_from_a_tenth_and_500_w_on(before: str, later: str, closed: int) -> None:
    events = [HOUR[0], event(UPDATED, 60, meter="1010", power=before), event(UPDATED, 120, meter="1020", power=later)]
    assert len(after(events)[1]) == closed


def test_readings_finer_than_a_wh_still_add_up() -> None:
    meters = [f"{1000 + quarter * Decimal('333.3335')}" for quarter in range(9)]
    events = [event(UPDATED, quarter * 900, meter=meter) for quarter, meter in enumerate(meters)]
    session, periods = after([replace(events[0], type=STARTED), *events[1:-1], replace(events[-1], type=ENDED)])
    assert len(periods) == 8
    assert sum(period.energy for period in periods) == session.kwh


def test_a_start_that_comes_late_belongs_to_the_first_period() -> None:
    session, periods = after([HOUR[1], HOUR[0], HOUR[2], HOUR[-1]])
    assert (periods[0].start, sum(period.energy for period in periods)) == (session.start, session.kwh)


def test_a_start_that_comes_after_the_first_period_was_told_still_adds_up() -> None:
    session, periods = after([HOUR[1], HOUR[2], HOUR[0], HOUR[4], HOUR[-1]])
    assert session.start == START
    assert sum(period.energy for period in periods) == session.kwh


# --- Profile ids -----------------------------------------------------------------------------------------------------

RANGES = [ProfileIdRange(100_000, 199_999), ProfileIdRange(1, PLACES_PER_STATION), ProfileIdRange(7, 7 + 200)]


@given(st.sampled_from(RANGES), st.uuids().map(str), st.integers(1, 1000))
def test_a_profile_id_lies_within_the_reserved_range(reserved: ProfileIdRange, session_id: str, connector: int) -> None:
    assert reserved.first <= profile_id(reserved, session_id, connector) <= reserved.last


@given(st.sampled_from(RANGES), st.uuids().map(str), st.uuids().map(str), st.integers(1, 63))
def test_connectors_of_a_station_never_share_an_id(reserved: ProfileIdRange, one: str, other: str, number: int) -> None:
    assert profile_id(reserved, one, number) != profile_id(reserved, other, number + 1)


def test_connectors_of_a_large_station_never_share_an_id() -> None:
    connectors = [Connector("1", number, PowerType.AC_3_PHASE, 230, 32) for number in range(1, 131)]
    evses = tuple(Evse(f"E{one.ocpp_connector_id}", (one,)) for one in connectors)
    large = Station("acme", "CP-001", "LOC1", OcppVersion.V16, evses)
    # One slot only: whatever the sessions are called, only the connector can tell their ids apart.
    tight = replace(csms(), profile_ids=ProfileIdRange(1, 131))
    ids = [
        session_of(event(STARTED, 0, connector_id=one.ocpp_connector_id), tight, large).profile_id for one in connectors
    ]
    assert len(set(ids)) == len(ids)
    assert set(ids) <= set(range(1, 132))


def test_a_range_that_is_smaller_than_a_station_is_never_left() -> None:
    ids = {profile_id(ProfileIdRange(5, 14), "s-1", number) for number in range(1, 100)}
    assert ids == set(range(5, 15))


def test_a_session_keeps_its_id_and_the_next_one_has_another() -> None:
    first, second = session_of(HOUR[0]), session_of(replace(HOUR[0], transaction_id="779"))
    assert first.profile_id == session_of(HOUR[0]).profile_id
    assert first.profile_id != second.profile_id


def test_evses_of_ocpp_201_never_share_an_id_though_their_connectors_have_the_same_number() -> None:
    evses = tuple(
        Evse(f"E{number}", (Connector("1", 1, PowerType.AC_3_PHASE, 230, 32),), ocpp_evse_id=number)
        for number in (1, 2)
    )
    station = Station("acme", "CP-001", "LOC1", OcppVersion.V201, evses)
    # One slot only: whatever the sessions are called, only the EVSE can tell their ids apart.
    tight = replace(csms(), profile_ids=ProfileIdRange(1, PLACES_PER_STATION))
    ids = {session_of(event(STARTED, 0, evse_id=number), tight, station).profile_id for number in (1, 2)}
    assert len(ids) == 2
