"""One station's WebSocket: frames checked by the official schemas, one CALL in flight (OCPP 1.6J)."""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject
from tools.counterparts.ocpp_json import (
    Call,
    CallError,
    CallResult,
    Frame,
    FrameError,
    OcppVersion,
    PayloadError,
    check_request,
    check_response,
    knows_action,
    read_frame,
    write_frame,
)
from tools.demo_csms.errors import AnswerInvalidError, CallInProgressError, NoConnectionError, StationSilentError
from tools.demo_csms.records import Direction, PendingCall, RecordedFrame

LOGGER = logging.getLogger(__name__)


class CallHandler(Protocol):
    """Answers the stations' calls."""

    def answer(self, station_id: str, call: Call) -> JsonObject | None:
        """The payload of the answer; None when the central system does not implement the action."""

    def answered(self, station_id: str, call: Call, answer: JsonObject) -> None:
        """Told after the answer was sent, in the order of the station's calls."""


class StationConnection:
    """The connection of one station from its opening to its end."""

    def __init__(
        self,
        station_id: str,
        socket: ServerConnection,
        handler: CallHandler,
        frames: Journal[RecordedFrame],
        *,
        call_seconds: float,
        new_message_id: Callable[[], str] | None = None,
    ) -> None:
        self.station_id = station_id
        self._socket = socket
        self._handler = handler
        self._frames = frames
        self._call_seconds = call_seconds
        counter = itertools.count(1)
        self._new_message_id = new_message_id or (lambda: f"{station_id}-{next(counter)}-{time.time_ns():x}")
        # Sending and recording are one step, so that a fast answer is never recorded before its question.
        self._sending = threading.Lock()
        self._slot = threading.Condition()
        self._in_flight: PendingCall | None = None
        self._in_flight_until = 0.0
        self._unanswered: dict[str, PendingCall] = {}

    def serve(self) -> None:
        """Receive until the connection ends; then every unanswered call fails with StationSilentError."""
        try:
            for text in self._socket:
                self._take(text)
        except ConnectionClosed:
            LOGGER.debug("%s lost its connection", self.station_id)
        finally:
            self._give_up()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def call(self, action: str, payload: JsonObject, *, wait: float = 0.0) -> PendingCall:
        """Send a CALL; returns as soon as it is written to the socket.

        Raises CallInProgressError when the station still owes an answer after `wait` seconds, NoConnectionError when
        the connection is gone; then nothing was sent. An unanswered CALL blocks the station for `call_seconds`.
        """
        pending = PendingCall(self.station_id, Call(self._new_message_id(), action, payload))
        self._take_slot(pending, wait)
        self._unanswered[pending.call.message_id] = pending
        try:
            self._send(pending.call, action)
        except ConnectionClosed as error:
            self._free_slot(pending)
            raise NoConnectionError(f"{self.station_id} lost its connection") from error
        return pending

    def _take_slot(self, pending: PendingCall, wait: float) -> None:
        deadline = time.monotonic() + wait
        with self._slot:
            while self._in_flight is not None and (busy := self._in_flight_until - time.monotonic()) > 0:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise CallInProgressError("Call already in progress")
                self._slot.wait(min(busy, left))
            self._in_flight = pending
            self._in_flight_until = time.monotonic() + self._call_seconds

    def _free_slot(self, pending: PendingCall) -> None:
        self._unanswered.pop(pending.call.message_id, None)
        with self._slot:
            if self._in_flight is pending:
                self._in_flight = None
                self._slot.notify_all()

    def _give_up(self) -> None:
        for pending in list(self._unanswered.values()):
            pending.settle(StationSilentError(f"{self.station_id} lost its connection before its answer"))
            self._free_slot(pending)

    def _send(self, frame: Frame, action: str) -> None:
        with self._sending:
            self._socket.send(write_frame(frame))
            self._record(Direction.TO_STATION, action, frame)

    def _record(self, direction: Direction, action: str, frame: Frame, problem: str | None = None) -> None:
        self._frames.record(RecordedFrame(utc_now(), self.station_id, direction, action, frame, problem=problem))

    def _take(self, text: str | bytes) -> None:
        try:
            frame = read_frame(text)
        except FrameError as error:
            LOGGER.warning("%s sent no OCPP-J frame: %s", self.station_id, error)
            return
        if isinstance(frame, Call):
            self._take_call(frame)
        else:
            self._take_answer(frame)

    def _take_call(self, call: Call) -> None:
        if not knows_action(OcppVersion.V16, call.action):
            self._refuse(call, CallError(call.message_id, "NotImplemented", f"OCPP 1.6 has no {call.action}"))
            return
        try:
            check_request(OcppVersion.V16, call.action, call.payload)
        except PayloadError as error:
            self._refuse(call, CallError(call.message_id, "FormationViolation", str(error)))
            return
        self._record(Direction.FROM_STATION, call.action, call)
        answer = self._handler.answer(self.station_id, call)
        if answer is None:
            self._send(CallError(call.message_id, "NotSupported", f"no use for {call.action} here"), call.action)
            return
        check_response(OcppVersion.V16, call.action, answer)
        self._send(CallResult(call.message_id, answer), call.action)
        self._handler.answered(self.station_id, call, answer)

    def _refuse(self, call: Call, error: CallError) -> None:
        self._record(Direction.FROM_STATION, call.action, call, problem=error.description)
        self._send(error, call.action)

    def _take_answer(self, frame: CallResult | CallError) -> None:
        with self._sending:
            pending = self._unanswered.get(frame.message_id)
        if pending is None:
            LOGGER.warning("%s answered a call that nobody made", self.station_id)
            return
        action = pending.call.action
        problem = None
        if isinstance(frame, CallResult):
            try:
                check_response(OcppVersion.V16, action, frame.payload)
            except PayloadError as error:
                problem = str(error)
        self._record(Direction.FROM_STATION, action, frame, problem)
        self._free_slot(pending)
        pending.settle(frame if problem is None else AnswerInvalidError(problem))
