"""The store of requests, as their commands need it. Writes as in requests."""

from dataclasses import field
from typing import Protocol

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Answer, Request, Whereabouts
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Csms, Outlet, Station, StationState, outlet_as_it_is
from ocpi_bridge.domain.values import dataclass


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

    def command_context(self, request_id: str, about: Whereabouts | None = None) -> CommandContext | None:
        """The request with its surroundings, or None. `about` is what it is said to be about."""

    def answer_context(self, request_id: str, csms_id: str | None) -> CommandContext | None:
        """The request with what reading an answer needs, or None: the CSMS, and what is around a GET's session.

        A SET's or CLEAR's plan, session and station are None, be they there or not. `csms_id`: whose it is said to be.
        """

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
