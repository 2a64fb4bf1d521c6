"""The registry table: consistent reads, and batches of conditional writes in as few transactions as possible."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ocpi_bridge.adapters.dynamodb import tables
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.errors import Contended

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    # Writes that must become true together, by key: a transaction names an item once, and two batches that demand the
    # same item demand it once.
    Batch = dict[ItemKey, TransactWriteItemTypeDef]

# DynamoDB's limits for one TransactWriteItems and one BatchGetItem.
TRANSACTION_LIMIT = 100
READ_LIMIT = 100
# Operators are few: whoever loses this often in a row should look at what else is running.
WRITE_ATTEMPTS = 5
# Before the second attempt, doubled for each further one: a transaction holds its items for some milliseconds.
FIRST_PAUSE_SECONDS = 0.05


class RegistryTable:
    """One table, read consistently and changed in planned batches. Items are plain values."""

    def __init__(self, client: "DynamoDBClient", name: str, pause: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._name = name
        self._pause = pause

    # --- Reading -----------------------------------------------------------------------------------------------------

    def get(self, key: ItemKey) -> PlainItem | None:
        """The item, or None."""
        answer = self._client.get_item(TableName=self._name, Key=tables.key(*key), ConsistentRead=True)
        return tables.from_item(answer["Item"]) if "Item" in answer else None

    def get_all(self, keys: Iterable[ItemKey]) -> dict[ItemKey, PlainItem]:
        """The items that exist, by key. Raises Contended."""
        wanted = [(self._name, *key) for key in dict.fromkeys(keys)]
        found: dict[ItemKey, PlainItem] = {}
        for start in range(0, len(wanted), READ_LIMIT):
            answer = tables.get_many(self._client, wanted[start : start + READ_LIMIT])
            found |= {(pk, sk): item for (_, pk, sk), item in answer.items()}
        return found

    def query(self, partition: str) -> list[PlainItem]:
        """All items of a partition, in the order of their sort key."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=tables.values(pk=partition),
            ConsistentRead=True,
        )
        return [tables.from_item(item) for page in pages for item in page["Items"]]

    def holds(self, partition: str) -> bool:
        """Whether a partition has any item."""
        answer = self._client.query(
            TableName=self._name,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=tables.values(pk=partition),
            ConsistentRead=True,
            Limit=1,
        )
        return bool(answer["Items"])

    # --- Writing one item --------------------------------------------------------------------------------------------

    def add(self, item: PlainItem) -> bool:
        """Writes an item; False when there is one of that key already, written by another call.

        The SDK repeats a write whose answer was lost, so each call knows its own item again.
        """
        mine = uuid4().hex
        try:
            self._client.put_item(
                TableName=self._name,
                Item=tables.to_item({**item, "written_by": mine}),
                ConditionExpression="attribute_not_exists(pk) OR written_by = :mine",
                ExpressionAttributeValues=tables.values(mine=mine),
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def discard(self, key: ItemKey) -> None:
        """Deletes an item, whether it exists or not."""
        self._client.delete_item(TableName=self._name, Key=tables.key(*key))

    # --- Writing batches ---------------------------------------------------------------------------------------------

    def put(self, item: PlainItem, before: Mapping[str, object] | None) -> "Batch":
        """Writes an item whose stored form has the attributes `before` (none: whatever it has); None: is not there."""
        request: Any = {"TableName": self._name, "Item": tables.to_item(item), **_condition(before)}
        return {(str(item["pk"]), str(item["sk"])): {"Put": request}}

    def delete(self, key: ItemKey, before: Mapping[str, object]) -> "Batch":
        """Deletes an item that has the attributes `before`; none: whatever is there, if anything."""
        request: Any = {"TableName": self._name, "Key": tables.key(*key), **_condition(before)}
        return {key: {"Delete": request}}

    def demand(self, key: ItemKey) -> "Batch":
        """Demands that an item exists."""
        exists = "attribute_exists(pk)"
        return {
            key: {"ConditionCheck": {"TableName": self._name, "Key": tables.key(*key), "ConditionExpression": exists}}
        }

    def change(self, plan: "Callable[[], Iterable[Batch]]") -> None:
        """Writes the batches that `plan` gives, each of them whole; plans again when what it read no longer stands.

        `plan` reads, refuses by raising, and leaves out what is written already: batches before a failed one stay.
        Raises Contended when others are faster again and again.
        """
        for attempt in range(WRITE_ATTEMPTS):
            if attempt:
                self._pause(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            batches = list(plan())
            try:
                for transaction in _packed(batches):
                    tables.write_all(self._client, transaction)
            except (tables.ConditionFailed, tables.WriteConflict):
                continue
            return
        raise Contended("others keep changing the registry; trying again writes what is still missing")


def _packed(batches: "Iterable[Batch]") -> "Iterator[list[TransactWriteItemTypeDef]]":
    transaction: Batch = {}
    for batch in batches:
        if transaction and len(transaction | batch) > TRANSACTION_LIMIT:
            yield list(transaction.values())
            transaction = {}
        transaction |= batch
    if transaction:
        yield list(transaction.values())


def _condition(before: Mapping[str, object] | None) -> dict[str, object]:
    if before is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    if not before:
        return {}
    return {
        "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in before),
        "ExpressionAttributeNames": {f"#{name}": name for name in before},
        "ExpressionAttributeValues": tables.values(**before),
    }
