"""The three tables as the stack makes them, in moto's DynamoDB: in this process, without a network.

Without their streams: moto feeds nobody from them, and copies all that ever went through them for each transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from moto import mock_aws
from moto.backends import get_backend

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACCOUNT = "123456789012"
REGION = "eu-west-1"
SESSIONS_DUE = ("version", "session_id", "partner_id", "entity")
REQUESTS_DUE = (
    "state",
    "step",
    "request_id",
    "station_key",
    "partner_id",
    "deadline",
    "created_at",
    "attempts",
)


@dataclass(frozen=True, slots=True)
class AwsTables:
    """The names of the tables, and a client that reaches them."""

    client: "DynamoDBClient"
    sessions: str = "sessions"
    requests: str = "requests"
    registry: str = "registry"

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table in DynamoDB's notation: a test may scan."""
        return [item for page in self.client.get_paginator("scan").paginate(TableName=table) for item in page["Items"]]

    def clear(self) -> None:
        """Empties all three, within moto: by calls it would take as long as the tests themselves."""
        for table in get_backend("dynamodb")[ACCOUNT][REGION].tables.values():
            table.items.clear()

    def put(self, table: str, *items: Mapping[str, Any]) -> None:
        """Puts items (in DynamoDB's notation) into a table whatever is there, as a test does that sets a scene."""
        self.client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]})


@contextmanager
def aws_tables() -> Iterator[AwsTables]:
    """Moto, with the three tables in it, for as long as the context lasts."""
    with mock_aws():
        tables = AwsTables(boto3.client("dynamodb", region_name=REGION))
        _create(tables.client, tables.sessions, due=SESSIONS_DUE)
        _create(tables.client, tables.requests, due=REQUESTS_DUE)
        _create(tables.client, tables.registry, due=None)
        yield tables


def _create(client: "DynamoDBClient", name: str, due: tuple[str, ...] | None) -> None:
    """A table with the index `due`, or (None) without."""
    definition: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": _attributes(pk="S", sk="S"),
        "KeySchema": _keys("pk", "sk"),
    }
    if due is not None:
        definition["AttributeDefinitions"] += _attributes(due_shard="S", due_at="N")
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": "due",
                "KeySchema": _keys("due_shard", "due_at"),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(due)},
            }
        ]
    client.create_table(**definition)
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"})


def _attributes(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
