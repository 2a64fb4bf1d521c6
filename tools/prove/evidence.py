"""What is known after the run: at the partner, at the CSMS, in the tables and in the dead-letter queues."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import request_items, tables
from ocpi_bridge.adapters.dynamodb.session_items import DUE_SHARDS
from ocpi_bridge.domain.requests import Origin, Request, RequestState
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange
from tools.prove.partner_faults import Attempt, PartnerFaults
from tools.prove.place import Place
from tools.prove.trouble import command_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

BATCH = 10
# Messages are looked at and given back: operators, and the tests of others, may want them.
HIDDEN_SECONDS = 30
# Looking at every request is a scan.
SCAN_SECONDS = 3.0
RESULTS = "ResultCallbacks"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request of the partner with its synchronous answer. `promised_by` is when the announced timeout ends."""

    method: str
    session_id: str
    response_url: str
    status: int
    answer: str
    accepted: bool
    promised_by: datetime | None


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the CSMS sent to a charge point."""

    request_id: str
    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the verdict rests on. `attempts` by response URL, `dead` reasons by request id.

    `disturbed` are the ids of requests during whose delivery AWS failed or the process died.
    """

    wanted: int
    sent: Sequence[Sent] = ()
    requests: Mapping[str, Request] = field(default_factory=dict)
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)
    commands: Sequence[Command] = ()
    dead: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dead_letters: Mapping[str, int] = field(default_factory=dict)
    disturbed: AbstractSet[str] = frozenset()
    violations: Sequence[str] = ()
    dials: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    crashes: Mapping[str, int] = field(default_factory=dict)


class Records:
    """What the deployed bridge wrote down of the requests to a CSMS."""

    def __init__(self, stack: LocalStack, csms_id: str) -> None:
        self._dynamodb: DynamoDBClient = stack.client("dynamodb")
        self._sqs: SQSClient = stack.client("sqs")
        self._outputs = stack.outputs
        self._csms_id = csms_id
        self._before = self._lying()

    def open_requests(self) -> int:
        """How many requests are not at their end, the bridge's own included; the index of the sweep knows."""
        return sum(self._open_in(str(shard)) for shard in range(DUE_SHARDS))

    def _open_in(self, shard: str) -> int:
        answer = self._dynamodb.query(
            TableName=self._outputs["RequestsTableName"],
            IndexName="open",
            KeyConditionExpression="due_shard = :shard",
            FilterExpression="begins_with(station_key, :csms)",
            ExpressionAttributeValues=tables.values(shard=shard, csms=f"{self._csms_id}#"),
            Select="COUNT",
        )
        return answer["Count"]

    def await_end(self, seconds: float, say: Callable[[str], None]) -> None:
        """Returns when every request is at its end, and in the dead-letter queue if it was given up; or too late."""
        give_up_at = time.monotonic() + seconds
        while (left := self.unfinished()) and time.monotonic() < give_up_at:
            say(f"{left} requests are open")
            time.sleep(SCAN_SECONDS)

    def unfinished(self) -> int:
        """How many of the partner's requests are not at their end, or given up and not in the dead-letter queue."""
        mine = of_partner(self.requests()).values()
        given_up = {one.request_id for one in mine if one.state is RequestState.UNDELIVERED}
        still_open = sum(one.state not in {RequestState.DELIVERED, RequestState.UNDELIVERED} for one in mine)
        return still_open or len(given_up - set(self.dead_results()))

    def requests(self) -> dict[str, Request]:
        """All requests, the bridge's own included, by their id."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._outputs["RequestsTableName"],
            FilterExpression="entity = :entity AND begins_with(station_key, :csms)",
            ExpressionAttributeValues=tables.values(entity="request", csms=f"{self._csms_id}#"),
            ConsistentRead=True,
        )
        found = [request_items.request_of(tables.from_item(item)) for page in pages for item in page["Items"]]
        return {request.request_id: request for request in found}

    def dead_results(self) -> dict[str, list[str]]:
        """The reasons in the dead-letter queue of results, by request."""
        url = self._outputs[f"{RESULTS}DeadLetterQueueUrl"]
        found: dict[str, list[str]] = defaultdict(list)
        handles: list[str] = []
        while True:
            answer = self._sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=BATCH, VisibilityTimeout=HIDDEN_SECONDS, WaitTimeSeconds=0
            )
            messages = answer.get("Messages", [])
            if not messages:
                break
            for message in messages:
                handles.append(message["ReceiptHandle"])
                with suppress(ValueError, KeyError, TypeError):
                    body = json.loads(message["Body"])
                    found[body["request_id"]].append(str(body.get("error", "")))
        for handle in handles:
            self._sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
        return found

    def dead_letters(self) -> dict[str, int]:
        """How many messages each dead-letter queue got since the start."""
        return {name: count - self._before.get(name, 0) for name, count in self._lying().items()}

    def _lying(self) -> dict[str, int]:
        suffix = "DeadLetterQueueUrl"
        urls = {name.removesuffix(suffix): url for name, url in self._outputs.items() if name.endswith(suffix)}
        urls["RelayFailures"] = self._outputs["RelayFailuresQueueUrl"]
        return {name: self._count(url) for name, url in urls.items()}

    def _count(self, url: str) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def gather(
    place: Place, records: Records, faults: PartnerFaults, exchanges: Sequence[Exchange], wanted: int
) -> Evidence:
    """What is known of these requests at their end; what went wrong on purpose is for the caller to add."""
    sent = [sent_of(exchange) for exchange in exchanges]
    return Evidence(
        wanted=wanted,
        sent=sent,
        requests=records.requests(),
        attempts=attempts_of(faults, sent),
        commands=commands_of(place),
        dead=records.dead_results(),
        dead_letters=records.dead_letters(),
        violations=[f"{one.where}: {one.what}" for one in place.world.partner.violations()],
    )


def sent_of(exchange: Exchange) -> Sent:
    """A request as it was sent and answered."""
    answer = exchange.answer
    if answer is None:
        raise ValueError("the request has no answer")
    said = exchange.result.value if exchange.result is not None else f"HTTP {answer.status}, {exchange.status_code}"
    promised = exchange.promised_by
    return Sent(
        exchange.method, exchange.session_id, exchange.response_url or "", answer.status, said,
        exchange.is_accepted, promised,
    )  # fmt: skip


def of_partner(requests: Mapping[str, Request]) -> dict[str, Request]:
    """The partner's requests by their response URL."""
    return {
        request.callback.response_url: request
        for request in requests.values()
        if request.origin is Origin.PARTNER and request.callback is not None
    }


def commands_of(place: Place) -> list[Command]:
    """What was sent to charge points, in the order in which the CSMS sent it."""
    found = []
    for command in place.world.csms.commands.entries():
        named = command_of(command)
        if named is not None:
            found.append(Command(named[0], command.action, command.at))
    return found


def attempts_of(faults: PartnerFaults, sent: Sequence[Sent]) -> dict[str, Sequence[Attempt]]:
    """What was posted to each response URL."""
    return {one.response_url: faults.attempts(one.response_url) for one in sent}
