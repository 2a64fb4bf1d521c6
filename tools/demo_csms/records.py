"""What the CSMS observes: frames on its sockets, and commands that it sent and waits for."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tools.counterparts.json_types import JsonObject
from tools.counterparts.ocpp_json import Call, CallError, CallResult, Frame, OcppVersion
from tools.demo_csms.errors import CallRefusedError, CsmsError, StationSilentError


class Direction(StrEnum):
    """Who sent a frame."""

    FROM_STATION = "from station"
    TO_STATION = "to station"


@dataclass(frozen=True, slots=True)
class RecordedFrame:
    """One frame; `action` is also known for answers, `problem` says what the official schema has against it."""

    at: datetime
    station_id: str
    direction: Direction
    action: str
    frame: Frame
    version: OcppVersion = OcppVersion.V16
    problem: str | None = None

    @property
    def is_call(self) -> bool:
        """Whether this is a request."""
        return isinstance(self.frame, Call)

    @property
    def payload(self) -> JsonObject:
        """The payload of a CALL or CALLRESULT; the details of a CALLERROR."""
        return self.frame.details if isinstance(self.frame, CallError) else self.frame.payload


class PendingCall:
    """A CALL on its way to a station; `outcome` holds the answer, or a CsmsError when there is none."""

    def __init__(self, station_id: str, call: Call) -> None:
        self.station_id = station_id
        self.call = call
        self.outcome: Future[CallResult | CallError] = Future()
        self._settling = threading.Lock()

    def settle(self, outcome: CallResult | CallError | CsmsError) -> bool:
        """Store the outcome if it is the first; whether it was."""
        with self._settling:
            if self.outcome.done():
                return False
            if isinstance(outcome, CsmsError):
                self.outcome.set_exception(outcome)
            else:
                self.outcome.set_result(outcome)
            return True

    def answer(self, timeout: float) -> JsonObject:
        """The payload of the CALLRESULT.

        Raises StationSilentError after `timeout` seconds, CallRefusedError for CALLERROR, AnswerInvalidError.
        """
        try:
            outcome = self.outcome.result(timeout)
        except TimeoutError as error:
            raise StationSilentError(f"{self.station_id} did not answer {self.call.action} in {timeout:g} s") from error
        if isinstance(outcome, CallError):
            raise CallRefusedError(outcome)
        return outcome.payload


@dataclass(frozen=True, slots=True)
class ReceivedCommand:
    """A command that came by HTTP and was sent to a station; `client_port` is the caller's TCP port."""

    version: OcppVersion
    station_id: str
    message_id: str
    action: str
    payload: JsonObject
    client_port: int
    at: datetime
    # A capability URL: whoever has it may answer for the charge point, so it stays out of every message.
    callback_url: str | None = field(default=None, repr=False)
