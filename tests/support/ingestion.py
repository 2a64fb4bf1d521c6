"""The ingestion of events on stores in memory: one CSMS, a station with two connectors, and what tests look at."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ocpi_bridge.domain.events import EventType, StationEvent
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Connector, Evse, OcppVersion, PowerType, Station
from ocpi_bridge.usecases.ingest_event import IngestEvent
from ocpi_bridge.usecases.ingested import Ingested
from tests.support.clocks import ManualClock
from tests.support.memory import MemorySessionStore, MemoryStationStates
from tests.support.registry_entries import assignment, csms, station

# The EVSEs of the station's two connectors.
ONE, TWO = "BE*BEC*E041503001", "BE*BEC*E041503002"


def newer_station(*, connectors: int = 1) -> Station:
    """A station of OCPP 2.0.1 with the same two EVSEs."""
    sockets = tuple(
        Connector(str(number), number, PowerType.AC_3_PHASE, 230, 32) for number in range(1, connectors + 1)
    )
    evses = tuple(Evse(uid, sockets, ocpp_evse_id=number) for number, uid in enumerate((ONE, TWO), 1))
    return Station("acme", "CP-001", "LOC1", OcppVersion.V201, evses)


@dataclass
class Ingestion:
    """Takes events as they come; `clock` moves when it is told to. The partner steers what is at the first EVSE."""

    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.states = MemoryStationStates()
        at = {("acme", "CP-001"): station(evse_uids=(ONE, TWO))}
        self.store = MemorySessionStore(self.states, {"acme": csms(), "other": csms("other")}, at, [assignment()])
        self.learned: list[Session] = []
        self.ingest = IngestEvent(self.store, self.states, self.clock, self.learned.append)

    def __call__(self, *events: StationEvent) -> list[Ingested]:
        return [self.ingest(event) for event in events]

    def sweep(self) -> list[Ingested]:
        """What the sweep finds overdue, as it comes back through the queue."""
        return [
            self.ingest(
                StationEvent(
                    event_id=f"overdue-{overdue.session_id}",
                    type=EventType.TRANSACTION_ENDED,
                    time=overdue.ended_at,
                    csms_id=overdue.csms_id,
                    station_id=overdue.station_id,
                    transaction_id=overdue.transaction_id,
                )
            )
            for overdue in self.store.overdue(self.clock.now())
        ]

    def wait(self, time: timedelta) -> list[Ingested]:
        self.clock.advance(time.total_seconds())
        return self.sweep()

    def until(self, at: datetime) -> None:
        self.clock.advance((at - self.clock.now()).total_seconds())

    @property
    def only(self) -> Session:
        [session] = self.store.sessions.values()
        return session

    def of(self, transaction_id: str) -> Session:
        """The one session of a transaction."""
        [session] = [one for one in self.store.sessions.values() if one.transaction_id == transaction_id]
        return session

    @property
    def in_order(self) -> list[Session]:
        """All sessions, the earliest first."""
        return sorted(self.store.sessions.values(), key=lambda one: one.start)
