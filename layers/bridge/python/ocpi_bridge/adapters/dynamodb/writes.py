"""Conditional updates as transaction entries, and what to do when two writers meet."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import tables
from ocpi_bridge.adapters.dynamodb.tables import ConditionFailed, WriteConflict
from ocpi_bridge.domain.errors import Contended

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# Conflicts last as long as the other transaction, some milliseconds; botocore does not repeat them by itself.
CONFLICT_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)


def update(
    table: str,
    key: tuple[str, str],
    set_values: Mapping[str, object],
    condition: str,
    condition_values: Mapping[str, object],
    remove: Sequence[str] = (),
) -> "TransactWriteItemTypeDef":
    """Sets attributes of an item if the condition holds. Names stand in the condition as `#name` or as they are.

    `condition_values` are those that only the condition uses; set values can be used as `:name` too.
    """
    names = [*set_values, *remove]
    expression = ""
    if set_values:
        expression += "SET " + ", ".join(f"#{name} = :{name}" for name in set_values)
    if remove:
        expression += " REMOVE " + ", ".join(f"#{name}" for name in remove)
    return {
        "Update": {
            "TableName": table,
            "Key": tables.key(*key),
            "UpdateExpression": expression.strip(),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": tables.values(**set_values, **condition_values),
        }
    }


def put(table: str, item: tables.Item, condition: str = "attribute_not_exists(pk)") -> "TransactWriteItemTypeDef":
    """Writes an item if the condition holds: by default, if there is none yet."""
    return {"Put": {"TableName": table, "Item": tables.to_item(item), "ConditionExpression": condition}}


def write(
    client: "DynamoDBClient",
    writes: Sequence["TransactWriteItemTypeDef"],
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Writes all or nothing; False where a condition does not hold.

    Conflicts with other writers are waited out. Raises Contended when they do not end; nothing was written then.
    """
    for wait in CONFLICT_PAUSES:
        try:
            if len(writes) == 1:
                tables.write_one(client, writes[0])
            else:
                tables.write_all(client, writes)
        except ConditionFailed:
            return False
        except WriteConflict:
            pause(wait)
        else:
            return True
    raise Contended("other writers held the items")
