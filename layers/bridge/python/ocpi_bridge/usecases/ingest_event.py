"""A CSMS reported something about a station: sessions and station states follow (csms.md 8b, docs/decisions/0015)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import SessionStatus, StationEvent
from ocpi_bridge.domain.learning import LEARNED_FOR
from ocpi_bridge.domain.places import one_after_the_other, outlet_of
from ocpi_bridge.domain.session_course import (
    CLOCK_TOLERANCE,
    advance,
    begins_anew,
    belongs_before,
    new_session,
    superseded,
    tells_end,
)
from ocpi_bridge.domain.sessions import Session, reassigned
from ocpi_bridge.domain.stations import Outlet
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.sessions import Place, SessionStore
from ocpi_bridge.ports.stations import StationStates
from ocpi_bridge.usecases.ingest_station_event import IngestStationEvent
from ocpi_bridge.usecases.ingested import WRITE_ATTEMPTS, Ingested

# Clocks without a network drift by minutes a month; one that is ahead by more than a day is not set at all, and what it
# says would overrule all that happens until then. One that is years behind was never set: no station keeps events back
# for a year, and a session must not begin in 1970.
FURTHEST_AHEAD = timedelta(days=1)
FURTHEST_BACK = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class IngestEvent:
    """Takes one event; idempotent and tolerant of any order.

    `learn` is called with a new session that a partner steers, where its station has not told for long what it can take.
    """

    store: SessionStore
    states: StationStates
    clock: Clock
    learn: Callable[[Session], None] | None = None

    def __call__(self, event: StationEvent) -> Ingested:
        """Tells what the event did. Raises Contended when others wrote first, again and again: try the event later."""
        now = self.clock.now()
        if not now - FURTHEST_BACK <= event.time <= now + FURTHEST_AHEAD:
            return Ingested.IMPLAUSIBLE_TIME
        if not event.type.about_a_transaction:
            return IngestStationEvent(self.store, self.states, self.clock)(event)
        for _ in range(WRITE_ATTEMPTS):
            done = self._ingest(event)
            if done is not None:
                return done
        raise Contended("other events of the transaction were faster; try again")

    def _ingest(self, event: StationEvent) -> Ingested | None:
        known = self.store.session_of(event)
        if known is None:
            return self._create(event, None)
        if known.csms_id != event.csms_id:
            return Ingested.SESSION_ID_TAKEN
        if begins_anew(known, event):
            return self._create(event, known)
        if event.session_id is None and _is_older(known, event):
            former = self.store.former_session_of(event)
            if belongs_before(known, former, event):
                return Ingested.FORMER_TRANSACTION if former is None else self._advance(former, event)
        return self._advance(known, event)

    def _advance(self, known: Session, event: StationEvent) -> Ingested | None:
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
        outlet = outlet_of(place.station, event)
        if outlet is None:
            return Ingested.UNKNOWN_CONNECTOR
        now = self.clock.now()
        rights = self.store.rights(outlet.evse.uid, place.station.location_id, event.id_token, now)
        session = new_session(event, place.csms, outlet, rights=rights, now=now)
        if tells_end(event):
            session = (advance(session, event, now) or (session, None))[0]
        if session.status is not SessionStatus.RESERVATION:
            # Before the new one is written: its event comes again if anything fails here.
            found = self._among_others(session, outlet, replaces, now)
            if found is None:
                return None
            session = found
        if not self.store.create(replace(session, version=1), replaces):
            return None
        self._learn(session, place, now)
        return Ingested.CREATED

    def _among_others(
        self, session: Session, outlet: Outlet, replaces: Session | None, now: datetime
    ) -> Session | None:
        """The new session, superseded if another came after it, once those before it are; None if others were faster."""
        here = one_after_the_other(outlet)
        # A start that is still to come proves nothing: that clock was wrong.
        believed = now + CLOCK_TOLERANCE
        others = self.store.neighbours(session.csms_id, session.station_id)
        later = [at for place, at in others.newest.items() if place.startswith(here) and session.start < at <= believed]
        for other in others.live:
            # Of one transaction id there is one: with the new one's start the old one is over, wherever it was.
            same_id = replaces is not None and other.session_id == replaces.session_id
            if other.status is SessionStatus.RESERVATION or not (same_id or other.place.startswith(here)):
                continue
            if replaces is None and other.transaction_id == session.transaction_id:
                # Another worker was faster with an event of this very transaction: that is no other car.
                continue
            if other.start > session.start:
                later += [other.start] if other.start <= believed else []
                continue
            left = superseded(other, min(session.start, believed), now)
            if left is not other and not self.store.update(other, left, None):
                return None
        return superseded(session, min(later), now) if later else session

    def _learn(self, session: Session, place: Place, now: datetime) -> None:
        if self.learn is None or not session.steerable or session.rights.steered_by is None:
            return
        if place.csms is None or not place.csms.asks_capabilities:
            return
        if place.state.learned_at is not None and now - place.state.learned_at <= LEARNED_FOR:
            return
        # The session is kept already, and the station is asked again with its next one.
        with suppress(Exception):
            self.learn(session)


def _is_older(known: Session, event: StationEvent) -> bool:
    """Whether it is older than all that is known of the session, or an end at its very beginning."""
    began = known.first_event_at or known.start
    return event.time < began or (event.time == began and tells_end(event))
