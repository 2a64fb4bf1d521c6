"""Domain objects as JSON documents in an item's attribute, written and checked by pydantic.

An object that many writers touch has its moving parts as attributes of their own beside the document.
"""

import json
from collections.abc import Collection
from dataclasses import fields, is_dataclass
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_type_hints

# Every schema takes it: it is loaded with the function, and not with its first document (docs/decisions/0025).
import pydantic.dataclasses  # noqa: F401
from pydantic import TypeAdapter

T = TypeVar("T")

# Built on first use and kept: building one takes a millisecond, using it microseconds.
_adapters: dict[type, TypeAdapter[Any]] = {}
# Whether a None somewhere in objects of a type says something else than leaving it out; by type.
_telling: dict[type, bool] = {}


def dump(value: object) -> str:
    """The object as JSON text. None is left out where reading takes it for granted, which saves space."""
    kind = type(value)
    if kind not in _telling:
        _telling[kind] = _tells_by_none(kind, set())
    return _adapter(kind).dump_json(value, exclude_none=not _telling[kind]).decode()


def compact(value: object, beside: Collection[str] = ()) -> str:
    """As dump, without what has its default and without the fields `beside`, which the item holds as attributes.

    For items that are written step by step: each KB costs a write unit (docs/decisions/0027-what-a-cycle-costs.md). A
    default in such an object is part of what is stored and must never change.
    """
    return _adapter(type(value)).dump_json(value, exclude_defaults=True, exclude=set(beside)).decode()


def load(kind: type[T], text: str, /, **beside: object) -> T:
    """The object from its JSON text; fields that a later version added are ignored, missing ones take defaults.

    `beside` are fields that the item holds as attributes of their own. What the text has too is taken from the text: an
    older document has everything as it was, and an attribute may be rounded.
    """
    if beside:
        return cast(T, _adapter(kind).validate_python({**beside, **json.loads(text)}))
    return cast(T, _adapter(kind).validate_json(text))


def _adapter(kind: type) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def _tells_by_none(kind: object, seen: set[object]) -> bool:
    """Whether a field in it, or in what it holds, may be None where reading would take another default."""
    if kind in seen:
        return False
    seen.add(kind)
    if not (isinstance(kind, type) and is_dataclass(kind)):
        return any(_tells_by_none(part, seen) for part in get_args(kind))
    hints = get_type_hints(kind)
    return any(
        (field.default is not None and NoneType in get_args(hints[field.name]))
        or _tells_by_none(hints[field.name], seen)
        for field in fields(kind)
    )
