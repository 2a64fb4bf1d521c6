"""JSON as the counterparts read and write it: decimals stay decimals."""

import json
from collections.abc import Mapping
from decimal import Decimal

JsonObject = dict[str, object]


class NotJsonError(ValueError):
    """The bytes are not JSON."""


def read_json(text: str | bytes) -> object:
    """Parse JSON; numbers with a fraction become `Decimal`, so that 21.4 stays 21.4.

    Raises NotJsonError, also for NaN and Infinity, which Python's reader would let through.
    """
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJsonError(f"not JSON: {error}") from error


def write_json(value: object) -> str:
    """Write compact JSON; a `Decimal` becomes a JSON number, never a string."""
    return json.dumps(value, separators=(",", ":"), default=_write_decimal, allow_nan=False)


def as_object(value: object) -> JsonObject:
    """The value as a JSON object, or an empty one when it is something else."""
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def as_list(value: object) -> list[object]:
    """The value as a JSON array, or an empty one when it is something else."""
    return list(value) if isinstance(value, list) else []


def as_int(value: object) -> int | None:
    """The value if it is a JSON integer; a boolean is not one."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_text(value: object) -> str | None:
    """The value if it is a JSON string."""
    return value if isinstance(value, str) else None


def _write_decimal(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
