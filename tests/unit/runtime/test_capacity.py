"""The units that budgets are counted in are DynamoDB's: sizes, rounding, transactions, indexes."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.capacity import Item, index_units, read_units, size, write_units
from tests.support.tables import Index

BY_STATE = Index("state", "at", "N", ("shown",))


def item(characters: int = 0, **attributes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """An item with a text of so many characters beside its key and what is given."""
    return {"pk": {"S": "p"}, "sk": {"S": "s"}, "text": {"S": "x" * characters}, **attributes}


@pytest.mark.parametrize(
    ("value", "bytes_of_it"),
    [
        ({"S": "grün"}, 5),
        ({"N": "1768496400000"}, 5),
        ({"N": "-0.5"}, 2),
        ({"BOOL": True}, 1),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 2 + 3),
        ({"M": {"key": {"S": "ab"}}}, 3 + 1 + 3 + 2),
    ],
)
def test_an_item_is_as_large_as_its_names_and_values(value: dict[str, Any], bytes_of_it: int) -> None:
    assert size({"name": value}) == 4 + bytes_of_it


def test_a_write_is_rounded_up_to_1_kb_of_the_larger_of_before_and_after() -> None:
    assert write_units(None, item(900)) == 1
    assert write_units(item(900), item(1100)) == 2
    assert write_units(item(1100), None) == 2


def test_a_write_in_a_transaction_costs_twice() -> None:
    assert write_units(None, item(1100), transaction=True) == 4


def test_a_read_is_rounded_up_to_4_kb_and_one_that_need_not_be_consistent_costs_half() -> None:
    assert [read_units(read) for read in (0, 4096, 4097)] == [1, 1, 2]
    assert read_units(0, consistent=False) == Decimal("0.5")


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, item(state={"S": "a"}, at={"N": "1"}), 1),
        (None, item(state={"S": "a"}), 0),
        (item(state={"S": "a"}, at={"N": "1"}), item(9, state={"S": "a"}, at={"N": "1"}), 0),
        (item(state={"S": "a"}, at={"N": "1"}), item(state={"S": "a"}, at={"N": "1"}, shown={"S": "b"}), 1),
        (item(state={"S": "a"}, at={"N": "1"}), item(state={"S": "a"}, at={"N": "2"}), 2),
        (item(state={"S": "a"}, at={"N": "1"}), item(state={"S": "a"}), 1),
    ],
    ids=["comes", "lacks a key", "shows nothing of it", "shows it", "moves", "goes"],
)
def test_an_index_is_written_where_what_it_shows_changes(before: Item | None, after: Item | None, units: int) -> None:
    assert index_units(BY_STATE, before, after) == units
