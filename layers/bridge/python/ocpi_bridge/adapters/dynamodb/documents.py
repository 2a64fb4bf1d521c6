"""Domain objects as JSON documents in an item's attribute, written and checked by pydantic.

An object that many writers touch has its moving parts as attributes of their own beside the document.
"""

from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")

# Built on first use and kept: building one takes a millisecond, using it microseconds.
_adapters: dict[type, TypeAdapter[Any]] = {}


def dump(value: object) -> str:
    """The object as JSON text."""
    return _adapter(type(value)).dump_json(value, exclude_none=True).decode()


def load(kind: type[T], text: str) -> T:
    """The object from its JSON text; fields that a later version added are ignored, missing ones take defaults."""
    return cast(T, _adapter(kind).validate_json(text))


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]
