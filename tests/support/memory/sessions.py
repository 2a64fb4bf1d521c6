"""Sessions in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ocpi_bridge.adapters.dynamodb.session_items import END_SEEN_AFTER
from ocpi_bridge.domain.assignments import Assignment, Rights, rights, scopes_of
from ocpi_bridge.domain.events import IdToken, SessionStatus, StationEvent
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.stations import Csms, Station
from ocpi_bridge.ports.messages import OverdueSession
from ocpi_bridge.ports.sessions import Neighbours, Place
from ocpi_bridge.usecases.relay_outbox import Change
from tests.support.memory.station_states import MemoryStationStates, StationKey


@dataclass
class MemorySessionStore:
    """SessionStore, and what the sweep reads of it. `closed` are the charging periods by session, in order.

    `changes` is the table's stream: each new state of a session, until somebody takes it. `ended` says when somebody looks
    whether everybody knows that a session (by its folded id) is over.
    """

    states: MemoryStationStates
    csmss: dict[str, Csms] = field(default_factory=dict)
    stations: dict[StationKey, Station] = field(default_factory=dict)
    assignments: list[Assignment] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    closed: dict[str, list[ChargingPeriod]] = field(default_factory=dict)
    writes: int = 0
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._newest: dict[tuple[str, str, str], str] = {}
        self._former: dict[tuple[str, str, str], str] = {}
        self._cars: dict[StationKey, dict[str, datetime]] = {}
        self._live: dict[StationKey, set[str]] = {}
        self.ended: dict[str, datetime] = {}

    def put_station(self, station: Station) -> None:
        self.stations[station.csms_id, station.station_id] = station

    def place(self, csms_id: str, station_id: str) -> Place:
        return Place(
            csms=self.csmss.get(csms_id),
            station=self.stations.get((csms_id, station_id)),
            state=self.states.state(csms_id, station_id),
        )

    def rights(self, evse_uid: str, location_id: str, token: IdToken | None, at: datetime) -> Rights:
        scopes = {(scope, key.casefold()) for scope, key in scopes_of(evse_uid, location_id, token)}
        return rights(tuple(one for one in self.assignments if (one.scope, one.key.casefold()) in scopes), at)

    def live_at(self, csms_id: str, station_id: str) -> Sequence[Session]:
        return [self.sessions[one] for one in sorted(self._live.get((csms_id, station_id), ()))]

    def neighbours(self, csms_id: str, station_id: str) -> Neighbours:
        return Neighbours(self.live_at(csms_id, station_id), dict(self._cars.get((csms_id, station_id), {})))

    def session_of(self, event: StationEvent) -> Session | None:
        named = self.sessions.get((event.session_id or "").casefold())
        return named or self.sessions.get(self._newest.get(_transaction(event), ""))

    def former_session_of(self, event: StationEvent) -> Session | None:
        return self.sessions.get(self._former.get(_transaction(event), ""))

    def create(self, session: Session, replaces: Session | None) -> bool:
        pointer = (session.csms_id, session.station_id, session.transaction_id)
        folded = session.session_id.casefold()
        expected = None if replaces is None else replaces.session_id.casefold()
        if self._newest.get(pointer) != expected or folded in self.sessions:
            return False
        if replaces is not None:
            self._former[pointer] = replaces.session_id.casefold()
        self._newest[pointer] = folded
        self._write(session)
        cars = self._cars.setdefault((session.csms_id, session.station_id), {})
        if session.status is not SessionStatus.RESERVATION:
            cars[session.place] = max(session.start, cars.get(session.place, session.start))
        return True

    def update(self, before: Session, after: Session, period: ChargingPeriod | None) -> bool:
        known = self.sessions.get(before.session_id.casefold())
        if known is None or known.version != before.version:
            return False
        if after.transaction_id != before.transaction_id:
            self._newest.pop((before.csms_id, before.station_id, before.transaction_id), None)
            self._newest[after.csms_id, after.station_id, after.transaction_id] = after.session_id.casefold()
        if period is not None:
            self.closed.setdefault(after.session_id, []).append(period)
        self._write(after)
        return True

    def periods(self, session_id: str) -> Sequence[ChargingPeriod]:
        return self.closed.get(session_id, [])

    def overdue(self, due_before: datetime) -> Sequence[OverdueSession]:
        """The sessions whose end is taken for granted by then."""
        return [
            OverdueSession(one.csms_id, one.station_id, one.transaction_id, one.session_id, ended_at=one.last_moment)
            for one in self.sessions.values()
            if one.closes_at is not None
            and one.closes_at <= due_before
            and one.last_moment is not None
            and not one.over
        ]

    def _write(self, session: Session) -> None:
        self.writes += 1
        folded = session.session_id.casefold()
        self.sessions[folded] = session
        self.changes.append(session)
        if session.over and session.concerns:
            self.ended[folded] = session.last_updated + END_SEEN_AFTER
        live = self._live.setdefault((session.csms_id, session.station_id), set())
        (live.discard if session.over else live.add)(folded)


def _transaction(event: StationEvent) -> tuple[str, str, str]:
    return event.csms_id, event.station_id, event.transaction_id or ""
