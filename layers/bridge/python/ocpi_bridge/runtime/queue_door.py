"""The door for queue messages: one use case a message, failures reported one by one, delays asked of the queue.

A message that fails at its last receipt is put into the dead-letter queue by its worker, with the reason. SQS, which
would move it without one, does so only where a worker died or ran out of time.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.sqs.dead_letters import NOT_DONE, Failure, kind_of, place_of, put_dead_letter
from ocpi_bridge.domain.errors import BridgeError, Contended
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.metric_catalogue import GIVEN_UP_MESSAGES
from ocpi_bridge.runtime.metrics import emit, log_failure
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.start import started

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS hides a message for at most 12 hours.
LONGEST_DELAY = 43_200
# After the first failure of a hurried message; after its second it is twice as long, and so on.
FAILED_AGAIN_IN = 2
# What a message is about, for the log of its failure.
_SUBJECTS = ("request_id", "session_id", "partner_id")


class NotYet(BridgeError):
    """A message that is ahead of what it is about: it comes again, and nothing is wrong."""


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message: its text, its attributes, and how often it was received by now."""

    text: str
    attributes: Mapping[str, str]
    receipts: int = 1

    @property
    def body(self) -> Mapping[str, Any]:
        """The JSON of a message that the bridge itself wrote; what others wrote is read within bounds, from `text`."""
        content: Mapping[str, Any] = json.loads(self.text)
        return content


@dataclass(frozen=True, slots=True)
class SourceQueue:
    """A queue that a worker takes from, its dead-letter queue, and how often the queue hands a message out at the most.

    `hurried`: what waits there is of no use later, so a message whose work failed comes back within seconds, each time
    after a longer while, and not after the queue's visibility timeout.
    """

    url: str
    dead_letters: str
    tries: int
    hurried: bool = False

    @classmethod
    def named(cls, name: str, *, hurried: bool = False) -> "SourceQueue":
        """The queue of a name such as CHARGER_COMMANDS, by the function's environment."""
        tries = int(variable(f"{name}_TRIES"))
        return cls(variable(f"{name}_QUEUE_URL"), variable(f"{name}_DLQ_URL"), tries, hurried)


# Handles a message; gives the seconds after which it is to come back, or None when it is done.
Work = Callable[[QueueMessage], "float | None"]
Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]


def queue_worker(work: Work, client: "Callable[[], SQSClient]", *queues: SourceQueue) -> Handler:
    """Makes a Lambda handler for messages of these queues (ReportBatchItemFailures).

    A message whose work raises comes back after the queue's visibility timeout, or sooner from a hurried queue; one whose
    work asks for a delay comes back then. At its last receipt it is put into the dead-letter queue, and is done only when it is there. On a FIFO
    queue all later messages of the batch fail with one that comes back, so that their order stays.
    """

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        failures: list[dict[str, str]] = []
        blocked = False
        for record in event["Records"]:
            name = str(record["eventSourceARN"]).rpartition(":")[2]
            queue = next((queue for queue in queues if queue.url.endswith(f"/{name}")), None)
            if not blocked and _Turn(record, name, queue, client).done(work):
                continue
            blocked = name.endswith(".fifo")
            failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    return started(handle)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One receipt of a message; `queue` is None where the function was not told of it: a defect of the deployment."""

    record: Mapping[str, Any]
    name: str
    queue: SourceQueue | None
    client: "Callable[[], SQSClient]"

    def done(self, work: Work) -> bool:
        """Whether the queue may forget the message."""
        try:
            again_in = work(self._message())
            if again_in is None:
                return True
            if not self._last:
                self._defer(again_in)
                return False
            error, where = NOT_DONE, ""
        except Exception as raised:  # noqa: BLE001 - one message's failure must not fail the others; it comes back by itself
            self._tell_failure(raised)
            error, where = kind_of(raised), place_of(raised)
            self._hurry()
        return self._last and self._given_up(error, where)

    def _hurry(self) -> None:
        if self.queue is None or not self.queue.hurried or self._last:
            return
        try:
            self._defer(FAILED_AGAIN_IN * self._receipts)
        except Exception:  # noqa: BLE001 - then it comes back when the queue itself says so
            logger.warning("queue.not_hurried", exc_info=True, extra=self._about)

    @property
    def _receipts(self) -> int:
        # A record that does not tell it is taken for a new one: it fails alone, and not with its whole batch.
        count = str((self.record.get("attributes") or {}).get("ApproximateReceiveCount", ""))
        return int(count) if count.isdecimal() else 1

    @property
    def _last(self) -> bool:
        return self.queue is not None and self._receipts >= self.queue.tries

    def _message(self) -> QueueMessage:
        return QueueMessage(
            text=self.record["body"],
            attributes={key: value["stringValue"] for key, value in self.record["messageAttributes"].items()},
            receipts=self._receipts,
        )

    def _defer(self, seconds: float) -> None:
        if self.queue is not None:
            self.client().change_message_visibility(
                QueueUrl=self.queue.url,
                ReceiptHandle=self.record["receiptHandle"],
                VisibilityTimeout=max(0, min(LONGEST_DELAY, round(seconds))),
            )

    def _given_up(self, error: str, where: str) -> bool:
        """Whether it lies in the dead-letter queue now. If not it fails, and SQS moves it there, without the reason."""
        if self.queue is None:
            return False
        failure = Failure(error, where, self._receipts, self.record["messageId"], SystemClock().now())
        try:
            put_dead_letter(self.client(), self.queue.dead_letters, self.record, failure)
        except Exception:  # noqa: BLE001 - whatever keeps it from being put there, the message must not be lost
            log_failure("queue.not_given_up", self._about)
            return False
        logger.error("queue.given_up", extra={**self._about, "error": error, "attempts": failure.attempts})
        emit(GIVEN_UP_MESSAGES)
        return True

    @property
    def _about(self) -> dict[str, object]:
        """What the message is, and what it is about where that can be read."""
        about: dict[str, object] = {"queue": self.name, "message_id": self.record.get("messageId")}
        if "csms_id" in (self.record.get("messageAttributes") or {}):
            # Not the bridge's own, and perhaps the reason why it failed.
            return about
        with suppress(KeyError, TypeError, ValueError, RecursionError):
            body = json.loads(self.record["body"])
            about |= {key: body[key] for key in _SUBJECTS if isinstance(body, dict) and key in body}
        return about

    def _tell_failure(self, error: Exception) -> None:
        if _passes(error):
            logger.warning("queue.again", exc_info=error, extra=self._about)
        else:
            log_failure("queue.failed", self._about, error)


def _passes(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return error.split((Contended, NotYet))[1] is None
    return isinstance(error, Contended | NotYet)
