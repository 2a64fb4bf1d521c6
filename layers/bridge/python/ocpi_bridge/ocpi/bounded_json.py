"""The JSON of another party: exact numbers, and nothing that would hurt whoever works with it.

One reader for all of it, whoever sent it and whichever way it came. What it gives can be computed with, walked
through recursively and written again, which JSON as such does not promise. The length of a text is bounded by its field,
and by the length of the body, which is its reader's to bound.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from ocpi_bridge.ports.json_values import JsonValue

# The deepest message, a composite schedule in a CSMS's own wrapping, has some 10 levels.
MAX_DEPTH = 32
# Watts, seconds, ids and prices end far below; `1e999999999` is no such number, and computing with it would not end.
MAX_NUMBER_LENGTH = 40
MAX_EXPONENT = 30
# An object of ours has some 30 fields, and others may have theirs beside them.
MAX_FIELDS = 256
# Four plans of the longest kind; a session reports a period each minute for nearly three days.
MAX_ITEMS = 4_096
# The densest message, a plan, has one value in 6 bytes; of what a queue takes in one message that makes some 31,000.
MAX_VALUES = 32_768


class UnreadableJson(ValueError):
    """The bytes are not JSON. The text says so and nothing of what was sent."""


class JsonBeyondBounds(UnreadableJson):
    """JSON that is beyond one of the bounds, which the text names."""


def read_json(body: bytes | str) -> JsonValue:
    """The body as JSON, fractions as Decimal. Raises UnreadableJson."""
    problem: UnreadableJson | None = None
    value: JsonValue = None
    try:
        value = json.loads(
            body,
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
        _check(value)
    except JsonBeyondBounds as error:
        problem = JsonBeyondBounds(str(error))
    except (ValueError, RecursionError):
        problem = UnreadableJson("is not valid JSON")
    if problem is not None:
        # Raised out here, without the parser's error as its context: that one holds the text it could not parse.
        raise problem
    return value


def _fraction(text: str) -> Decimal:
    if len(text) > MAX_NUMBER_LENGTH:
        raise _out_of_proportion()
    try:
        number = Decimal(text)
    except InvalidOperation:
        # Not even Decimal has so large an exponent.
        raise _out_of_proportion() from None
    if abs(number.adjusted()) > MAX_EXPONENT:
        raise _out_of_proportion()
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise _out_of_proportion()
    return int(text)


def _out_of_proportion() -> JsonBeyondBounds:
    return JsonBeyondBounds(
        f"has a number of more than {MAX_NUMBER_LENGTH} characters, or beyond 10 to the power of {MAX_EXPONENT}"
    )


def _no_constant(name: str) -> None:
    raise UnreadableJson(f"{name} is not JSON")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields = dict(pairs)
    # RFC 8259, 4: of two fields with one name, readers take different ones; a reader before us may have vetted the other.
    if len(fields) != len(pairs):
        raise JsonBeyondBounds("names a field twice")
    if len(fields) > MAX_FIELDS:
        raise JsonBeyondBounds(f"has an object of more than {MAX_FIELDS} fields")
    return fields


def _check(value: JsonValue) -> None:
    """Raises JsonBeyondBounds for what the parser lets through. By levels, not by recursion: depth is what it bounds."""
    level, values = [value], 0
    for _ in range(MAX_DEPTH + 1):
        values += len(level)
        if values > MAX_VALUES:
            raise JsonBeyondBounds(f"has more than {MAX_VALUES} values")
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise JsonBeyondBounds(f"is nested deeper than {MAX_DEPTH} levels")


def _inside(value: JsonValue) -> Sequence[JsonValue]:
    if isinstance(value, Mapping):
        return tuple(value.values())
    if isinstance(value, str) or not isinstance(value, Sequence):
        return ()
    if len(value) > MAX_ITEMS:
        raise JsonBeyondBounds(f"has a list of more than {MAX_ITEMS} items")
    return value
