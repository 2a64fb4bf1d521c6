"""A request's turn at its charge point: check that it still counts, write SENT, call the CSMS.

SENT is written before the call, so whatever dies after it leaves a request that is known to be perhaps sent. It is sent
again only while its number is still the last one sent and enough time is left for the answer.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from ocpi_bridge.domain.errors import InvalidInput, PlanRefused
from ocpi_bridge.domain.fail_safe import ended_at
from ocpi_bridge.domain.fitting import fitted
from ocpi_bridge.domain.plan_sending import fit_of
from ocpi_bridge.domain.requests import (
    WAITING,
    Answer,
    Fit,
    Origin,
    Request,
    RequestKind,
    RequestState,
    Result,
    Whereabouts,
)
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Csms, Outlet, Quirk, maximum_power
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.charge_points import ChargePointDriver, ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.commands import CommandContext, CommandStore
from ocpi_bridge.usecases.record_answer import RecordAnswer, Recorded

# Less time than this is no use: a charge point on a mobile link takes a few seconds to answer.
LEAST_CALL_TIME = timedelta(seconds=5)
# A call ends this long before the request expires, so that no command leaves after its request was answered REJECTED.
CALL_MARGIN = timedelta(seconds=1)
# Waits between attempts when the CSMS took nothing (offline, busy, overloaded); the station's queue waits with it.
BACKOFF = (1, 2, 4, 8)


class Sent(StrEnum):
    """How a turn ended, for logs and metrics."""

    ANSWERED = "answered"
    PENDING = "pending"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    NOTHING_TO_DO = "nothing_to_do"
    OUT_OF_TIME = "out_of_time"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Turn:
    """The end of a turn; `again_in` (s) is when the message is to come back."""

    what: Sent
    request: Request | None = None
    again_in: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SendCommand:
    """Sends the current step of a request to its charge point.

    `callback_url` signs a one-time URL for a command (its id) of a CSMS (its id).
    """

    store: CommandStore
    driver: ChargePointDriver
    record: RecordAnswer
    callback_url: Callable[[str, str], str]
    clock: Clock

    def __call__(self, request_id: str, step: int, about: Whereabouts | None = None) -> Turn:
        """Takes one turn. At-least-once towards the charge point, always with the same profile id.

        `about` is what the request is said to be about, which spares a reading.
        """
        context = self.store.command_context(request_id, about)
        if context is None or context.request.step != step or context.request.state not in WAITING:
            return Turn(Sent.NOTHING_TO_DO, context.request if context else None)
        request = context.request
        if request.deadline - self.clock.now() < LEAST_CALL_TIME + CALL_MARGIN:
            return Turn(Sent.OUT_OF_TIME, request)
        if request.state is RequestState.SENT and step:
            # Its SET may have been done: where a CSMS refuses to replace, only a CLEAR before it makes a SET possible.
            self.store.turn_to_step(request, 0)
            return Turn(Sent.NOTHING_TO_DO, request)
        command = self._command(context)
        if isinstance(command, Answer):
            return self._refuse(request, command)
        fitted_to = self._fitted_to(context, command)
        request = replace(request, fitted_to=fitted_to or request.fitted_to)
        if not self._counts(context) or not self.store.mark_sent(request):
            return self._overtaken(request)
        return self._submit(replace(context, request=request), command)

    def _counts(self, context: CommandContext) -> bool:
        number, sent = context.request.number, context.control.sent
        if number is None:
            return True
        if context.request.state is RequestState.SENT:
            return number == sent
        return number >= sent

    def _overtaken(self, request: Request) -> Turn:
        """Somebody was faster: if a later request was sent, one that never was sent itself is answered now."""
        again = self.store.command_context(request.request_id, request.whereabouts)
        if again is None or again.request.state is not RequestState.PENDING or again.request.step != request.step:
            return Turn(Sent.NOTHING_TO_DO, request)
        if self._counts(again):
            return Turn(Sent.AGAIN, request, again_in=BACKOFF[0], reason="the session's control was held")
        superseded = Answer(Result.REJECTED, "superseded by a later request")
        self.store.record_answer(again.request, superseded, uncertain=_leaves_a_doubt(again.request))
        return Turn(Sent.SUPERSEDED, request)

    def _refuse(self, request: Request, answer: Answer) -> Turn:
        self.store.record_answer(request, answer, uncertain=_leaves_a_doubt(request))
        return Turn(Sent.REFUSED, request, reason=answer.reason)

    def _submit(self, context: CommandContext, command: ChargerCommand) -> Turn:
        request = replace(context.request, state=RequestState.SENT, attempts=context.request.attempts + 1)
        csms = context.csms
        if csms is None:
            raise ValueError("a command needs its CSMS")
        outcome = self.driver.submit(csms, command)
        if isinstance(outcome, Pending):
            return Turn(Sent.PENDING, request)
        if isinstance(outcome, Failed) and outcome.retryable:
            wait = max(BACKOFF[min(request.attempts, len(BACKOFF)) - 1], outcome.retry_after or 0)
            left = request.deadline - self.clock.now() - timedelta(seconds=wait)
            if left >= LEAST_CALL_TIME + CALL_MARGIN:
                if outcome.nothing_sent and request.attempts - 1 == request.unsent:
                    self.store.nothing_sent(request)
                return Turn(Sent.AGAIN, request, again_in=wait, reason=outcome.reason)
            if not outcome.nothing_sent:
                return Turn(Sent.OUT_OF_TIME, request, reason=outcome.reason)
        recorded = self.record(replace(context, request=request), outcome)
        what = Sent.NOTHING_TO_DO if recorded is Recorded.TOO_LATE else Sent.ANSWERED
        return Turn(what, request, reason=_reason(outcome))

    def _fitted_to(self, context: CommandContext, command: ChargerCommand) -> Fit | None:
        if command.kind is not RequestKind.SET or context.plan is None or context.session is None:
            return None
        return fit_of(command.outlet, context.session.phases, context.plan)

    def _command(self, context: CommandContext) -> ChargerCommand | Answer:
        """The command for the charge point, or the answer where there can be none any more."""
        request, session, csms, station = context.request, context.session, context.csms, context.station
        if session is None or not (session.steerable or _cleans_up(request, session)):
            return _no("the session is over")
        if csms is None or station is None:
            return _no("the station is not in the registry any more")
        outlet = context.outlet
        if outlet is None:
            return _no("the EVSE is not in the registry any more")
        if request.kind is RequestKind.SET:
            if session.rights.steered_by != request.partner_id:
                return _no("its partner may not steer the session any more")
            if session.steering_suspended or context.state.suspends(session.evse_uid):
                return _no("the CPO has suspended steering")
        if request.kind is RequestKind.GET and Quirk.NO_COMPOSITE in station.quirks:
            return _no("the station gives no composite schedules: its registry entry says so", supported=False)
        try:
            return self._build(context, session, csms, outlet)
        except (PlanRefused, InvalidInput) as error:
            return _no(str(error) or type(error).__name__ + f" for request {request.request_id}")

    def _build(self, context: CommandContext, session: Session, csms: Csms, outlet: Outlet) -> ChargerCommand:
        request, kind = context.request, context.request.current_step
        plan = None
        if kind is RequestKind.SET:
            if context.plan is None:
                raise PlanRefused("the plan is gone")
            lasting = context.plan
            if request.fail_safe_at is not None:
                lasting = ended_at(lasting, request.fail_safe_at, session.start)
            plan = fitted(
                lasting,
                outlet,
                phases=session.phases,
                maximum_w=maximum_power(outlet),
                now=self.clock.now(),
                charging_since=session.start,
            )
        highest = outlet.station.max_stack_level
        return ChargerCommand(
            command_id=request.command_id,
            kind=kind,
            outlet=outlet,
            transaction_id=session.transaction_id,
            profile_id=session.profile_id,
            stack_level=csms.stack_level if highest is None else min(csms.stack_level, highest),
            deadline=request.deadline - CALL_MARGIN,
            callback_url=self.callback_url(request.command_id, request.csms_id),
            correlation_id=request.correlation_id,
            request_id=request.request_id,
            session_id=session.session_id,
            asked_plan=context.plan,
            plan=plan,
            phases=session.phases,
            duration=request.duration,
        )


def _no(reason: str, *, supported: bool = True) -> Answer:
    return Answer(Result.REJECTED, reason, supported=supported)


def _leaves_a_doubt(request: Request) -> bool:
    """Whether something of it was sent and may have been done (of two steps the first was), though no more is sent."""
    return request.number is not None and request.attempts > request.unsent


def _cleans_up(request: Request, session: Session) -> bool:
    """Whether it clears the plan of a session that is over, so that it does not reach the next car."""
    ended = session.over or session.superseded_at is not None
    return ended and request.kind is RequestKind.CLEAR and request.origin is Origin.BRIDGE


def _reason(outcome: Done | Failed) -> str:
    return outcome.reason if isinstance(outcome, Failed) else outcome.status
