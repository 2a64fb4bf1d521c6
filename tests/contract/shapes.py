"""The shape of a message: which fields there are, and of which JSON type. Values do not count, nor how long a list is."""

from collections.abc import Mapping, Sequence
from typing import Any

Shape = dict[str, frozenset[str]]


def shape(value: Any) -> Shape:  # noqa: ANN401 - whatever JSON has
    """The types at each path, `cdr_token.uid` or `charging_periods[].dimensions`; elements of a list count together."""
    found: dict[str, set[str]] = {}
    _add(found, "", value)
    return {path: frozenset(types) for path, types in found.items()}


def lacking(ours: Shape, theirs: Shape) -> set[str]:
    """The paths of theirs that ours has not, or has with another type."""
    return {path for path, types in theirs.items() if path not in ours or not types <= ours[path]}


def same_shape(ours: object, theirs: object) -> None:
    """Fails unless both have the same fields of the same types."""
    assert lacking(shape(ours), shape(theirs)) == set()
    assert lacking(shape(theirs), shape(ours)) == set()


def _add(found: dict[str, set[str]], path: str, value: object) -> None:
    found.setdefault(path, set()).add(_type(value))
    if isinstance(value, Mapping):
        for name, part in value.items():
            _add(found, f"{path}.{name}" if path else name, part)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for part in value:
            _add(found, f"{path}[]", part)


def _type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, Sequence) else "number"
