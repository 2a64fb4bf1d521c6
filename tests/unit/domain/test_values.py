"""Our dataclasses are what the standard library's are: compared, hashed, shown and frozen alike."""

import dataclasses
import re
from collections.abc import Callable, Hashable
from dataclasses import FrozenInstanceError, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain import values
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit

LAYER = Path(values.__file__).parents[1]


def kinds(dataclass: Callable[..., Any]) -> tuple[Any, Any, Any, Any]:
    """The same classes, made by this decorator."""

    @dataclass(frozen=True, slots=True)
    class Nothing:
        pass

    @dataclass(frozen=True, slots=True)
    class One:
        of: object

    @dataclass(frozen=True, slots=True)
    class Several:
        name: str
        secret: str = field(default="", repr=False)
        noted: int = field(default=0, compare=False)
        parts: tuple[object, ...] = ()

    @dataclass(frozen=True, slots=True)
    class OnItsOwn:
        of: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "mine"

    return Nothing, One, Several, OnItsOwn


OURS, STANDARD = kinds(values.dataclass), kinds(dataclasses.dataclass)
NOTHING, ONE, SEVERAL, ON_ITS_OWN = range(4)

few = st.integers(0, 2)
arguments = st.one_of(
    st.tuples(st.just(NOTHING), st.just(())),
    st.tuples(st.just(ONE), st.tuples(few)),
    st.tuples(st.just(SEVERAL), st.tuples(st.sampled_from("ab"), st.sampled_from("ab"), few, st.tuples(few))),
    st.tuples(st.just(ON_ITS_OWN), st.tuples(few)),
)


@given(arguments, arguments)
def test_two_are_equal_and_hashed_alike_where_the_standard_librarys_are(one: Any, other: Any) -> None:  # noqa: ANN401
    (ours, our_other), (standard, other_standard) = (
        (of[one[0]](*one[1]), of[other[0]](*other[1])) for of in (OURS, STANDARD)
    )
    assert (ours == our_other) is (standard == other_standard)
    if ours == our_other and one[0] == other[0]:
        assert hash(ours) == hash(our_other)
    assert repr(ours) == repr(standard)


def test_it_equals_nothing_of_another_class() -> None:
    (_, ours, *_), (_, standard, *_) = OURS, STANDARD
    assert ours(1) != standard(1)
    assert ours(1) != 1


def test_what_cannot_be_hashed_makes_it_unhashable() -> None:
    unhashable: Hashable = OURS[ONE]([1])
    with pytest.raises(TypeError, match="unhashable"):
        hash(unhashable)


def test_what_is_not_to_be_shown_is_not() -> None:
    assert "token" not in repr(OURS[SEVERAL]("a", "token"))


def test_it_is_frozen_has_slots_and_is_replaced_as_ever() -> None:
    plan = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(1)),))
    with pytest.raises(FrozenInstanceError):
        plan.unit = RateUnit.AMPERE  # type: ignore[misc]
    assert not hasattr(plan, "__dict__")
    assert replace(plan, unit=RateUnit.AMPERE) == Plan(RateUnit.AMPERE, plan.periods)
    assert {field.name for field in dataclasses.fields(plan)} >= {"unit", "periods"}


def test_functions_make_no_other_dataclasses() -> None:
    slow = re.compile(r"^from dataclasses import .*\bdataclass\b|dataclasses\.dataclass\(", re.MULTILINE)
    found = {path.name for path in LAYER.rglob("*.py") if slow.search(path.read_text(encoding="utf-8"))}
    assert found == {"values.py"}
