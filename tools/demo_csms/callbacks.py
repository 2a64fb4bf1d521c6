"""Callbacks as CitrineOS sends them: the answer's payload, once, without authorization, correlation or retry."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import httpx

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, write_json
from tools.counterparts.ocpp_json import CallError, CallResult
from tools.counterparts.plan import Plan
from tools.demo_csms.errors import CsmsError
from tools.demo_csms.event_reporter import trusting_client
from tools.demo_csms.records import PendingCall, ReceivedCommand

LOGGER = logging.getLogger(__name__)

# CitrineOS does not wait long either, and nobody waits for this answer.
CALLBACK_SECONDS = 15.0


class CallbackOutcome(StrEnum):
    """What became of a callback."""

    POSTED = "posted"
    FAILED = "no HTTP answer"
    DROPPED = "dropped as planned"
    EXPIRED = "the URL was no longer cached when the answer came"
    NO_ANSWER = "the station gave no valid answer"


@dataclass(frozen=True, slots=True)
class CallbackDelivery:
    """One callback, or why there is none."""

    at: datetime
    command: ReceivedCommand
    outcome: CallbackOutcome
    status: int | None = None


@dataclass(frozen=True, slots=True)
class DropCallback:
    """Never call back."""


@dataclass(frozen=True, slots=True)
class RepeatCallback:
    """Call back several times."""

    times: int = 2


@dataclass(frozen=True, slots=True)
class DelayCallback:
    """Call back late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HoldCallback:
    """Call back when the test says so."""

    release: threading.Event


@dataclass(frozen=True, slots=True)
class ReplaceCallback:
    """Call back with another body."""

    body: bytes


CallbackFault = DropCallback | RepeatCallback | DelayCallback | HoldCallback | ReplaceCallback


class CallbackSender:
    """Posts each command's answer to its callback URL, unless the URL's cache time is over or a fault is planned.

    `deliveries` records each callback and each one that did not happen.
    """

    def __init__(self, *, cache_seconds: float, ca_file: Path | None = None) -> None:
        self.deliveries: Journal[CallbackDelivery] = Journal()
        self._faults: Plan[ReceivedCommand, CallbackFault] = Plan()
        self._cache_seconds = cache_seconds
        self._client = trusting_client(ca_file, CALLBACK_SECONDS)
        self._stopping = threading.Event()

    def plan(
        self,
        fault: CallbackFault,
        *,
        station_id: str | None = None,
        action: str | None = None,
        times: int | None = 1,
    ) -> None:
        """Let a fault hit the next `times` callbacks (None: all) of a station and an action, or of any."""
        self._faults.add(
            fault,
            when=lambda command: station_id in {None, command.station_id} and action in {None, command.action},
            times=times,
        )

    def plan_each(self, choose: Callable[[ReceivedCommand], CallbackFault | None]) -> None:
        """Let `choose` say what hits each callback that no planned fault hits."""
        self._faults.otherwise = choose

    def clear_faults(self) -> None:
        """Call back as CitrineOS does again."""
        self._faults.clear()

    def follow(self, command: ReceivedCommand, pending: PendingCall) -> None:
        """Call back once the station has answered."""
        sent = time.monotonic()

        def answered(_: object) -> None:
            # The receiving thread of the station must go on, so the callback has a thread of its own.
            threading.Thread(
                target=self._call_back, args=(command, pending, sent), name="demo-csms-callback", daemon=True
            ).start()

        pending.outcome.add_done_callback(answered)

    def stop(self) -> None:
        """Send no further callback."""
        self._stopping.set()
        self._client.close()

    def _call_back(self, command: ReceivedCommand, pending: PendingCall, sent: float) -> None:
        try:
            body = write_json(_callback_body(pending.outcome.result())).encode()
        except CsmsError as error:
            LOGGER.debug("no callback for %s: %s", command.action, error)
            self._record(command, CallbackOutcome.NO_ANSWER)
            return
        if time.monotonic() - sent > self._cache_seconds:
            self._record(command, CallbackOutcome.EXPIRED)
            return
        match self._faults.take(command):
            case None:
                self._post(command, body)
            case DropCallback():
                self._record(command, CallbackOutcome.DROPPED)
            case RepeatCallback(times):
                for _ in range(times):
                    self._post(command, body)
            case DelayCallback(seconds):
                if not self._stopping.wait(seconds):
                    self._post(command, body)
            case HoldCallback(release):
                release.wait()
                self._post(command, body)
            case ReplaceCallback(other):
                self._post(command, other)

    def _post(self, command: ReceivedCommand, body: bytes) -> None:
        if self._stopping.is_set() or command.callback_url is None:
            return
        try:
            response = self._client.post(
                command.callback_url, content=body, headers={"Content-Type": "application/json"}
            )
        except (httpx.TransportError, httpx.InvalidURL, RuntimeError) as error:
            LOGGER.debug("callback failed: %s", type(error).__name__)
            self._record(command, CallbackOutcome.FAILED)
        else:
            self._record(command, CallbackOutcome.POSTED, response.status_code)

    def _record(self, command: ReceivedCommand, outcome: CallbackOutcome, status: int | None = None) -> None:
        self.deliveries.record(CallbackDelivery(utc_now(), command, outcome, status))


def _callback_body(answer: CallResult | CallError) -> JsonObject:
    return answer.payload if isinstance(answer, CallResult) else ocpp_error_body(answer)


def ocpp_error_body(error: CallError) -> JsonObject:
    """A CALLERROR as CitrineOS writes it: an OcppError object turned into JSON."""
    return {
        "_messageId": error.message_id,
        "_errorCode": error.code,
        "_errorDetails": error.details,
        "name": "OcppError",
    }
