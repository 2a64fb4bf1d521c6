"""What AWS may answer to a call of a function when it goes wrong, as it stands on the wire (JSON protocols 1.0).

The bodies are those of the services' API references: a client cannot tell them from the real ones.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from tools.counterparts.http_service import Answer, Fault, Request, ResetConnection, Response
from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text, read_json, write_json

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestTypeDef

# As a key of the requests table has it.
_NAMED = re.compile(rb"REQUEST#([\w-]+)")

DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
SQS = "com.amazonaws.sqs#"
TARGET = "X-Amz-Target"
JSON_10 = "application/x-amz-json-1.0"


class TableFault(StrEnum):
    """What a call to DynamoDB meets."""

    THROTTLED = "DynamoDB throttles"
    CONFLICT = "TransactionConflict"
    ERROR = "DynamoDB answers 500"
    LOST_ANSWER = "DynamoDB's answer is lost after the call"


class QueueFault(StrEnum):
    """What a call to SQS meets."""

    DROPPED = "a relay's records are dropped"
    DUPLICATED = "messages are duplicated"
    PARTLY_TAKEN = "SQS takes some of a batch"
    ERROR = "SQS answers 500"


class Crash(StrEnum):
    """When the process of a function dies."""

    BEFORE = "worker killed before a call to AWS"
    AFTER = "worker killed after a call to AWS"


def named_request(request: Request) -> str | None:
    """The request of the bridge that a call is about, None where it names none, or several."""
    named = set(_NAMED.findall(request.body))
    return named.pop().decode() if len(named) == 1 else None


def is_table(request: Request) -> bool:
    """Whether a call is one to DynamoDB."""
    return (request.header(TARGET) or "").startswith("DynamoDB")


def operation(request: Request) -> str:
    """The operation that a call names, such as `UpdateItem`."""
    return (request.header(TARGET) or "").rpartition(".")[2]


def table_fault(kind: TableFault, request: Request) -> Fault:
    """What hits a call to DynamoDB; a conflict only what `can_conflict`."""
    match kind:
        case TableFault.ERROR:
            return _error(500, f"{DYNAMODB}InternalServerError", "Internal server error")
        case TableFault.LOST_ANSWER:
            return ResetConnection(handled=True)
        case TableFault.CONFLICT:
            return _conflict(request)
        case TableFault.THROTTLED:
            return _throttled(request)


def can_conflict(request: Request) -> bool:
    """Whether another transaction can be in the way of this call."""
    return operation(request) in {"TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem"}


def _throttled(request: Request) -> Fault:
    match operation(request):
        case "BatchGetItem":
            asked = as_object(as_object(read_json(request.body)).get("RequestItems"))
            return _answer(200, {"Responses": {table: [] for table in asked}, "UnprocessedKeys": asked})
        case "TransactWriteItems":
            return _cancelled(request, "ThrottlingError")
        case _:
            name = "ProvisionedThroughputExceededException"
            return _error(400, f"{DYNAMODB}{name}", "The level of configured provisioned throughput was exceeded")


def _conflict(request: Request) -> Fault:
    if operation(request) == "TransactWriteItems":
        return _cancelled(request, "TransactionConflict")
    message = "Transaction is ongoing for the item"
    return _error(400, f"{DYNAMODB}TransactionConflictException", message)


def _cancelled(request: Request, code: str) -> Fault:
    """The first item is held by somebody else, so nothing of the transaction is written."""
    count = len(as_list(as_object(read_json(request.body)).get("TransactItems")))
    codes = [code, *["None"] * (count - 1)]
    body: JsonObject = {
        "__type": f"{DYNAMODB}TransactionCanceledException",
        "Message": f"Transaction cancelled, please refer cancellation reasons for specific reasons [{', '.join(codes)}]",
        "CancellationReasons": [{"Code": each} for each in codes],
    }
    return _answer(400, body)


def queue_error() -> Fault:
    """SQS fails and takes nothing."""
    return _error(500, f"{SQS}InternalError", "We encountered an internal error. Please try again.")


def all_taken(request: Request) -> Fault:
    """SQS says that it took the whole batch."""
    return _answer(200, {"Successful": [_taken(entry) for entry in entries(request)], "Failed": []})


def partly_taken(first: JsonObject, taken: Sequence[object]) -> Fault:
    """SQS takes a batch but for its first entry."""
    failed: JsonObject = {"Id": first.get("Id"), "SenderFault": False, "Code": "InternalError", "Message": "try again"}
    return _answer(200, {"Successful": list(taken), "Failed": [failed]})


def queue_name(request: Request) -> str:
    """The full name of the queue of a call, but for what tells that it is a FIFO queue."""
    url = as_text(as_object(read_json(request.body)).get("QueueUrl")) or ""
    return url.rpartition("/")[2].removesuffix(".fifo")


def entries(request: Request) -> list[JsonObject]:
    """The entries of a SendMessageBatch."""
    return [as_object(entry) for entry in as_list(as_object(read_json(request.body)).get("Entries"))]


def batch(request: Request, chosen: Sequence[JsonObject]) -> "SendMessageBatchRequestTypeDef":
    """The parameters of a batch with these entries, for the queue of this one."""
    asked = as_object(read_json(request.body))
    # The wire's names are the parameters' names.
    return cast("SendMessageBatchRequestTypeDef", {"QueueUrl": asked["QueueUrl"], "Entries": list(chosen)})


def copied(request: Request) -> "SendMessageBatchRequestTypeDef":
    """A batch once more, as messages of their own: a FIFO queue must not know them for what they repeat."""
    fifo = "MessageDeduplicationId"
    copies = [{**entry, fifo: uuid4().hex} if fifo in entry else entry for entry in entries(request)]
    return batch(request, copies)


def _taken(entry: Mapping[str, object]) -> JsonObject:
    digest = hashlib.md5((as_text(entry.get("MessageBody")) or "").encode(), usedforsecurity=False).hexdigest()
    return {"Id": entry.get("Id"), "MessageId": str(uuid4()), "MD5OfMessageBody": digest}


def _error(status: int, kind: str, message: str) -> Answer:
    return _answer(status, {"__type": kind, "message": message})


def _answer(status: int, body: JsonObject) -> Answer:
    headers = {"Content-Type": JSON_10, "x-amzn-RequestId": str(uuid4())}
    return Answer(Response(status, write_json(body).encode(), headers))
