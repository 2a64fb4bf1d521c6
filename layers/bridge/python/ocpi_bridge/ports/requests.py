"""Stores of requests. Every write is conditional and atomic; what returns False, or None, wrote nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Answer, Request
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Csms, Outlet, Station, StationState, outlet_as_it_is
from ocpi_bridge.domain.tokens import AcceptedToken


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the session that the call is about, as one read finds them. `party` is the partner's own.

    `token` is the one that was presented; None with nobody known.
    """

    partner_id: str | None
    party: Party | None = None
    token: AcceptedToken | None = None
    session: Session | None = None
    control: Control | None = None


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


class IntakeStore(RequestStore, Protocol):
    """What knowing a partner that calls, and accepting its request, needs."""

    def caller(self, token_hashes: Sequence[str], session_id: str | None = None) -> Caller:
        """Who one of the token hashes belongs to, with the session of that id (compared without case)."""

    def settle_token(self, token: AcceptedToken) -> None:
        """Ends the tokens that this one supersedes, now that it was used; all at once, and once however many call.

        Nothing is written where somebody else did so, or the token has gone. Raises Contended.
        """

    def surroundings(self, partner_id: str, session: Session | None, at: datetime) -> Surroundings:
        """The partner, and what is around the session where one is given, its rights decided for an instant."""

    def reassign(self, session: Session, rights: Rights, at: datetime) -> None:
        """Writes rights that were decided at an instant into the session, unless an event did so meanwhile."""


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A request with all that its command needs; None where something does not exist (any more)."""

    request: Request
    plan: Plan | None
    session: Session | None
    control: Control
    csms: Csms | None
    station: Station | None
    state: StationState = field(default_factory=StationState)

    @property
    def outlet(self) -> Outlet | None:
        """Where the session takes place, with all that is known of its station."""
        if self.session is None:
            return None
        return outlet_as_it_is(self.station, self.state, self.session.evse_uid, self.session.connector_id)


class CommandStore(Protocol):
    """What sending charger commands and recording their answers needs."""

    def command_context(self, request_id: str) -> CommandContext | None:
        """The request with its surroundings, or None."""

    def mark_sent(self, request: Request) -> bool:
        """PENDING or SENT (of this step) -> SENT, one more attempt, and the session's last number sent.

        What the plan is fitted to (`fitted_to`) is remembered with it.

        False: the request moved on, or a higher number was sent meanwhile, or (for a request that was SENT before) it
        is no longer the last one sent.
        """

    def nothing_sent(self, request: Request) -> None:
        """Notes that none of the request's attempts so far reached its charge point, unless it moved on meanwhile."""

    def record_answer(self, request: Request, answer: Answer, *, uncertain: bool = False) -> bool:
        """PENDING or SENT (of this step) -> ANSWERED; and which plan is installed now, or that nobody knows (`uncertain`).

        An accepted SET's is; after a CLEAR that was accepted, or found nothing to clear, none is.
        False: the request has its answer already, or expired.
        """

    def turn_to_step(self, request: Request, step: int) -> bool:
        """SENT (of the request's step) -> PENDING of another step; a step on means that nothing is installed now.

        False: the request moved on.
        """


class PartnerReader(Protocol):
    """Looks partners up."""

    def partner(self, partner_id: str) -> Partner | None:
        """The partner, or None."""


class DeliveryStore(Protocol):
    """What delivering results needs."""

    def request(self, request_id: str) -> Request | None:
        """The request, or None."""

    def active_profile(self, request_id: str) -> Plan | None:
        """The active profile that a GET was answered with, or None."""

    def expire(self, request: Request, answer: Answer) -> Request | None:
        """PENDING or SENT -> EXPIRED with this answer; a SET or CLEAR that was sent leaves its outcome uncertain.

        None: somebody answered, or sent it, meanwhile.
        """

    def lease_delivery(self, request: Request, until: datetime, now: datetime) -> Request | None:
        """Takes the right to deliver until an instant, counting the attempt.

        None: delivered, given up, or somebody else holds the lease.
        """

    def release_delivery(self, request: Request, error: str) -> None:
        """Gives the lease back after a failed attempt that will be repeated, with its error."""

    def delivered(self, request: Request) -> None:
        """ANSWERED or EXPIRED -> DELIVERED."""

    def undelivered(self, request: Request, error: str) -> None:
        """ANSWERED or EXPIRED -> UNDELIVERED, with the last error."""
