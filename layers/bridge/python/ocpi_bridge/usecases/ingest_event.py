"""A CSMS reported something about a station: sessions and station states follow (csms.md 8b)."""

from dataclasses import dataclass, replace
from enum import StrEnum

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import EventType, StationEvent
from ocpi_bridge.domain.sessions import Session, SessionStatus, advance, new_session
from ocpi_bridge.domain.stations import find_outlet, outlet_by_uid
from ocpi_bridge.ports import Clock, SessionStore

# Events of one transaction are seldom processed at the same instant, and each loser only has to read again.
WRITE_ATTEMPTS = 6


class Ingested(StrEnum):
    """What an event did, for logs and metrics."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STATION_STATE = "station_state"
    NOT_USED = "not_used"
    UNKNOWN_STATION = "unknown_station"
    UNKNOWN_CONNECTOR = "unknown_connector"

    @property
    def lost(self) -> bool:
        """Whether the event belongs nowhere: the registry does not know its place."""
        return self in {Ingested.UNKNOWN_STATION, Ingested.UNKNOWN_CONNECTOR}


@dataclass(frozen=True, slots=True)
class IngestEvent:
    """Takes one event; idempotent and tolerant of any order."""

    store: SessionStore
    clock: Clock

    def __call__(self, event: StationEvent) -> Ingested:
        """Tells what the event did. Raises Contended when others wrote first, again and again: try the event later."""
        if not event.type.about_a_transaction:
            online = event.type.tells_online
            if online is None:
                return Ingested.NOT_USED
            self.store.station_online(event.csms_id, event.station_id, online=online, at=event.time)
            return Ingested.STATION_STATE
        for _ in range(WRITE_ATTEMPTS):
            done = self._ingest(event)
            if done is not None:
                return done
        raise Contended("other events of the transaction were faster; try again")

    def _ingest(self, event: StationEvent) -> Ingested | None:
        known = self.store.session_of(event)
        if known is None or _restarted(known, event):
            return self._create(event, known)
        advanced = advance(known, event, self.clock.now())
        if advanced is None:
            return Ingested.UNCHANGED
        after, period = advanced
        if known.token is None and after.token is not None:
            after = self._with_rights(after)
        return Ingested.CHANGED if self.store.update(known, after, period) else None

    def _with_rights(self, session: Session) -> Session:
        """The session with what its token decides, where the start that tells it came late."""
        station = self.store.place(session.csms_id, session.station_id).station
        outlet = outlet_by_uid(station, session.evse_uid, session.connector_id) if station else None
        if outlet is None:
            return session
        return replace(session, rights=self.store.rights(outlet, session.token, self.clock.now()))

    def _create(self, event: StationEvent, replaces: Session | None) -> Ingested | None:
        place = self.store.place(event.csms_id, event.station_id)
        if place.csms is None or place.station is None:
            return Ingested.UNKNOWN_STATION
        outlet = find_outlet(place.station, event.connector_id, event.evse_id)
        if outlet is None:
            return Ingested.UNKNOWN_CONNECTOR
        now = self.clock.now()
        session = new_session(event, place.csms, outlet, rights=self.store.rights(outlet, event.id_token, now), now=now)
        if event.type is EventType.TRANSACTION_ENDED:
            advanced = advance(session, event, now)
            session = advanced[0] if advanced else session
        return Ingested.CREATED if self.store.create(session, replaces) else None


def _restarted(known: Session, event: StationEvent) -> bool:
    """Transaction ids of OCPP 1.6 start again: a start after the end of the known session is another transaction."""
    return (
        event.type is EventType.TRANSACTION_STARTED
        and known.status is SessionStatus.COMPLETED
        and known.end is not None
        and event.time > known.end
    )
