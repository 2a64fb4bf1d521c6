"""Stores of sessions and of what was pushed of them. Writes as in requests."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import IdToken, StationEvent
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.stations import Csms, Station, StationState
from ocpi_bridge.domain.values import dataclass


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
