"""DynamoDB's capacity units by its own rules, since the DynamoDB of the tests counts every call as one or a half.

Sizes are the UTF-8 bytes of names and values. A read unit is 4 KB read consistently, a write unit 1 KB of the larger of
the item before and after; a transaction costs twice that. An index entry that comes, goes or changes is a write of its
own, of the attributes that the index projects; a transaction does not double it (developer guide, "DynamoDB item sizes
and formats", "Read and write operations", "Using global secondary indexes").
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.support.tables import Index

# An item in DynamoDB's notation.
Item = Mapping[str, Mapping[str, Any]]

READ_UNIT = 4096
WRITE_UNIT = 1024
TRANSACTION = 2
EVENTUAL = Decimal("0.5")
_TABLE_KEY = ("pk", "sk")


def size(item: Item | None) -> int:
    """Bytes of an item; none has none."""
    return 0 if item is None else sum(len(name.encode()) + _value(value) for name, value in item.items())


def read_units(read: int, *, consistent: bool = True) -> Decimal:
    """Units of a read of so many bytes, at least one; half of that where it need not be the newest."""
    units = Decimal(max(1, math.ceil(read / READ_UNIT)))
    return units if consistent else units * EVENTUAL


def write_units(before: Item | None, after: Item | None, *, transaction: bool = False) -> Decimal:
    """Units of a write of one item of a table; a write that is refused costs as much."""
    units = Decimal(max(1, math.ceil(max(size(before), size(after)) / WRITE_UNIT)))
    return units * TRANSACTION if transaction else units


def index_units(index: Index, before: Item | None, after: Item | None) -> Decimal:
    """Units of what a change of an item costs in an index of its table."""
    old, new = entry(index, before), entry(index, after)
    if old == new:
        return Decimal(0)
    if old is not None and new is not None and _place(index, old) == _place(index, new):
        return write_units(old, new)
    # An entry that moves is one that goes and one that comes.
    return sum((write_units(one, None) for one in (old, new) if one is not None), Decimal(0))


def entry(index: Index, item: Item | None) -> dict[str, Mapping[str, Any]] | None:
    """What stands in an index of an item: nothing where the item lacks one of its keys."""
    if item is None or index.partition not in item or index.sort not in item:
        return None
    shown: Sequence[str] = (*_TABLE_KEY, index.partition, index.sort, *index.projected)
    return {name: item[name] for name in dict.fromkeys(shown) if name in item}


def _place(index: Index, found: Item) -> tuple[Any, Any]:
    return found[index.partition], found[index.sort]


def _value(value: Mapping[str, Any]) -> int:
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number(content)
        case "BOOL" | "NULL":
            return 1
        case "L":
            return 3 + sum(1 + _value(one) for one in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value(one) for name, one in content.items())
        case _:
            raise ValueError(f"the bridge's items have no {kind}")


def _number(text: str) -> int:
    digits = len(Decimal(text).normalize().as_tuple().digits)
    return math.ceil(digits / 2) + 1
