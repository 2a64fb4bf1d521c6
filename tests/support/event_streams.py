"""Streams of events of many transactions, as they happen, and what a network makes of them."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.events import ChargingState, EventType, IdToken, Reading, StationEvent
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Connector, Evse, OcppVersion, PowerType, Station
from tests.support.clocks import START

CONNECTORS = 2


@dataclass(frozen=True, slots=True)
class Transaction:
    """One car's stay: where, the events of it in order, and the connector's OCPI ids."""

    station: Station
    evse_uid: str
    events: tuple[StationEvent, ...]

    @property
    def began(self) -> datetime:
        return self.events[0].time

    @property
    def ended(self) -> datetime:
        return self.events[-1].time

    def owns(self, session: Session) -> bool:
        """Whether the session is of this stay: by place and time, not by any id."""
        first = session.first_event_at or session.start
        return session.evse_uid == self.evse_uid and self.began <= first <= self.ended


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event, and when it reaches the bridge."""

    at: datetime
    event: StationEvent


def station(number: int) -> Station:
    """Every other one speaks OCPP 2.0.1; each has two EVSEs with a connector."""
    newer = number % 2 == 1
    evses = tuple(
        Evse(
            f"E{number}-{place}",
            (Connector("1", 1 if newer else place, PowerType.AC_3_PHASE, 230, 32),),
            ocpp_evse_id=place if newer else None,
        )
        for place in range(1, CONNECTORS + 1)
    )
    version = OcppVersion.V201 if newer else OcppVersion.V16
    return Station("acme", f"CP-{number:03d}", f"LOC{number}", version, evses)


def transactions(stations: int, sessions: int, seed: int, *, restarting: bool = False) -> list[Transaction]:
    """So many stays, spread over all connectors, one after the other at each.

    `restarting`: the transaction ids of OCPP 1.6 begin again after every second one of a station.
    """
    chance = random.Random(seed)
    free = {(number, place): START for number in range(stations) for place in range(1, CONNECTORS + 1)}
    register = dict.fromkeys(free, Decimal(10_000_000))
    counted = dict.fromkeys(range(stations), 0)
    made = []
    for index in range(sessions):
        where = (index % stations, index // stations % CONNECTORS + 1)
        begins = free[where] + timedelta(seconds=chance.randint(1200, 5400))
        counted[where[0]] += 1
        count = counted[where[0]]
        number = (count - 1) % 2 + 1 if restarting else count
        one = _transaction(station(where[0]), where[1], number, begins, register[where], chance)
        made.append(one)
        free[where] = one.ended
        register[where] = one.events[-1].reading.meter_wh or register[where]
    return made


def live(made: Iterable[Transaction]) -> list[Arrival]:
    """All that happens, when it happens."""
    return sorted((Arrival(event.time, event) for one in made for event in one.events), key=lambda one: one.at)


def late(arrivals: Sequence[Arrival], chance: random.Random, most: timedelta) -> list[Arrival]:
    """Each one comes up to so much later, and so in another order."""
    delayed = [replace(one, at=one.at + chance.random() * most) for one in arrivals]
    return sorted(delayed, key=lambda one: one.at)


def shuffled(arrivals: Sequence[Arrival], chance: random.Random) -> list[Arrival]:
    """All come in any order, within a few minutes after the last: what a queue held back for a day."""
    mixed = list(arrivals)
    chance.shuffle(mixed)
    begins = max(one.at for one in arrivals) + timedelta(hours=1)
    step = timedelta(minutes=5) / len(mixed)
    return [replace(one, at=begins + index * step) for index, one in enumerate(mixed)]


def lossy(arrivals: Sequence[Arrival], chance: random.Random, share: float) -> list[Arrival]:
    """A share of them is lost."""
    return [one for one in arrivals if chance.random() >= share]


def repeated(arrivals: Sequence[Arrival], chance: random.Random, share: float) -> list[Arrival]:
    """A share of them comes twice."""
    return [copy for one in arrivals for copy in ([one, one] if chance.random() < share else [one])]


def _transaction(
    at: Station, place: int, number: int, begins: datetime, register: Decimal, chance: random.Random
) -> Transaction:
    newer = at.ocpp_version is OcppVersion.V201
    transaction_id = f"{at.station_id}/{place}/{number}" if newer else str(number)
    card = IdToken(f"CARD-{chance.randint(0, 10**9)}")
    phases = chance.choice((1, 3))
    events = _events(begins, register, card, phases, chance, newer=newer)
    placed = tuple(
        replace(
            event,
            event_id=f"{at.station_id}/{transaction_id}/{index}",
            station_id=at.station_id,
            transaction_id=transaction_id,
            connector_id=1 if newer else place,
            evse_id=place if newer else None,
        )
        for index, event in enumerate(events)
    )
    return Transaction(at, at.evses[place - 1].uid, placed)


def _events(
    begins: datetime, register: Decimal, card: IdToken, phases: int, chance: random.Random, *, newer: bool
) -> Iterator[StationEvent]:
    def event(kind: EventType, seconds: int, **told: object) -> StationEvent:
        bare = StationEvent("", kind, begins + timedelta(seconds=seconds), "acme", "")
        return replace(bare, **told)  # type: ignore[arg-type]

    if newer:
        # The cable first, the card a minute later.
        plugged = ChargingState.EV_CONNECTED
        yield event(EventType.TRANSACTION_STARTED, 0, charging_state=plugged, reading=Reading(meter_wh=register))
        yield event(EventType.TRANSACTION_UPDATED, 60, id_token=card, charging_state=plugged)
    else:
        yield event(EventType.TRANSACTION_STARTED, 0, id_token=card, reading=Reading(meter_wh=register))
    seconds = 60
    for _ in range(chance.randint(3, 8)):
        seconds += chance.randint(300, 900)
        register += chance.randint(0, 2500)
        amperes = tuple(Decimal(16) if phase < phases else Decimal(0) for phase in range(3))
        state = chance.choice((ChargingState.CHARGING, ChargingState.SUSPENDED_EV, ChargingState.SUSPENDED_EVSE))
        reading = Reading(meter_wh=register, power_w=Decimal(3680 * phases), current_a=amperes)
        yield event(EventType.TRANSACTION_UPDATED, seconds, charging_state=state, reading=reading)
    seconds += 120
    yield event(EventType.TRANSACTION_ENDED, seconds, reading=Reading(meter_wh=register + 100))
