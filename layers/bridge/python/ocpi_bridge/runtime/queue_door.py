"""The door for queue messages: one use case a message, failures reported one by one, delays asked of the queue."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ocpi_bridge.runtime.observability import logger

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# SQS hides a message for at most 12 hours.
LONGEST_DELAY = 43_200


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


# Handles a message; gives the seconds after which it is to come back, or None when it is done.
Work = Callable[[QueueMessage], "float | None"]
Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]


def queue_worker(work: Work, client: "Callable[[], SQSClient] | None" = None, urls: Sequence[str] = ()) -> Handler:
    """Makes a Lambda handler for queue messages (ReportBatchItemFailures).

    A message whose work raises comes back after the queue's visibility timeout; one whose work asks for a delay comes
    back then (`client` and the queues' `urls` are needed for that). On a FIFO queue all later messages of the batch
    fail with it, so that their order stays.
    """

    def handle(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
        failures: list[dict[str, str]] = []
        blocked = False
        for record in event["Records"]:
            if not blocked and _done(record, work, client, urls):
                continue
            blocked = str(record["eventSourceARN"]).endswith(".fifo")
            failures.append({"itemIdentifier": record["messageId"]})
        return {"batchItemFailures": failures}

    return handle


def _done(record: Mapping[str, Any], work: Work, client: "Callable[[], SQSClient] | None", urls: Sequence[str]) -> bool:
    name = str(record["eventSourceARN"]).rpartition(":")[2]
    try:
        message = QueueMessage(
            text=record["body"],
            attributes={key: value["stringValue"] for key, value in record["messageAttributes"].items()},
            receipts=int(record["attributes"].get("ApproximateReceiveCount", "1")),
        )
        again_in = work(message)
        if again_in is None:
            return True
        url = next((url for url in urls if url.endswith(f"/{name}")), None)
        if client is not None and url is not None:
            client().change_message_visibility(
                QueueUrl=url,
                ReceiptHandle=record["receiptHandle"],
                VisibilityTimeout=max(0, min(LONGEST_DELAY, round(again_in))),
            )
    except Exception:  # noqa: BLE001 - one message's failure must not fail the others; it comes back by itself
        logger.exception("queue.failed", extra={"queue": name, "message_id": record.get("messageId")})
    return False
