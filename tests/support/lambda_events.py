"""What AWS hands to a function: API Gateway's proxy events, queue records, stream records."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from tests.support.tables import ACCOUNT, REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def proxy_event(
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    path_parameters: Mapping[str, str] | None = None,
    resource: str = "/{proxy+}",
) -> dict[str, Any]:
    """A REST API's proxy event. The gateway decodes the query once, and groups what a key is given."""
    given = dict(headers or {})
    multi: dict[str, list[str]] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        multi.setdefault(key, []).append(value)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": given or None,
        "multiValueHeaders": {name: [value] for name, value in given.items()} or None,
        "queryStringParameters": {key: values[-1] for key, values in multi.items()} or None,
        "multiValueQueryStringParameters": multi or None,
        "pathParameters": dict(path_parameters) if path_parameters else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "api1",
            "domainName": "api1.execute-api.eu-west-1.amazonaws.com",
            "httpMethod": method,
            "identity": {"sourceIp": "192.0.2.1"},
            "path": f"/prod{path}",
            "protocol": "HTTP/1.1",
            "requestId": "gateway-1",
            "stage": "prod",
        },
        "body": body,
        "isBase64Encoded": False,
    }


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
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rpartition('/')[2]}",
        "awsRegion": REGION,
    }


def stream_event(images: Iterable[dict[str, Any] | None], name: str = "INSERT") -> dict[str, Any]:
    """The event of changed items, in DynamoDB's notation as the stream has them; None is an item that was removed."""
    return {"Records": [_stream_record(index, image, name) for index, image in enumerate(images, 1)]}


def _stream_record(number: int, image: dict[str, Any] | None, name: str) -> dict[str, Any]:
    known = image or {"pk": {"S": "GONE"}, "sk": {"S": "GONE"}}
    change: dict[str, Any] = {
        "ApproximateCreationDateTime": 1768496400,
        "Keys": {"pk": known["pk"], "sk": known["sk"]},
        "SequenceNumber": str(number),
        "SizeBytes": 100,
        "StreamViewType": "NEW_IMAGE",
    }
    if image is not None:
        change["NewImage"] = image
    return {
        "eventID": f"event-{number}",
        "eventName": name if image is not None else "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/requests/stream/2026-01-15T17:00:00.000",
    }


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
