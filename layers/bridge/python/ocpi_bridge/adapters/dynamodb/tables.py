"""DynamoDB in the few forms that the stores need: items as plain values, reads in batches, conditional writes.

Built on the low-level client: a resource costs import time and hides how many calls are made.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb.attribute_values import attribute_value, plain_value
from ocpi_bridge.domain.errors import Contended

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# A plain item: attribute name to str, int, Decimal, bool, None, list, map or set of str.
Item = Mapping[str, Any]
# The same, for who looks into its values.
PlainItem = Mapping[str, object]
# The values of pk and sk.
ItemKey = tuple[str, str]
# The table's name, the partition key and the sort key.
Key = tuple[str, str, str]

# BatchGetItem may leave keys unread under load; after this many rounds the load is ours to report.
BATCH_ROUNDS = 5


class ConditionFailed(Exception):
    """A condition did not hold and nothing was written; `reasons` has DynamoDB's code for each write."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(", ".join(reasons))
        self.reasons = tuple(reasons)


class WriteConflict(Exception):
    """Another write held an item at the same instant; nothing was written and the same write may be tried again."""


def to_item(values: Item) -> dict[str, Any]:
    """The item in DynamoDB's notation. None values are left out: absent and null mean the same here."""
    return {name: attribute_value(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """The plain item. Numbers come back as Decimal."""
    return {name: plain_value(value) for name, value in item.items()}


def values(**named: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever DynamoDB can hold
    """Expression attribute values: `values(now=1)` is `{":now": {"N": "1"}}`."""
    return {f":{name}": attribute_value(value) for name, value in named.items()}


def key(pk: str, sk: str) -> dict[str, Any]:
    """The primary key in DynamoDB's notation."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def get_many(client: "DynamoDBClient", keys: Iterable[Key]) -> dict[Key, dict[str, Any]]:
    """Reads up to 100 items of any tables, consistently, in one call where DynamoDB lets it; absent keys are absent.

    Raises Contended when DynamoDB leaves keys unread round after round.
    """
    wanted: dict[str, Any] = {}
    for table, pk, sk in dict.fromkeys(keys):
        wanted.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(key(pk, sk))
    found: dict[Key, dict[str, Any]] = {}
    for _ in range(BATCH_ROUNDS):
        if not wanted:
            return found
        answer = client.batch_get_item(RequestItems=wanted)
        for table, items in answer["Responses"].items():
            for raw in items:
                item = from_item(raw)
                found[table, item["pk"], item["sk"]] = item
        wanted = dict(answer["UnprocessedKeys"])
    if wanted:
        raise Contended("DynamoDB left keys unread")
    return found


def write_all(client: "DynamoDBClient", writes: Sequence["TransactWriteItemTypeDef"]) -> None:
    """Writes all or nothing. Raises ConditionFailed or WriteConflict; both mean that nothing was written."""
    try:
        client.transact_write_items(TransactItems=writes)
    except client.exceptions.TransactionCanceledException as error:
        reasons = error.response.get("CancellationReasons", [])
        codes = [reason.get("Code", "None") for reason in reasons]
        if "ConditionalCheckFailed" in codes:
            raise ConditionFailed(codes) from error
        if {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"} & set(codes):
            raise WriteConflict(", ".join(codes)) from error
        raise
    except client.exceptions.TransactionConflictException as error:
        raise WriteConflict("TransactionConflict") from error


def write_one(client: "DynamoDBClient", write: "TransactWriteItemTypeDef") -> None:
    """Writes one entry without a transaction, at half its price. Raises ConditionFailed or WriteConflict."""
    try:
        if "Put" in write:
            client.put_item(**write["Put"])
        else:
            client.update_item(**write["Update"])
    except client.exceptions.ConditionalCheckFailedException as error:
        raise ConditionFailed(["ConditionalCheckFailed"]) from error
    except client.exceptions.TransactionConflictException as error:
        raise WriteConflict("TransactionConflict") from error
