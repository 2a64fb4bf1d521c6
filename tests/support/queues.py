"""The queues as the stack makes them, in moto's SQS: in this process, without a network."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from ocpi_bridge.adapters.sqs.outbox import QueueUrls
from ocpi_bridge.runtime.queue_door import SourceQueue
from tests.support.tables import ACCOUNT, REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


# How often each queue hands a message out before it moves it (infra/constructs/queues.py).
TRIES = {
    "charger_commands": 20,
    "request_deadlines": 20,
    "result_callbacks": 20,
    "partner_updates": 5,
    "csms_events": 5,
}
FIFO = frozenset({"charger_commands", "partner_updates"})


@dataclass(frozen=True, slots=True)
class Queues:
    """The URLs of the queues, and a client that reaches them."""

    client: "SQSClient"
    charger_commands: str
    request_deadlines: str
    result_callbacks: str
    partner_updates: str
    csms_events: str
    relay_failures: str

    @property
    def failed_deliveries(self) -> str:
        """Where results end that were given up."""
        return self.dead_letters(self.result_callbacks)

    def dead_letters(self, url: str) -> str:
        """The dead-letter queue of a queue."""
        name = url.removesuffix(".fifo")
        return f"{name}-dlq{url.removeprefix(name)}"

    def source(self, field: str) -> SourceQueue:
        """A queue as a worker of it knows it."""
        url: str = getattr(self, field)
        return SourceQueue(url, self.dead_letters(url), TRIES[field])

    def output(self, name: str) -> str:
        """A queue's URL by the name of the stack's output: `CsmsEventsQueueUrl`, `CsmsEventsDeadLetterQueueUrl`."""
        words = re.findall("[A-Z][a-z]+", name.removesuffix("QueueUrl").removesuffix("DeadLetter"))
        url: str = getattr(self, "_".join(words).lower())
        return self.dead_letters(url) if "DeadLetter" in name else url

    @property
    def environment(self) -> dict[str, str]:
        """All queues as functions are told of them."""
        sources = {field.upper(): self.source(field) for field in TRIES}
        return {
            f"{name}_{kind}": value
            for name, source in sources.items()
            for kind, value in (
                ("QUEUE_URL", source.url),
                ("DLQ_URL", source.dead_letters),
                ("TRIES", str(source.tries)),
            )
        }

    @property
    def urls(self) -> QueueUrls:
        """What the outbox is told."""
        return QueueUrls(
            charger_commands=self.charger_commands,
            request_deadlines=self.request_deadlines,
            result_callbacks=self.result_callbacks,
            partner_updates=self.partner_updates,
            failed_deliveries=self.failed_deliveries,
        )

    def take(self, url: str) -> "list[MessageTypeDef]":
        """All that a queue gives now, taken out of it."""
        taken: list[MessageTypeDef] = []
        while messages := self._receive(url):
            taken += messages
        return taken

    def _receive(self, url: str) -> "list[MessageTypeDef]":
        received = self.client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages", [])
        for message in received:
            self.client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return received


@contextmanager
def aws_queues() -> Iterator[Queues]:
    """The queues, within a context of moto."""
    client = boto3.client("sqs", region_name=REGION)
    urls = {"relay_failures": _create(client, "relay-failures")}
    dead_letters: list[str] = []
    for field, tries in TRIES.items():
        name, suffix = field.replace("_", "-"), ".fifo" if field in FIFO else ""
        dead_letters.append(_create(client, f"{name}-dlq{suffix}"))
        target = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}-dlq{suffix}"
        policy = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": tries})
        urls[field] = _create(client, f"{name}{suffix}", RedrivePolicy=policy)
    yield Queues(client=client, **urls)
    for url in (*urls.values(), *dead_letters):
        client.delete_queue(QueueUrl=url)


def _create(client: "SQSClient", name: str, **attributes: str) -> str:
    given: dict[Any, str] = {"VisibilityTimeout": "30", **attributes}
    if name.endswith(".fifo"):
        given["FifoQueue"] = "true"
    return client.create_queue(QueueName=name, Attributes=given)["QueueUrl"]
