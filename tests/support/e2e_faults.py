"""What goes wrong on a deployed stack: processes die, messages are lost or come twice, things are forgotten."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from tests.support.e2e_waiting import eventually
from tools.local_stack import LocalStack

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

# The embedded AWS looks at its mappings and queues every second.
LONG_POLL_SECONDS = 1
BATCH = 10
# A receiver that is asked to give a message back at once still holds it for a moment.
HIDDEN_SECONDS = 10


def sweep(stack: LocalStack) -> None:
    """Lets the sweep's minute come now. Raises when the function does."""
    answer = _functions(stack).invoke(FunctionName=stack.function_name("sweep"), Payload=b"{}")
    if "FunctionError" in answer:
        raise RuntimeError(answer["Payload"].read().decode())


@cache
def _functions(stack: LocalStack) -> "LambdaClient":
    return stack.client("lambda")


@cache
def _queues(stack: LocalStack) -> "SQSClient":
    return stack.client("sqs")


@contextmanager
def paused(stack: LocalStack, function: str) -> Iterator[None]:
    """Meanwhile nothing of its queues and streams reaches the function."""
    client = _functions(stack)
    mappings = [
        mapping["UUID"]
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]
        if f":{stack.function_name(function)}" in mapping["FunctionArn"]
    ]
    if not mappings:
        raise LookupError(f"{function} has no queue and no stream")
    for mapping in mappings:
        client.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        for mapping in mappings:
            client.update_event_source_mapping(UUID=mapping, Enabled=True)


class Queue:
    """A queue of the stack by the name of its output, such as `ChargerCommands`."""

    def __init__(self, stack: LocalStack, name: str) -> None:
        self._client = _queues(stack)
        self._url = stack.outputs[f"{name}QueueUrl"]

    def send(
        self, body: object, *, group: str | None = None, copy: str = "", attributes: Mapping[str, str] | None = None
    ) -> None:
        """Sends a message at once; in a FIFO queue `copy` makes it another one than what it repeats."""
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": copy} if group else {}
        given = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps(body),
            MessageAttributes=given,  # type: ignore[arg-type]
            **fifo,  # type: ignore[arg-type]
        )

    def use_up(self, marker: str, receipts: int, timeout: float) -> None:
        """Takes the message with a marker so often, and gives it back, as workers that are throttled or killed do.

        Others are taken once.
        """
        others: list[str] = []

        def used_up() -> bool:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                VisibilityTimeout=HIDDEN_SECONDS,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            count = 0
            for message in answer.get("Messages", []):
                if marker in message["Body"]:
                    count = int(message["Attributes"]["ApproximateReceiveCount"])
                    self._give_back(message["ReceiptHandle"])
                else:
                    others.append(message["ReceiptHandle"])
            return count >= receipts

        eventually(used_up, timeout, what=f"{receipts} receipts of {marker}")
        for handle in others:
            self._give_back(handle)

    def _give_back(self, handle: str) -> None:
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0)

    def lose(self, request_id: str, timeout: float) -> None:
        """Deletes the message that names a request, once it is there; others are given back."""
        self.find(request_id, timeout)

    def lose_all(self) -> None:
        """Deletes everything, what is delayed too."""
        self._client.purge_queue(QueueUrl=self._url)

    def find(self, request_id: str, timeout: float) -> dict[str, object]:
        """The body of the message that names a request, once it is there; it is deleted, others are given back."""
        found = eventually(lambda: self._take(request_id), timeout, what=f"a message of {request_id}")
        body = json.loads(found)
        if not isinstance(body, dict):
            raise TypeError("a message is a JSON object")
        return body

    def _take(self, request_id: str) -> str | None:
        """Looks through the whole queue: what other tests left there may fill many batches."""
        others: list[str] = []
        taken = None
        while taken is None:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=LONG_POLL_SECONDS,
                VisibilityTimeout=HIDDEN_SECONDS,
            )
            messages = answer.get("Messages", [])
            if not messages:
                break
            for message in messages:
                if request_id in message["Body"] and taken is None:
                    taken = message["Body"]
                    self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                else:
                    others.append(message["ReceiptHandle"])
        for handle in others:
            self._give_back(handle)
        return taken
