"""What AWS hands to a function: API Gateway's proxy events, queue records, stream records."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

# The account that moto has.
ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"


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
            "domainName": f"api1.execute-api.{REGION}.amazonaws.com",
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


def queue_record(
    queue: str,
    body: str,
    *,
    message_id: str = "message-1",
    receipt: str = "receipt-1",
    receipts: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A message of a queue of this name, as an event source mapping takes it out.

    `receipts` are the queue's own attributes (how often it was received ...), `attributes` the sender's, all texts.
    """
    return {
        "messageId": message_id,
        "receiptHandle": receipt,
        "body": body,
        "attributes": dict(receipts or {"ApproximateReceiveCount": "1"}),
        "messageAttributes": {
            name: {"stringValue": value, "dataType": "String"} for name, value in (attributes or {}).items()
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
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
