"""Dead letters that say why: the last worker of a message writes the entry, the operator's tools read it.

SQS itself moves a message without a word. So the entry is the message as it was, body and attributes, with one more
attribute: what went wrong. Put back into its queue it is the same message again, whoever does that.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

# The message attribute that holds the failure.
FAILURE = "failure"
# A worker that asked for the message again, and would have gone on asking.
NOT_DONE = "not_done"
# The package, and the functions' handlers.
_OWN_MODULES = ("ocpi_bridge.", "handler")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message was given up, and after how many receipts.

    `error` is the kind of the error and `where` the place in the code. An error's own words are left out: they may
    repeat what a CSMS or partner sent. They stand in the worker's log, under `message_id`: the message's first id.
    """

    error: str
    where: str
    attempts: int
    message_id: str
    at: datetime

    def text(self) -> str:
        """As it stands in the attribute."""
        return json.dumps(
            {
                "error": self.error,
                "where": self.where,
                "attempts": self.attempts,
                "message_id": self.message_id,
                "at": self.at.isoformat(),
            }
        )


def failure_of(text: str) -> Failure:
    """What an attribute holds. Raises ValueError or KeyError where no worker of ours wrote it."""
    held = json.loads(text)
    return Failure(
        error=str(held["error"]),
        where=str(held["where"]),
        attempts=int(held["attempts"]),
        message_id=str(held["message_id"]),
        at=datetime.fromisoformat(held["at"]),
    )


def kind_of(error: BaseException) -> str:
    """An error by its kind: its class, AWS's code with the call, or the kinds of a group."""
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(sorted({kind_of(one) for one in error.exceptions}))
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "unknown")
        return f"{code} ({error.operation_name})"
    return type(error).__name__


def place_of(error: BaseException) -> str:
    """Where in the bridge's own code an error came from, below whoever caught it: module and line, or nothing."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    found = ""
    at = error.__traceback__.tb_next if error.__traceback__ is not None else None
    while at is not None:
        module = str(at.tb_frame.f_globals.get("__name__", ""))
        if module.startswith(_OWN_MODULES):
            found = f"{module}:{at.tb_lineno}"
        at = at.tb_next
    return found


def put_dead_letter(client: "SQSClient", url: str, record: Mapping[str, Any], failure: Failure) -> None:
    """Puts a message, as Lambda handed it over, into a dead-letter queue. Raises what SQS raises: it is not there then.

    On a FIFO queue a repetition within five minutes is dropped.
    """
    attributes: dict[str, MessageAttributeValueTypeDef] = {
        name: {"DataType": "String", "StringValue": value["stringValue"]}
        for name, value in record["messageAttributes"].items()
    }
    attributes[FAILURE] = {"DataType": "String", "StringValue": failure.text()}
    if url.endswith(".fifo"):
        client.send_message(
            QueueUrl=url,
            MessageBody=record["body"],
            MessageAttributes=attributes,
            MessageGroupId=record["attributes"]["MessageGroupId"],
            MessageDeduplicationId=record["messageId"],
        )
    else:
        client.send_message(QueueUrl=url, MessageBody=record["body"], MessageAttributes=attributes)
