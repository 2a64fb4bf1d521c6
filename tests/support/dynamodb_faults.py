"""What other writers do to ours: botocore's hooks count DynamoDB calls, run something before them, or refuse them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.model import OperationModel

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")


@dataclass(frozen=True, slots=True)
class _Refusal:
    """As much of an HTTP answer as botocore looks at."""

    status_code: int = 400


@contextmanager
def counted(client: "DynamoDBClient") -> Iterator[list[str]]:
    """The names of the operations that are called meanwhile."""
    operations: list[str] = []

    def count(model: OperationModel, **_: object) -> None:
        operations.append(model.name)

    client.meta.events.register("before-call.dynamodb", count)
    try:
        yield operations
    finally:
        client.meta.events.unregister("before-call.dynamodb", count)


@contextmanager
def meanwhile(client: "DynamoDBClient", act: Callable[[], object], *operations: str, times: int = 1) -> Iterator[None]:
    """Somebody else acts right before our next calls of these operations (all that write, where none is named)."""
    left, acting = times, False

    def interfere(model: OperationModel, **_: object) -> None:
        nonlocal left, acting
        if left and not acting and model.name in (operations or WRITES):
            left, acting = left - 1, True
            act()
            acting = False

    client.meta.events.register("before-call.dynamodb", interfere)
    try:
        yield
        assert left == 0, "nobody came by"
    finally:
        client.meta.events.unregister("before-call.dynamodb", interfere)


@contextmanager
def conflicts(client: "DynamoDBClient", times: int) -> Iterator[list[str]]:
    """Our next writes meet another transaction: DynamoDB refuses them and nothing is written. Gives the refused ones."""
    refused: list[str] = []

    def refuse(model: OperationModel, **_: object) -> tuple[_Refusal, dict[str, Any]] | None:
        if model.name not in WRITES or len(refused) == times:
            return None
        refused.append(model.name)
        if model.name == "TransactWriteItems":
            error = {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"}
            reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
            return _Refusal(), {"Error": error, "CancellationReasons": reasons, "ResponseMetadata": {}}
        error = {"Code": "TransactionConflictException", "Message": "Transaction is ongoing for the item"}
        return _Refusal(), {"Error": error, "ResponseMetadata": {}}

    # The stubs do not know that what a handler returns stands for the answer.
    handler = cast("Callable[..., None]", refuse)
    client.meta.events.register("before-call.dynamodb", handler)
    try:
        yield refused
    finally:
        client.meta.events.unregister("before-call.dynamodb", handler)
