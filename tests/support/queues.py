"""The queues as the stack makes them, in moto's SQS: in this process, without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from ocpi_bridge.adapters.sqs.outbox import QueueUrls
from tests.support.tables import REGION

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


@dataclass(frozen=True, slots=True)
class Queues:
    """The URLs of the queues, and a client that reaches them."""

    client: "SQSClient"
    charger_commands: str
    request_deadlines: str
    result_callbacks: str
    partner_updates: str
    csms_events: str
    failed_deliveries: str

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
            QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
        ).get("Messages", [])
        for message in received:
            self.client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return received


@contextmanager
def aws_queues() -> Iterator[Queues]:
    """The queues, within a context of moto."""
    client = boto3.client("sqs", region_name=REGION)
    names = {
        "charger_commands": "charger-commands.fifo",
        "request_deadlines": "request-deadlines",
        "result_callbacks": "result-callbacks",
        "partner_updates": "partner-updates.fifo",
        "csms_events": "csms-events",
        "failed_deliveries": "result-callbacks-dlq",
    }
    urls = {field: _create(client, name) for field, name in names.items()}
    yield Queues(client=client, **urls)
    for url in urls.values():
        client.delete_queue(QueueUrl=url)


def _create(client: "SQSClient", name: str) -> str:
    attributes: dict[Any, str] = {"VisibilityTimeout": "30"}
    if name.endswith(".fifo"):
        attributes["FifoQueue"] = "true"
    return client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
