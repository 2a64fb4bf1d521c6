"""The JSON in the answer of another party: exact numbers, and nothing that would hurt whoever computes with it."""

import json
from decimal import Decimal

from ocpi_bridge.ports import JsonValue

# Watts, seconds, ids and prices end far below; `1e999999999` is no such number, and computing with it would not end.
MAX_NUMBER_LENGTH = 40
MAX_EXPONENT = 30


class UnreadableJson(ValueError):
    """The bytes are not JSON, or hold numbers or a depth that no message has."""


def read_json(body: bytes) -> JsonValue:
    """The body as JSON, fractions as Decimal. Raises UnreadableJson."""
    try:
        value: JsonValue = json.loads(body, parse_float=_fraction, parse_int=_integer, parse_constant=_no_constant)
    except (ValueError, ArithmeticError, RecursionError):
        value, readable = None, False
    else:
        readable = True
    if not readable:
        # Raised out here, without the parser's error as its context: that one holds the text it could not parse.
        raise UnreadableJson("not JSON of a sane size")
    return value


def _fraction(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > MAX_NUMBER_LENGTH or abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError("a number out of all proportion")
    return number


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        raise ValueError("a number out of all proportion")
    return int(text)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
