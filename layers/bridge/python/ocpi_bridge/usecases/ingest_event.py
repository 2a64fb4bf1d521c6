"""A CSMS reported something about a station: sessions and station states follow (csms.md 8b)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import EventType, SessionStatus, StationEvent
from ocpi_bridge.domain.sessions import Session, advance, doubted, new_session, reassigned
from ocpi_bridge.domain.stations import find_outlet
from ocpi_bridge.ports import Clock, SessionStore, StationStates

# Events of one transaction are seldom processed at the same instant, and each loser only has to read again.
WRITE_ATTEMPTS = 6


class Ingested(StrEnum):
    """What an event did, for logs and metrics."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STATION_STATE = "station_state"
    PROFILES_IN_DOUBT = "profiles_in_doubt"
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
    states: StationStates
    clock: Clock

    def __call__(self, event: StationEvent) -> Ingested:
        """Tells what the event did. Raises Contended when others wrote first, again and again: try the event later."""
        if not event.type.about_a_transaction:
            return self._ingest_of_station(event)
        for _ in range(WRITE_ATTEMPTS):
            done = self._ingest(event)
            if done is not None:
                return done
        raise Contended("other events of the transaction were faster; try again")

    def _ingest_of_station(self, event: StationEvent) -> Ingested:
        online = event.type.tells_online
        if online is not None:
            self.states.set_online(event.csms_id, event.station_id, online=online, at=event.time)
        if event.type.doubts_profiles:
            doubted_any = self._doubt_profiles(event)
            if online is None:
                return Ingested.PROFILES_IN_DOUBT if doubted_any else Ingested.NOT_USED
        return Ingested.NOT_USED if online is None else Ingested.STATION_STATE

    def _doubt_profiles(self, event: StationEvent) -> bool:
        """Marks the sessions that the event may concern; whoever owes a partner the active profile looks for himself."""
        now = self.clock.now()
        for _ in range(WRITE_ATTEMPTS):
            concerned = self._concerned(event)
            unmarked = [one for one in concerned if one.profile_doubt_at is None or one.profile_doubt_at < now]
            written = [self.store.update(one, doubted(one, now), None) for one in unmarked]
            if all(written):
                return bool(concerned)
        raise Contended("other events of the station were faster; try again")

    def _concerned(self, event: StationEvent) -> Sequence[Session]:
        """The live sessions at the connector that the event names; at the whole station where it names none."""
        live = self.store.live_at(event.csms_id, event.station_id)
        if not live or (event.connector_id is None and event.evse_id is None):
            return live
        station = self.store.place(event.csms_id, event.station_id).station
        outlet = find_outlet(station, event.connector_id, event.evse_id) if station else None
        return [one for one in live if outlet is not None and one.evse_uid == outlet.evse.uid]

    def _ingest(self, event: StationEvent) -> Ingested | None:
        known = self.store.session_of(event)
        if known is None or _restarted(known, event):
            return self._create(event, known)
        if known.over:
            return Ingested.UNCHANGED
        now = self.clock.now()
        after, period = advance(known, event, now) or (known, None)
        # Looked at with each event: an assignment may have been given, have ended or been revoked in mid-session.
        rights = self.store.rights(after.evse_uid, after.location_id, after.token, now)
        after = reassigned(after, rights, now)
        if after is known:
            return Ingested.UNCHANGED
        after = replace(after, version=known.version + 1)
        return Ingested.CHANGED if self.store.update(known, after, period) else None

    def _create(self, event: StationEvent, replaces: Session | None) -> Ingested | None:
        place = self.store.place(event.csms_id, event.station_id)
        if place.csms is None or place.station is None:
            return Ingested.UNKNOWN_STATION
        outlet = find_outlet(place.station, event.connector_id, event.evse_id)
        if outlet is None:
            return Ingested.UNKNOWN_CONNECTOR
        now = self.clock.now()
        rights = self.store.rights(outlet.evse.uid, place.station.location_id, event.id_token, now)
        session = new_session(event, place.csms, outlet, rights=rights, now=now)
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
