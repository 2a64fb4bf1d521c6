"""Whatever a network does to the events of many cars, their sessions are those of the clean stream.

As far as what is left determines them: the register's ends give the energy, the start event (or the first that shows
the authorisation) gives the start, the end event or the next car at the connector the end.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.events import ChargingState, EventType, SessionStatus, StationEvent
from ocpi_bridge.domain.session_course import GRACE
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ports.messages import OverdueSession
from ocpi_bridge.usecases.ingest_event import IngestEvent
from tests.support.clocks import START, ManualClock
from tests.support.event_streams import (
    Arrival,
    Transaction,
    late,
    live,
    lossy,
    repeated,
    shuffled,
    station,
    transactions,
)
from tests.support.examples import examples
from tests.support.memory import MemorySessionStore, MemoryStationStates
from tests.support.registry_entries import csms
from tests.support.tables import aws_tables
from tests.support.world import World

STARTED, ENDED = EventType.TRANSACTION_STARTED, EventType.TRANSACTION_ENDED
RANK = {SessionStatus.PENDING: 0, SessionStatus.ACTIVE: 1, SessionStatus.COMPLETED: 2, SessionStatus.INVALID: 2}
# Less than the grace: what comes later than that is late for an end that waits.
DELAY = timedelta(minutes=10)


@dataclass
class WatchedStore(MemorySessionStore):
    """Looks at every write: energy and status never go back, and no session moves to another connector."""

    def update(self, before: Session, after: Session, period: ChargingPeriod | None) -> bool:
        assert after.kwh >= before.kwh
        assert RANK[after.status] >= RANK[before.status]
        assert (after.place, after.profile_id) == (before.place, before.profile_id)
        assert not before.over
        return super().update(before, after, period)


@dataclass
class Bridge:
    """The ingestion, and the sweep each minute while events arrive."""

    made: Sequence[Transaction]
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        states = MemoryStationStates()
        self.store = WatchedStore(states, {"acme": csms()})
        for one in self.made:
            self.store.put_station(one.station)
        self.ingest = IngestEvent(self.store, states, self.clock)
        self._swept = START

    def take(self, arrivals: Sequence[Arrival]) -> dict[int, Session]:
        """The sessions that the arrivals make, by the index of their transaction."""
        for arrival in arrivals:
            self._until(arrival.at)
            self.ingest(arrival.event)
        self._until(self.clock.now() + 2 * GRACE)
        return {
            index: session
            for session in self.store.sessions.values()
            for index, one in enumerate(self.made)
            if one.owns(session)
        }

    def _until(self, at: datetime) -> None:
        self.clock.advance(max(0.0, (at - self.clock.now()).total_seconds()))
        if self.clock.now() - self._swept >= timedelta(minutes=1):
            self._swept = self.clock.now()
            for overdue in self.store.overdue(self._swept):
                self.ingest(taken_for_granted(overdue))


def taken_for_granted(overdue: OverdueSession) -> StationEvent:
    return StationEvent(
        event_id=f"overdue-{overdue.session_id}",
        type=ENDED,
        time=overdue.ended_at,
        csms_id=overdue.csms_id,
        station_id=overdue.station_id,
        transaction_id=overdue.transaction_id,
    )


def told(session: Session) -> tuple[object, ...]:
    """What partners are told of a session, and the bill is made of."""
    return (session.status, session.kwh, session.start, session.end, session.token, session.evse_uid)


def compare(made: Sequence[Transaction], clean: dict[int, Session], bridge: Bridge, arrivals: Sequence[Arrival]) -> int:
    """Every session against what is left of its events; how many were wholly determined."""
    found = bridge.take(arrivals)
    left: dict[int, list[StationEvent]] = defaultdict(list)
    owner = {event.event_id: index for index, one in enumerate(made) for event in one.events}
    for arrival in arrivals:
        left[owner[arrival.event.event_id]].append(arrival.event)
    assert found.keys() == left.keys()
    assert len(bridge.store.sessions) == len(found)
    whole = 0
    for index, session in found.items():
        kinds = {event.type for event in left[index]}
        meters = [event.reading.meter_wh for event in left[index] if event.reading.meter_wh is not None]
        assert session.kwh * 1000 == max(meters, default=Decimal(0)) - min(meters, default=Decimal(0))
        cards = [event.id_token for event in left[index] if event.id_token is not None]
        assert session.token == (cards[0] if cards else None)
        assert session.phases in {None, clean[index].phases}
        shown = any(_authorized(event) for event in left[index]) or STARTED not in kinds or session.kwh > 0
        if ENDED in kinds or _followed(made, index, left):
            assert session.status is (SessionStatus.COMPLETED if shown else SessionStatus.INVALID)
            periods = bridge.store.periods(session.session_id)
            assert sum(period.energy for period in periods) == session.kwh
        else:
            assert session.status is (SessionStatus.ACTIVE if shown else SessionStatus.PENDING)
        if {STARTED, ENDED} <= kinds and cards:
            assert told(session) == told(clean[index])
            whole += 1
    return whole


def _authorized(event: StationEvent) -> bool:
    state = event.charging_state
    return event.id_token is not None or (state is not None and state is not ChargingState.EV_CONNECTED)


def _followed(made: Sequence[Transaction], index: int, left: dict[int, list[StationEvent]]) -> bool:
    mine = made[index]
    return any(made[other].evse_uid == mine.evse_uid and made[other].began > mine.began for other in left)


@pytest.fixture(scope="module")
def many() -> list[Transaction]:
    return transactions(stations=100, sessions=500, seed=4)


@pytest.fixture(scope="module")
def clean(many: list[Transaction]) -> dict[int, Session]:
    sessions = Bridge(many).take(live(many))
    assert len(sessions) == 500
    return sessions


def test_the_clean_stream_makes_the_sessions_that_happened(many: list[Transaction], clean: dict[int, Session]) -> None:
    for index, session in clean.items():
        one = many[index]
        meters = [event.reading.meter_wh for event in one.events if event.reading.meter_wh is not None]
        authorized = next(event.time for event in one.events if event.id_token is not None)
        assert told(session)[:4] == (
            SessionStatus.COMPLETED,
            (meters[-1] - meters[0]) / 1000,
            authorized,
            one.ended,
        )
        assert session.phases is not None
        assert session.superseded_at is None


@pytest.mark.parametrize("seed", range(2))
def test_500_sessions_late_out_of_order_and_twice_are_those_of_the_clean_stream(
    many: list[Transaction], clean: dict[int, Session], seed: int
) -> None:
    chance = random.Random(seed)
    arrivals = late(repeated(live(many), chance, 0.2), chance, DELAY)
    found = Bridge(many).take(arrivals)
    assert {index: (*told(one), one.phases) for index, one in found.items()} == {
        index: (*told(one), one.phases) for index, one in clean.items()
    }


@pytest.mark.parametrize("seed", range(2))
def test_500_sessions_with_5_percent_lost_are_what_is_left_of_them(
    many: list[Transaction], clean: dict[int, Session], seed: int
) -> None:
    chance = random.Random(seed)
    arrivals = late(repeated(lossy(live(many), chance, 0.05), chance, 0.2), chance, DELAY)
    assert compare(many, clean, Bridge(many), arrivals) > 400


@pytest.mark.parametrize(("seed", "share"), [(0, 0.05), (1, 0.05), (2, 0.0)])
def test_500_sessions_wholly_shuffled_are_what_is_left_of_them(
    many: list[Transaction], clean: dict[int, Session], seed: int, share: float
) -> None:
    chance = random.Random(seed)
    arrivals = shuffled(repeated(lossy(live(many), chance, share), chance, 0.2), chance)
    assert compare(many, clean, Bridge(many), arrivals) > 400


def test_no_two_sessions_at_a_station_at_one_time_share_a_profile_id(
    many: list[Transaction], clean: dict[int, Session]
) -> None:
    for number in range(100):
        here = [one for one in clean.values() if one.station_id == station(number).station_id]
        for one in here:
            beside = [other for other in here if other.place != one.place]
            assert one.profile_id not in {other.profile_id for other in beside}


@pytest.mark.parametrize("seed", range(2))
def test_transaction_ids_that_begin_again_mix_no_sessions(seed: int) -> None:
    made = transactions(stations=20, sessions=200, seed=seed, restarting=True)
    expected = Bridge(made).take(live(made))
    assert len(expected) == 200
    chance = random.Random(seed)
    found = Bridge(made).take(late(repeated(live(made), chance, 0.2), chance, DELAY))
    assert {index: told(one) for index, one in found.items()} == {index: told(one) for index, one in expected.items()}


@given(st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([0.0, 0.1, 0.4]))
@examples(150)
def test_few_sessions_in_any_order_are_what_is_left_of_them(seed: int, sessions: int, share: float) -> None:
    made = transactions(stations=2, sessions=sessions, seed=seed)
    reference = Bridge(made).take(live(made))
    chance = random.Random(seed)
    arrivals = lossy(live(made), chance, share)
    if arrivals:
        compare(made, reference, Bridge(made), shuffled(repeated(arrivals, chance, 0.3), chance))


def test_20_sessions_on_the_real_stores_are_those_of_the_store_in_memory() -> None:
    made = transactions(stations=4, sessions=20, seed=1)
    chance = random.Random(1)
    arrivals = late(repeated(lossy(live(made), chance, 0.05), chance, 0.2), chance, DELAY)
    with aws_tables() as tables:
        world = World(tables)
        for number in range(4):
            world.put_station(station(number))
        ingest = IngestEvent(world.sessions, world.states, world.clock)
        for arrival in arrivals:
            world.clock.advance(max(0.0, (arrival.at - world.clock.now()).total_seconds()))
            for overdue in world.sweeps.due_in_sessions(world.clock.now()).overdue:
                ingest(taken_for_granted(overdue))
            ingest(arrival.event)
        world.clock.advance(2 * GRACE.total_seconds())
        for overdue in world.sweeps.due_in_sessions(world.clock.now()).overdue:
            ingest(taken_for_granted(overdue))
        stored = {one.session_id: told(one) for one in world.stored_sessions()}
    bridge = Bridge(made)
    bridge.take(arrivals)
    assert stored == {one.session_id: told(one) for one in bridge.store.sessions.values()}
