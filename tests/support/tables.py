"""The three tables as the stack makes them, in moto's DynamoDB: in this process, without a network.

Without their streams: moto feeds nobody from them, and copies all that ever went through them for each transaction.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Index:
    """An index: partition key (text), sort key with its type, and what it projects (nothing: keys only)."""

    partition: str
    sort: str
    sort_type: str
    projected: tuple[str, ...] = ()


SESSIONS_INDEXES = {
    "due": Index("due_shard", "due_at", "N", SESSIONS_DUE),
    "feed": Index("feed", "feed_at", "N", ("session_id", "party")),
    "live": Index("live", "session_id", "S"),
}
REQUESTS_INDEXES = {
    "open": Index("due_shard", "due_at", "N", ("station_key",)),
    "session": Index("session_id", "created_at", "N"),
}


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
        for table in _in_moto():
            table.items.clear()

    def kept(self) -> Callable[[], None]:
        """Keeps what is there now; what it gives puts that back, and nothing else, in a millisecond."""
        before = [copy.deepcopy(table.items) for table in _in_moto()]

        def restore() -> None:
            for table, items in zip(_in_moto(), before, strict=True):
                table.items = copy.deepcopy(items)

        return restore

    def put(self, table: str, *items: Mapping[str, Any]) -> None:
        """Puts items (in DynamoDB's notation) into a table whatever is there, as a test does that sets a scene."""
        self.client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]})


def _in_moto() -> list[Any]:
    return list(get_backend("dynamodb")[ACCOUNT][REGION].tables.values())


@contextmanager
def aws_tables() -> Iterator[AwsTables]:
    """Moto, with the three tables in it, for as long as the context lasts."""
    with mock_aws():
        tables = AwsTables(boto3.client("dynamodb", region_name=REGION))
        create_tables(tables)
        yield tables


def create_tables(tables: AwsTables) -> None:
    """Makes the three tables wherever the client leads."""
    _create(tables.client, tables.sessions, SESSIONS_INDEXES)
    _create(tables.client, tables.requests, REQUESTS_INDEXES)
    _create(tables.client, tables.registry, {})


def _create(client: "DynamoDBClient", name: str, indexes: Mapping[str, Index]) -> None:
    types = {"pk": "S", "sk": "S"}
    for index in indexes.values():
        types |= {index.partition: "S", index.sort: index.sort_type}
    definition: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        "KeySchema": _keys("pk", "sk"),
    }
    if indexes:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": name,
                "KeySchema": _keys(index.partition, index.sort),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.projected)}
                if index.projected
                else {"ProjectionType": "KEYS_ONLY"},
            }
            for name, index in indexes.items()
        ]
    client.create_table(**definition)
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"})


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
