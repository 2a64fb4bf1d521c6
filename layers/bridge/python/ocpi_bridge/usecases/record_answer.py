"""The charge point answered a command: the request gets its answer, or goes on to its next step."""

from dataclasses import replace
from enum import StrEnum

from ocpi_bridge.domain.answers import active_profile, clear_answer, set_answer, understood
from ocpi_bridge.domain.learning import NOT_SUPPORTED_FOR, rate_limited_for, says_not_supported
from ocpi_bridge.domain.requests import WAITING, Answer, Request, RequestKind, Result
from ocpi_bridge.domain.stations import Capabilities
from ocpi_bridge.domain.statuses import ACCEPTED, UNKNOWN
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.charge_points import Done, Failed
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.commands import CommandContext, CommandStore
from ocpi_bridge.ports.stations import StationStates


class Recorded(StrEnum):
    """What recording did, for logs and metrics."""

    ANSWERED = "answered"
    NEXT_STEP = "next_step"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """Records what the charge point said. The first answer of a step counts; later ones change nothing."""

    store: CommandStore
    states: StationStates
    clock: Clock

    def __call__(self, context: CommandContext, done: Done | Failed) -> Recorded:
        """Gives the request its answer. A Failed is final here: REJECTED with its reason."""
        request = context.request
        if request.state not in WAITING:
            return Recorded.TOO_LATE
        last = request.step == len(request.steps) - 1
        if isinstance(done, Done) and not last and done.status in {ACCEPTED, UNKNOWN}:
            # Only a CLEAR stands before another step, and a profile that is not there needs no clearing.
            went_on = self.store.turn_to_step(request, request.step + 1)
            return Recorded.NEXT_STEP if went_on else Recorded.TOO_LATE
        answer = self._answer(context, done)
        recorded = self.store.record_answer(request, answer, uncertain=_uncertain(request, answer, done))
        if recorded:
            self._learn(request, done)
        return Recorded.ANSWERED if recorded else Recorded.TOO_LATE

    def _answer(self, context: CommandContext, done: Done | Failed) -> Answer:
        request = context.request
        if isinstance(done, Failed):
            return Answer(Result.REJECTED, done.reason, supported=done.offered)
        match request.kind:
            case RequestKind.SET:
                return set_answer(done.status, done.detail)
            case RequestKind.CLEAR:
                return clear_answer(done.status, later_attempt=request.attempts > 1, detail=done.detail)
            case RequestKind.GET:
                return replace(self._active_profile(context, done), supported=not says_not_supported(done.status))
            case RequestKind.LEARN:
                return set_answer(done.status, done.detail)

    def _active_profile(self, context: CommandContext, done: Done) -> Answer:
        session, outlet = context.session, context.outlet
        if session is None or outlet is None:
            return Answer(Result.REJECTED, "the session's EVSE is not in the registry any more")
        installed, now = context.control.installed, self.clock.now()
        return active_profile(
            done.status,
            done.schedule,
            plan_expected=installed is not None and installed.in_force(now),
            outlet=outlet,
            phases=session.phases,
            unit=context.request.unit,
            now=now,
            duration=context.request.duration or 0,
            detail=done.detail,
        )

    def _learn(self, request: Request, done: Done | Failed) -> None:
        """What the answer tells of the station, beside the request: it is asked for less, or not at all, for a while."""
        now, place = self.clock.now(), (request.csms_id, request.station_id)
        if request.kind is RequestKind.LEARN:
            said = done.capabilities if isinstance(done, Done) else None
            # Remembered also where it says nothing: it is not asked with every session.
            self.states.learned(*place, said or Capabilities(), now)
        elif request.kind is RequestKind.SET and isinstance(done, Done):
            if says_not_supported(done.status):
                self.states.has_no_smart_charging(*place, now + NOT_SUPPORTED_FOR)
            pause = rate_limited_for(done.detail)
            if pause is not None and done.status != ACCEPTED:
                self.states.is_rate_limited(*place, now + pause)


def _uncertain(request: Request, answer: Answer, done: Done | Failed) -> bool:
    """Whether nobody knows now what the charge point follows (design decision 16).

    The command may have been sent without an answer that means anything; or what is refused now was done at an earlier
    attempt, whose answer was lost; or the first of two steps took the former plan away and the second one came to nothing.
    """
    if request.number is None or answer.result is Result.ACCEPTED:
        return False
    unheard = not done.nothing_sent if isinstance(done, Failed) else not understood(done.status)
    halfway = request.step > 0
    return unheard or halfway or request.attempts - 1 > request.unsent
