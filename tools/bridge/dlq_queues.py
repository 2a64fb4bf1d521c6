"""Dead-letter queues as operators look into them: what was looked at lies there again at once."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from ocpi_bridge.adapters.sqs.dead_letters import FAILURE, Failure, failure_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

# A look takes a second or two; where it is cut off, its letters come back by themselves after so long.
HELD_SECONDS = 60
# SQS gives, and takes back, at most so many in one call.
BATCH = 10
# A call that waits asks all of SQS's servers; one that does not may find a queue empty that is not.
WAIT_SECONDS = 1


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """A dead-letter queue by the name of the queue that it belongs to; `source_url` is that one, None where it has none."""

    name: str
    url: str
    source_url: str | None = None

    @property
    def fifo(self) -> bool:
        """Whether it keeps an order within groups."""
        return self.url.endswith(".fifo")


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a dead-letter queue.

    `message_id` is the one that it had in its own queue, as the logs know it; `key` the one that it has here.
    `attributes` are those that it was sent with; `failure` is what its worker wrote of it, None where it could not.
    """

    key: str
    receipt_handle: str = field(repr=False)
    body: str = field(repr=False)
    attributes: Mapping[str, str]
    group_id: str | None
    sent_at: datetime
    failure: Failure | None

    @property
    def message_id(self) -> str:
        """See above; SQS keeps the id of what it moves itself."""
        return self.failure.message_id if self.failure is not None else self.key


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found: some letters, and how many there are, as SQS counts them: about."""

    letters: tuple[Letter, ...]
    depth: int

    @property
    def unread(self) -> int:
        """How many were not read: beyond the bound, or behind ten others of their group."""
        return max(0, self.depth - len(self.letters))


@dataclass(frozen=True, slots=True)
class DeadLetterBox:
    """Reads, empties and puts back what lies in dead-letter queues."""

    client: "SQSClient"
    wait_seconds: int = WAIT_SECONDS

    @contextmanager
    def held(self, queue: DeadLetterQueue, most: int) -> Iterator[Looked]:
        """Letters of a queue, at most so many, hidden from others meanwhile; what was not removed is back at the end.

        A group of a FIFO queue shows its first ten only: SQS holds the others back until those are gone.
        """
        letters: dict[str, Letter] = {}
        try:
            depth = self.depth(queue)
            while len(letters) < most and (received := self._receive(queue, most - len(letters))):
                before = len(letters)
                letters |= {letter.key: letter for letter in received}
                if len(letters) == before:
                    break
            yield Looked(tuple(letters.values()), max(depth, len(letters)))
        finally:
            self._release(queue, letters.values())

    def look(self, queue: DeadLetterQueue, most: int) -> Looked:
        """What lies there; all of it is back at once."""
        with self.held(queue, most) as looked:
            return looked

    def tries(self, queue: DeadLetterQueue) -> int | None:
        """How often the queue hands a message out before it moves it here; None where it has no such number."""
        if queue.source_url is None:
            return None
        answer = self.client.get_queue_attributes(QueueUrl=queue.source_url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
        return int(policy["maxReceiveCount"]) if "maxReceiveCount" in policy else None

    def put_back(self, queue: DeadLetterQueue, letter: Letter) -> None:
        """Sends it to the queue that it came from, as it was there. It is not removed here yet: nothing must be lost."""
        if queue.source_url is None:
            raise ValueError(f"{queue.name} has no queue to put letters back into")
        attributes: dict[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": "String", "StringValue": value} for name, value in letter.attributes.items()
        }
        if queue.fifo:
            self.client.send_message(
                QueueUrl=queue.source_url,
                MessageBody=letter.body,
                MessageAttributes=attributes,
                MessageGroupId=letter.group_id or letter.message_id,
                # Another one each time: what a person wants again must not be dropped as a repetition.
                MessageDeduplicationId=str(uuid4()),
            )
        else:
            self.client.send_message(QueueUrl=queue.source_url, MessageBody=letter.body, MessageAttributes=attributes)

    def remove(self, queue: DeadLetterQueue, letter: Letter) -> None:
        """Deletes it for good; only while it is held."""
        self.client.delete_message(QueueUrl=queue.url, ReceiptHandle=letter.receipt_handle)

    def _receive(self, queue: DeadLetterQueue, most: int) -> list[Letter]:
        answer = self.client.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=min(BATCH, most),
            VisibilityTimeout=HELD_SECONDS,
            WaitTimeSeconds=self.wait_seconds,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
        )
        return [_letter(message) for message in answer.get("Messages", [])]

    def _release(self, queue: DeadLetterQueue, letters: Iterable[Letter]) -> None:
        """Those that were removed meanwhile, or came back by themselves, are refused, which is as good."""
        handles = [letter.receipt_handle for letter in letters]
        for start in range(0, len(handles), BATCH):
            batch = handles[start : start + BATCH]
            self.client.change_message_visibility_batch(
                QueueUrl=queue.url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(batch)
                ],
            )

    def depth(self, queue: DeadLetterQueue) -> int:
        """How many letters lie there, as SQS counts them: about."""
        answer = self.client.get_queue_attributes(
            QueueUrl=queue.url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return sum(int(count) for count in answer.get("Attributes", {}).values())


def _letter(message: "MessageTypeDef") -> Letter:
    attributes = {
        name: value["StringValue"]
        for name, value in message.get("MessageAttributes", {}).items()
        if "StringValue" in value
    }
    system = message.get("Attributes", {})
    return Letter(
        key=message["MessageId"],
        receipt_handle=message["ReceiptHandle"],
        body=message["Body"],
        attributes={name: value for name, value in attributes.items() if name != FAILURE},
        group_id=system.get("MessageGroupId"),
        sent_at=datetime.fromtimestamp(int(system["SentTimestamp"]) / 1000, UTC),
        failure=_failure(attributes.get(FAILURE)),
    )


def _failure(text: str | None) -> Failure | None:
    """What its worker wrote; None as well where that cannot be read: it is as good as nothing then."""
    try:
        return failure_of(text) if text is not None else None
    except (ValueError, KeyError, TypeError):
        return None
