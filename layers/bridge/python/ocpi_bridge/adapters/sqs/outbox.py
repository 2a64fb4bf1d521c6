"""The outbox: messages to their queues, in batches of ten."""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.sqs.messages import body_of, deduplication_id, delay_seconds
from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.messages import (
    CommandMessage,
    DeadlineMessage,
    FailedDelivery,
    Message,
    OverdueSession,
    PushMessage,
    ResultMessage,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS takes at most so many messages in one call.
BATCH = 10


class NotTaken(BridgeError):
    """A queue did not take some messages; send all of them again."""


@dataclass(frozen=True, slots=True)
class QueueUrls:
    """The URLs of the queues that a function sends to; empty where it never does."""

    charger_commands: str = ""
    request_deadlines: str = ""
    result_callbacks: str = ""
    partner_updates: str = ""
    failed_deliveries: str = ""
    csms_events: str = ""


@dataclass(frozen=True, slots=True)
class SqsOutbox:
    """Outbox on SQS."""

    client: "SQSClient"
    queues: QueueUrls
    clock: Clock

    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        """See Outbox. Order within a queue is kept. Raises NotTaken."""
        by_queue: dict[str, list[dict[str, Any]]] = {}
        for message in messages:
            queue, entry = self._entry(message, again)
            by_queue.setdefault(queue, []).append(entry)
        failed: list[str] = []
        for queue, entries in by_queue.items():
            for batch in _batches(entries):
                answer = self.client.send_message_batch(QueueUrl=queue, Entries=batch)  # type: ignore[arg-type]
                failed += [failure.get("Code", "unknown") for failure in answer.get("Failed", [])]
        if failed:
            raise NotTaken(f"{len(failed)} messages were not taken: {', '.join(sorted(set(failed)))}")

    def _entry(self, message: Message, again: str | None) -> tuple[str, dict[str, Any]]:
        entry: dict[str, Any] = {"MessageBody": body_of(message)}
        match message:
            case CommandMessage():
                entry["MessageGroupId"] = _group(message.station_key)
                entry["MessageDeduplicationId"] = deduplication_id(message, again)
                return self.queues.charger_commands, entry
            case PushMessage():
                entry["MessageGroupId"] = _group(f"{message.partner_id}#{message.session_id}")
                entry["MessageDeduplicationId"] = deduplication_id(message, again)
                return self.queues.partner_updates, entry
            case DeadlineMessage():
                entry["DelaySeconds"] = delay_seconds(message, self.clock.now())
                return self.queues.request_deadlines, entry
            case ResultMessage():
                # On a standard queue a group makes it fair: one partner's backlog does not delay another's results.
                entry["MessageGroupId"] = _group(message.partner_id)
                return self.queues.result_callbacks, entry
            case OverdueSession():
                entry["MessageAttributes"] = {"csms_id": {"DataType": "String", "StringValue": message.csms_id}}
                return self.queues.csms_events, entry
            case FailedDelivery():
                return self.queues.failed_deliveries, entry


def _group(name: str) -> str:
    """A message group id of any name: SQS allows 128 characters of a small alphabet."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def _batches(entries: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    numbered = ({"Id": str(index), **entry} for index, entry in enumerate(entries))
    while batch := list(islice(numbered, BATCH)):
        yield batch
