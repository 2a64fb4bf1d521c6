"""Stores of sessions and of what was pushed of them. Writes as in requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.events import IdToken, StationEvent
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.stations import Csms, Station, StationState
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event happened, by the registry, and what is known of the station beside."""

    csms: Csms | None
    station: Station | None
    state: StationState = field(default_factory=StationState)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The sessions at a station that are not over, and when the newest one of each place began (by Session.place).

    Whoever was at the place before that has left it, also where the newest one is over.
    """

    live: Sequence[Session] = ()
    newest: Mapping[str, datetime] = field(default_factory=dict)


class SessionStore(Protocol):
    """What turning events into sessions needs."""

    def place(self, csms_id: str, station_id: str) -> Place:
        """The CSMS and the station, as far as the registry knows them."""

    def rights(self, evse_uid: str, location_id: str, token: IdToken | None, at: datetime) -> Rights:
        """Who may see and steer a session at this EVSE with this token, from the assignments."""

    def live_at(self, csms_id: str, station_id: str) -> Sequence[Session]:
        """The sessions at the station that are not over; of more than a station can have, some."""

    def neighbours(self, csms_id: str, station_id: str) -> Neighbours:
        """What a new session at the station has to do with others; bounded as live_at is."""

    def session_of(self, event: StationEvent) -> Session | None:
        """The session with the event's session id, else the newest one of its transaction, or None.

        Session ids are compared without case, and are one CSMS's as much as another's: look whose it is.
        """

    def former_session_of(self, event: StationEvent) -> Session | None:
        """The session that the newest one of the event's transaction took the place of, or None."""

    def create(self, session: Session, replaces: Session | None) -> bool:
        """Creates the session as its transaction's (newest) one. False: somebody else did meanwhile."""

    def update(self, before: Session, after: Session, period: ChargingPeriod | None) -> bool:
        """Writes the session with the period it closed. False: somebody else wrote meanwhile.

        A transaction id that is new to it finds it from then on, instead of the one before.
        """


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a partner last acknowledged of a session.

    `fields` is the object as pushed, without charging periods. `in_doubt`: a push began and its end is unknown, or it
    failed; the next one is the whole object. `attempts` counts failures in a row.
    """

    session_id: str
    partner_id: str
    version: int = 0
    fields: JsonObject = field(default_factory=dict)
    periods: int = 0
    at: datetime | None = None
    in_doubt: bool = False
    attempts: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class PushContext:
    """A session and a partner, and all that is between them; None where something does not exist (any more)."""

    session: Session | None
    partner: Partner | None
    pushed: Pushed
    control: Control
    watch: Watch | None = None


class PushStore(Protocol):
    """What pushing sessions to partners needs."""

    def push_context(self, session_id: str, partner_id: str) -> PushContext:
        """The session, the partner, and what the partner last acknowledged."""

    def periods(self, session_id: str, after: int) -> Sequence[ChargingPeriod]:
        """The session's charging periods with an index above `after`, in order."""

    def save_pushed(self, pushed: Pushed, due_at: datetime | None) -> None:
        """Remembers what the partner acknowledged; with `due_at` the sweep wakes the next push then."""


class WatchStore(Protocol):
    """What watching the active profile needs."""

    def request(self, request_id: str) -> Request | None:
        """The request, or None."""

    def plan(self, request_id: str) -> Plan | None:
        """The plan that a SET carried, or None."""

    def active_profile(self, request_id: str) -> Plan | None:
        """The active profile that a GET was answered with, or None."""

    def save_active_profile(self, request_id: str, profile: Plan) -> None:
        """Remembers the profile that was told for a GET, where the charge point itself gave none."""

    def place(self, session: Session) -> Place:
        """The CSMS and the station of the session, and what is known of the station beside."""

    def save_watch(self, watch: Watch) -> None:
        """Remembers how far the duty is done; the sweep wakes it at its `due_at`."""
