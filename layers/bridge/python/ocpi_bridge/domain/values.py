"""`dataclass` as the standard library has it, made in two thirds of the time (docs/decisions/0025-starting-fast.md).

A function's start makes some seventy of them. What the standard library writes and compiles for each (how to compare, to
hash and to show one) is the same for all, and stands here once; only `__init__` and what freezes it differ.
"""

import dataclasses
from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")


def _made(*, frozen: bool = False, slots: bool = False) -> Callable[[type[T]], type[T]]:
    """As `dataclasses.dataclass`, of whose options these are the ones in use."""

    def made(kind: type[T]) -> type[T]:
        for name, shared in _SHARED.items():
            if name not in vars(kind):
                setattr(kind, name, shared)
        return dataclasses.dataclass(frozen=frozen, slots=slots, eq=False, repr=False)(kind)

    return made


def _equal(self: Any, other: object) -> object:  # noqa: ANN401 - any dataclass
    if other.__class__ is not self.__class__:
        return NotImplemented
    kind: Any = self.__class__
    return _values_of(kind)(self) == _values_of(kind)(other)


def _hashed(self: Any) -> int:  # noqa: ANN401
    kind: Any = self.__class__
    return hash(_values_of(kind)(self))


def _shown(self: Any) -> str:  # noqa: ANN401 - any dataclass
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


@cache
def _values_of(kind: Any) -> Callable[[object], object]:  # noqa: ANN401 - the class of any dataclass
    """What gives the values of one that count where it is compared."""
    names = [field.name for field in dataclasses.fields(kind) if field.compare]
    return attrgetter(*names) if names else lambda _: ()


_SHARED = {"__eq__": _equal, "__hash__": _hashed, "__repr__": _shown}

if TYPE_CHECKING:
    # To a type checker it is the standard library's: it is so in all but the time that it takes.
    from dataclasses import dataclass
else:
    dataclass = _made
