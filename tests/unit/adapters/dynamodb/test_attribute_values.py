"""Plain values become what boto3 makes of them, and come back as they were."""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.adapters.dynamodb.attribute_values import DIGITS, attribute_value, plain_value

texts = st.text(max_size=10)
integers = st.integers(-(10**DIGITS) + 1, 10**DIGITS - 1)
scalars = st.one_of(texts, integers, st.booleans(), st.none(), st.decimals(-(10**9), 10**9, places=6))
plain_values = st.recursive(
    st.one_of(scalars, st.sets(texts, min_size=1, max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


@given(plain_values)
def test_a_value_is_written_as_boto3_writes_it_and_read_as_boto3_reads_it(value: object) -> None:
    written: Any = attribute_value(value)
    assert _in_order(written) == _in_order(TypeSerializer().serialize(value))
    assert plain_value(written) == TypeDeserializer().deserialize(written) == value


def test_tuples_are_lists_and_words_of_an_enumeration_are_texts() -> None:
    class Word(StrEnum):
        YES = "yes"

    assert attribute_value((1, Word.YES)) == {"L": [{"N": "1"}, {"S": "yes"}]}


@pytest.mark.parametrize("value", [1.5, b"bytes", object(), {1, 2}, set(), frozenset({"a", 1})])
def test_what_no_item_of_ours_holds_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        attribute_value(value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1" * (DIGITS + 1)])
def test_a_number_that_dynamodb_does_not_keep_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="does not keep"):
        attribute_value(Decimal(number))


def test_what_nothing_here_writes_is_read_all_the_same() -> None:
    assert plain_value({"B": b"1"}) == b"1"
    assert plain_value({"BS": [b"1", b"2"]}) == {b"1", b"2"}
    assert plain_value({"NS": ["1", "2.50"]}) == {Decimal(1), Decimal("2.5")}


def test_a_kind_that_there_is_not_is_no_value() -> None:
    with pytest.raises(KeyError, match="X"):
        plain_value({"X": "1"})


def _in_order(value: Any) -> Any:  # noqa: ANN401 - whatever DynamoDB can hold
    """With sets of texts in one order, which they have none of."""
    match value:
        case {"SS": list(texts)}:
            return {"SS": sorted(texts)}
        case dict():
            return {name: _in_order(one) for name, one in value.items()}
        case list():
            return [_in_order(one) for one in value]
    return value
