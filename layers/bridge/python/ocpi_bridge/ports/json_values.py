"""JSON as values: what stands on wires."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

JsonValue = str | int | float | Decimal | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
JsonObject = Mapping[str, JsonValue]
