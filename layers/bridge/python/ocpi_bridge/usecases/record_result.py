"""What a CSMS reports to a command by its id, on whichever way, becomes the charge point's answer."""

from enum import StrEnum

from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.charge_points import CallbackParser
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.commands import CommandStore
from ocpi_bridge.usecases.record_answer import RecordAnswer


class Outcome(StrEnum):
    """What became of a reported result, for logs and metrics."""

    ANSWERED = "answered"
    NEXT_STEP = "next_step"
    TOO_LATE = "too_late"
    UNKNOWN_COMMAND = "unknown_command"
    ANOTHER_CSMS = "another_csms"

    @property
    def refused(self) -> bool:
        """Whether the one who reports it has no business with the command."""
        return self is Outcome.ANOTHER_CSMS

    @property
    def recorded(self) -> bool:
        """Whether the request went on by it."""
        return self in {Outcome.ANSWERED, Outcome.NEXT_STEP}


@dataclass(frozen=True, slots=True)
class ReportedResult:
    """The outcome, and the request that the command belongs to where there is one."""

    outcome: Outcome
    request: Request | None = None


@dataclass(frozen=True, slots=True)
class RecordResult:
    """Finds the request of a command's id (`{request}.{step}`), reads the answer, and records it.

    Harmless late, twice, or for a command that nobody knows: the first answer of a step counts.
    """

    store: CommandStore
    reader: CallbackParser
    record: RecordAnswer
    clock: Clock

    def __call__(self, command_id: str, body: bytes, csms_id: str | None = None) -> ReportedResult:
        """Records the answer in `body` (see CallbackParser). `csms_id`: who reports it, or whom its URL was made for.

        Another CSMS's command is not touched, whatever is said of it.
        """
        request_id, _, step = command_id.partition(".")
        context = self.store.answer_context(request_id, csms_id)
        if context is None:
            return ReportedResult(Outcome.UNKNOWN_COMMAND)
        request = context.request
        if csms_id is not None and request.csms_id != csms_id:
            return ReportedResult(Outcome.ANOTHER_CSMS, request)
        if context.csms is None or str(request.step) != step:
            return ReportedResult(Outcome.TOO_LATE, request)
        answer = self.reader.parse_callback(context.csms, request.current_step, body, self.clock.now())
        return ReportedResult(Outcome(self.record(context, answer)), request)
