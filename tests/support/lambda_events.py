"""What AWS hands to a function: the events of `tools.lambda_events`, and those that need a queue or a table of a test."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from tests.support.tables import ACCOUNT
from tools.lambda_events import proxy_event, queue_record, stream_event

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

__all__ = ["dashboard_event", "failed", "image", "proxy_event", "queue_event", "sent_event", "stream_event"]


def queue_event(client: "SQSClient", url: str, *, most: int = 10) -> dict[str, Any]:
    """The event of what a queue has to give now, as an event source mapping takes it out."""
    received = client.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=most,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    )
    return {"Records": [_queue_record(url, message) for message in received.get("Messages", [])]}


def sent_event(url: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a message as it was sent (an entry of SendMessageBatch), without asking the queue for it."""
    message = {
        "MessageId": f"message-{entry.get('MessageDeduplicationId', '1')}",
        "ReceiptHandle": "handle-1",
        "Body": entry["MessageBody"],
        "Attributes": {"ApproximateReceiveCount": "1", "MessageGroupId": entry.get("MessageGroupId", "")},
        "MessageAttributes": entry.get("MessageAttributes", {}),
        "MD5OfBody": "",
    }
    return {"Records": [_queue_record(url, message)]}


def _queue_record(url: str, message: Mapping[str, Any]) -> dict[str, Any]:
    record = queue_record(
        url.rpartition("/")[2],
        message["Body"],
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        receipts=message.get("Attributes", {}),
        attributes={name: value["StringValue"] for name, value in message.get("MessageAttributes", {}).items()},
    )
    return {**record, "md5OfBody": message["MD5OfBody"]}


def image(item: Mapping[str, Any]) -> dict[str, Any]:
    """A plain item as a stream has it."""
    return dynamo.to_item(item)


def failed(answer: Mapping[str, Any]) -> Sequence[str]:
    """The messages of a batch that are to come again."""
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def dashboard_event(
    form: Mapping[str, str] | None = None, *, theme: str = "light", width: float = 900, **given: object
) -> dict[str, Any]:
    """What a CloudWatch dashboard hands to a custom widget: parameters, or those of a click, and what is around it."""
    params = {name: value for name, value in given.items() if name != "show"}
    return {
        **given,
        "widgetContext": {
            "dashboardName": "ocpi-bridge-test-service",
            "widgetId": "widget-16",
            "accountId": ACCOUNT,
            "locale": "en",
            "timezone": {"label": "Local", "offsetISO": "+01:00", "offsetInMinutes": 60},
            "period": 300,
            "isAutoPeriod": True,
            "timeRange": {"mode": "relative", "start": 1768496400000, "end": 1768500000000, "relativeStart": 3600000},
            "theme": theme,
            "linkCharts": True,
            "title": "Story of a session",
            "forms": {"all": dict(form or {})},
            "params": params,
            "width": width,
            "height": 600,
        },
    }
