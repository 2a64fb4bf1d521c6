"""The charge point answered a command: the request gets its answer, or goes on to its next step."""

from dataclasses import dataclass
from enum import StrEnum

from ocpi_bridge.domain.answers import ACCEPTED, UNKNOWN, active_profile, clear_answer, set_answer
from ocpi_bridge.domain.requests import WAITING, Answer, RequestKind, Result
from ocpi_bridge.domain.stations import outlet_by_uid
from ocpi_bridge.ports import Clock, CommandContext, CommandStore, Done, Failed


class Recorded(StrEnum):
    """What recording did, for logs and metrics."""

    ANSWERED = "answered"
    NEXT_STEP = "next_step"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """Records what the charge point said. The first answer of a step counts; later ones change nothing."""

    store: CommandStore
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
        return Recorded.ANSWERED if self.store.record_answer(request, answer) else Recorded.TOO_LATE

    def _answer(self, context: CommandContext, done: Done | Failed) -> Answer:
        request = context.request
        if isinstance(done, Failed):
            return Answer(Result.REJECTED, done.reason)
        match request.kind:
            case RequestKind.SET:
                return set_answer(done.status, done.detail)
            case RequestKind.CLEAR:
                return clear_answer(done.status, later_attempt=request.attempts > 1, detail=done.detail)
            case RequestKind.GET:
                return self._active_profile(context, done)

    def _active_profile(self, context: CommandContext, done: Done) -> Answer:
        session, station = context.session, context.station
        outlet = outlet_by_uid(station, session.evse_uid, session.connector_id) if session and station else None
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
