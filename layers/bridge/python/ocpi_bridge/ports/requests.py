"""Stores of requests. Every write is conditional and atomic; what returns False, or None, wrote nothing."""

from dataclasses import field
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Csms, Station, StationState
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.callers import CallerStore


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The registry entries around a session; None where the registry has no such entry (any more).

    `rights` are what the assignments say at this moment; those in the session are as old as its last event.
    """

    partner: Partner | None
    csms: Csms | None
    station: Station | None
    state: StationState
    rights: Rights = field(default_factory=Rights)


class RequestStore(Protocol):
    """What accepting a request needs, whoever wants it."""

    def control(self, session_id: str) -> Control:
        """The session's control; a new one where there is none."""

    def accept(self, request: Request, plan: Plan | None, before: Control, after: Control) -> bool:
        """Creates the request (with its plan) and moves the control on, both or neither.

        False: somebody else moved the control since `before` was read.
        """


class IntakeStore(CallerStore, RequestStore, Protocol):
    """What knowing a partner that calls, and accepting its request, needs."""

    def surroundings(self, partner_id: str, session: Session | None, at: datetime) -> Surroundings:
        """The partner, and what is around the session where one is given, its rights decided for an instant."""

    def reassign(self, session: Session, rights: Rights, at: datetime) -> None:
        """Writes rights that were decided at an instant into the session, unless an event did so meanwhile."""
