"""Plain values in DynamoDB's notation and back: what boto3 does for a resource, without loading boto3.

| plain         | DynamoDB         |
|---------------|------------------|
| str           | S                |
| int, Decimal  | N, as Decimal    |
| bool          | BOOL             |
| None          | NULL             |
| list or tuple | L, as list       |
| mapping       | M, as dict       |
| set of str    | SS               |

Whatever else an item of a table may hold (bytes, sets of numbers and of bytes) can be read too: a stream shows it.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Final

DIGITS: Final = 38
"""As many as DynamoDB keeps of a number."""


def attribute_value(value: object) -> dict[str, Any]:
    """The value in DynamoDB's notation. Raises TypeError for what has none here, ValueError for a number it does not keep."""
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": _number(Decimal(value))}
        case None:
            return {"NULL": True}
        case list() | tuple():
            return {"L": [attribute_value(one) for one in value]}
        case Mapping():
            return {"M": {name: attribute_value(one) for name, one in value.items()}}
        case AbstractSet() if value and all(isinstance(one, str) for one in value):
            return {"SS": sorted(value)}
    raise TypeError(f"a {type(value).__name__} is no attribute of an item")


def plain_value(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever DynamoDB can hold
    """The plain value of one in DynamoDB's notation. Raises KeyError for a kind that there is not."""
    [(kind, held)] = value.items()
    return _PLAIN[kind](held)


def _number(number: Decimal) -> str:
    if not number.is_finite() or len(number.as_tuple().digits) > DIGITS:
        raise ValueError(f"DynamoDB does not keep {number}")
    return str(number)


def _itself(held: Any) -> Any:  # noqa: ANN401 - a text, bytes, or whether something is so
    return held


_PLAIN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "S": _itself,
    "N": Decimal,
    "BOOL": _itself,
    "NULL": lambda _: None,
    "L": lambda held: [plain_value(one) for one in held],
    "M": lambda held: {name: plain_value(one) for name, one in held.items()},
    "SS": set,
    "NS": lambda held: {Decimal(one) for one in held},
    "B": _itself,
    "BS": set,
}
