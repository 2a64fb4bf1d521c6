"""DynamoDB in the few forms that the stores need, when it is under load and when writers meet."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError
from botocore.model import OperationModel

from ocpi_bridge.adapters.dynamodb import tables, writes
from ocpi_bridge.adapters.dynamodb.tables import BATCH_ROUNDS, ConditionFailed, WriteConflict
from ocpi_bridge.domain.errors import Contended
from tests.support.dynamodb_faults import conflicts, counted
from tests.support.tables import AwsTables, aws_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS = [("sessions", "A", "1"), ("sessions", "B", "1"), ("requests", "A", "1")]


@pytest.fixture(scope="module")
def _tables() -> Iterator[AwsTables]:
    with aws_tables() as made:
        yield made


@pytest.fixture
def client(_tables: AwsTables) -> "Iterator[DynamoDBClient]":
    yield _tables.client
    _tables.clear()


def put(client: "DynamoDBClient", key: tables.Key, **attributes: object) -> None:
    table, pk, sk = key
    client.put_item(TableName=table, Item=tables.to_item({"pk": pk, "sk": sk, **attributes}))


@dataclass(frozen=True, slots=True)
class Refusal:
    status_code: int


@contextmanager
def answered(client: "DynamoDBClient", *answers: dict[str, Any], status: int = 400) -> Iterator[None]:
    """DynamoDB gives these answers, one a call, before it works again."""
    left = list(answers)

    def answer(model: OperationModel, **_: object) -> tuple[Refusal, dict[str, Any]] | None:
        return (Refusal(status), {**left.pop(0), "ResponseMetadata": {}}) if left else None

    handler = cast("Callable[..., None]", answer)
    client.meta.events.register("before-call.dynamodb", handler)
    yield
    client.meta.events.unregister("before-call.dynamodb", handler)


def cancelled(*codes: str) -> dict[str, Any]:
    error = {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"}
    return {"Error": error, "CancellationReasons": [{"Code": code} for code in codes]}


# --- Reading ---------------------------------------------------------------------------------------------------------


def test_items_of_several_tables_are_one_call_and_absent_ones_are_absent(client: "DynamoDBClient") -> None:
    put(client, KEYS[0], n=1)
    put(client, KEYS[2], n=3)
    with counted(client) as operations:
        found = tables.get_many(client, [*KEYS, KEYS[0]])
    assert operations == ["BatchGetItem"]
    assert {key: item["n"] for key, item in found.items()} == {KEYS[0]: 1, KEYS[2]: 3}


def test_keys_that_were_left_unread_are_asked_for_again(client: "DynamoDBClient") -> None:
    put(client, KEYS[0], n=1)
    unread = {
        "Responses": {},
        "UnprocessedKeys": {"sessions": {"Keys": [tables.key("A", "1")], "ConsistentRead": True}},
    }
    with answered(client, unread, unread, status=200):
        assert tables.get_many(client, KEYS).keys() == {KEYS[0]}


def test_keys_that_are_left_unread_for_ever_are_an_honest_error(client: "DynamoDBClient") -> None:
    unread = {"Responses": {}, "UnprocessedKeys": {"sessions": {"Keys": [tables.key("A", "1")]}}}
    with answered(client, *[unread] * BATCH_ROUNDS, status=200), pytest.raises(Contended):
        tables.get_many(client, KEYS)


def test_no_keys_are_no_call(client: "DynamoDBClient") -> None:
    with counted(client) as operations:
        assert tables.get_many(client, []) == {}
    assert operations == []


# --- Writing ---------------------------------------------------------------------------------------------------------


def entry(sk: str = "1") -> Any:  # noqa: ANN401 - a write as boto3 takes it
    return writes.put("sessions", {"pk": "A", "sk": sk})


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (("None", "ConditionalCheckFailed"), ConditionFailed),
        (("TransactionConflict", "ConditionalCheckFailed"), ConditionFailed),
        (("None", "TransactionConflict"), WriteConflict),
        (("ThrottlingError", "None"), WriteConflict),
        (("ProvisionedThroughputExceeded", "None"), WriteConflict),
        (("ValidationError", "None"), ClientError),
    ],
)
def test_the_reason_of_a_cancelled_transaction_decides(
    client: "DynamoDBClient", codes: tuple[str, ...], error: type[Exception]
) -> None:
    with answered(client, cancelled(*codes)), pytest.raises(error):
        tables.write_all(client, [entry("1"), entry("2")])
    assert tables.get_many(client, KEYS) == {}


def test_a_condition_that_does_not_hold_is_no_error_and_writes_nothing(client: "DynamoDBClient") -> None:
    put(client, KEYS[0], n=1)
    assert writes.write(client, [entry()]) is False
    assert writes.write(client, [entry(), entry("2")]) is False
    assert tables.get_many(client, KEYS)[KEYS[0]]["n"] == 1


@pytest.mark.parametrize("sks", [("1",), ("1", "2")])
def test_conflicts_are_waited_out_for_longer_and_longer(client: "DynamoDBClient", sks: tuple[str, ...]) -> None:
    pauses: list[float] = []
    with conflicts(client, 3):
        assert writes.write(client, [entry(sk) for sk in sks], pause=pauses.append) is True
    assert len(pauses) == 3
    assert pauses == sorted(set(pauses))


def test_conflicts_without_end_are_an_honest_error_within_a_second(client: "DynamoDBClient") -> None:
    pauses: list[float] = []
    with conflicts(client, 1000), pytest.raises(Contended):
        writes.write(client, [entry()], pause=pauses.append)
    assert sum(pauses) < 1
    assert tables.get_many(client, KEYS) == {}


def test_an_update_sets_removes_and_checks(client: "DynamoDBClient") -> None:
    put(client, KEYS[0], state="PENDING", due=5)
    move = writes.update(
        "sessions", ("A", "1"), {"state": "SENT"}, "#state = :was", {"was": "PENDING"}, remove=("due",)
    )
    assert writes.write(client, [move]) is True
    assert tables.get_many(client, KEYS)[KEYS[0]] == {"pk": "A", "sk": "1", "state": "SENT"}
    assert writes.write(client, [move]) is False
