"""A CSMS reported something that is not about a transaction: the station's state, a limit, or the CPO's own word.

What changes the profile that charge points may follow marks the sessions concerned, so that whoever owes a partner the
active profile looks for himself.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import EventType, StationEvent
from ocpi_bridge.domain.places import evse_of, names_a_place
from ocpi_bridge.domain.sessions import Session, doubted, told_steering
from ocpi_bridge.domain.stations import Evse
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.sessions import SessionStore
from ocpi_bridge.ports.stations import StationStates
from ocpi_bridge.usecases.ingested import WRITE_ATTEMPTS, Ingested

Change = Callable[[Session, datetime], Session]


@dataclass(frozen=True, slots=True)
class IngestStationEvent:
    """Takes one event; idempotent, and what an older event says never overrules a newer one.

    The station's state is written before its sessions: they wake who reads both.
    """

    store: SessionStore
    states: StationStates
    clock: Clock

    def __call__(self, event: StationEvent) -> Ingested:
        """Tells what the event did. Raises Contended."""
        if event.type.about_steering:
            return self._steering(event)
        if event.type is EventType.CAP_CHANGED:
            return self._cap(event)
        online = event.type.tells_online
        if online is not None:
            if event.type is EventType.STATION_BOOTED:
                self.states.booted(event.csms_id, event.station_id)
            self.states.set_online(event.csms_id, event.station_id, online=online, at=event.time)
        if not event.type.doubts_profiles:
            return Ingested.NOT_USED if online is None else Ingested.STATION_STATE
        marked = self._mark(lambda: self._concerned(event), lambda one, now: _doubted_once(one, event, now))
        if online is not None:
            return Ingested.STATION_STATE
        return Ingested.PROFILES_IN_DOUBT if marked else Ingested.NOT_USED

    def _cap(self, event: StationEvent) -> Ingested:
        evse = self._evse(event)
        if isinstance(evse, Ingested):
            return evse
        self.states.set_cap(event.csms_id, event.station_id, evse.uid, event.cap_w, event.time)
        self._mark(lambda: self._live(event, evse), lambda one, now: _doubted_once(one, event, now))
        return Ingested.STATION_STATE

    def _steering(self, event: StationEvent) -> Ingested:
        """Of a session where the event names one, else of an EVSE, else of the whole station."""
        if event.session_id is not None or event.transaction_id is not None:
            if not self._mark(lambda: self._named(event), lambda one, now: _told(one, event, now)):
                return Ingested.UNKNOWN_SESSION
            return Ingested.STEERING
        evse: Evse | None = None
        if names_a_place(event):
            found = self._evse(event)
            if isinstance(found, Ingested):
                return found
            evse = found
        if event.type is EventType.STEERING_RELEASED:
            self._mark(lambda: self._live(event, evse), lambda one, now: _told(one, event, now))
            return Ingested.STEERING
        suspended = event.type is EventType.STEERING_SUSPENDED
        uid = None if evse is None else evse.uid
        self.states.set_steering(event.csms_id, event.station_id, uid, suspended=suspended, at=event.time)
        self._mark(lambda: self._live(event, evse), lambda one, now: _doubted_once(one, event, now))
        return Ingested.STEERING

    def _mark(self, concerned: Callable[[], Sequence[Session]], change: Change) -> bool:
        """Writes what is to change about the sessions concerned. Whether there were any."""
        now = self.clock.now()
        for _ in range(WRITE_ATTEMPTS):
            sessions = concerned()
            changed = [(one, change(one, now)) for one in sessions]
            if all(after is one or self.store.update(one, after, None) for one, after in changed):
                return bool(sessions)
        raise Contended("other events of the station were faster; try again")

    def _concerned(self, event: StationEvent) -> Sequence[Session]:
        """The live sessions at the EVSE that the event names; at the whole station where it names none."""
        live = self.store.live_at(event.csms_id, event.station_id)
        if not live or not names_a_place(event):
            return live
        evse = self._evse(event)
        return [] if isinstance(evse, Ingested) else [one for one in live if _is_at(one, evse)]

    def _live(self, event: StationEvent, evse: Evse | None) -> Sequence[Session]:
        live = self.store.live_at(event.csms_id, event.station_id)
        return [one for one in live if evse is None or _is_at(one, evse)]

    def _named(self, event: StationEvent) -> Sequence[Session]:
        found = self.store.session_of(event)
        its_own = found is not None and found.csms_id == event.csms_id and found.station_id == event.station_id
        return [found] if found is not None and its_own and not found.over else []

    def _evse(self, event: StationEvent) -> Evse | Ingested:
        station = self.store.place(event.csms_id, event.station_id).station
        if station is None:
            return Ingested.UNKNOWN_STATION
        return evse_of(station, event) or Ingested.UNKNOWN_CONNECTOR


def _is_at(session: Session, evse: Evse) -> bool:
    return session.evse_uid.casefold() == evse.uid.casefold()


def _doubted_once(session: Session, event: StationEvent, now: datetime) -> Session:
    """Once an attempt: who was marked in a round that others disturbed is not marked again."""
    if session.profile_doubt_at is not None and session.profile_doubt_at >= now:
        return session
    return doubted(session, now, event.limit)


def _told(session: Session, event: StationEvent, now: datetime) -> Session:
    return told_steering(session, event.type, event.time, now)
