"""How large an item is as DynamoDB reckons it: what decides how many units a write costs."""

from collections.abc import Mapping
from decimal import Decimal

WRITE_UNIT = 1024
"""Bytes of an item that one write unit takes."""


def most_bytes(item: Mapping[str, str | Decimal | int | None]) -> int:
    """Bytes of an item of texts and numbers, names included, or a few more. None is not written and has none."""
    return sum(len(name.encode()) + _most(value) for name, value in item.items() if value is not None)


def _most(value: str | Decimal | int) -> int:
    if isinstance(value, str):
        return len(value.encode())
    # A byte for two digits, and one.
    return len(Decimal(value).as_tuple().digits) // 2 + 2
