"""What a station says of its smart charging, read from named values: configuration keys in 1.6, variables in 2.0.1.

Both versions send values as text, and the field writes them as it likes. What cannot be understood counts as not said.
"""

import re
from collections.abc import Iterable, Mapping

from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.ocpp.responses import read_number
from ocpi_bridge.ports.json_values import JsonValue

# OCPP's integers have 32 bits.
MAX_INTEGER = 2**31 - 1

_WORDS = re.compile(r"[^\W\d_]+")
# `Current` and `Power` are 1.6's, `A` and `W` 2.0.1's; stations of 1.6 send those too.
_UNITS = {"current": RateUnit.AMPERE, "a": RateUnit.AMPERE, "power": RateUnit.WATT, "w": RateUnit.WATT}
_FLAGS = {"true": True, "false": False}


class NamedValues:
    """Values by name, without regard to case (CiString in 1.6, identifierString in 2.0.1). Of two, the first counts."""

    def __init__(self, pairs: Iterable[tuple[JsonValue, JsonValue]]) -> None:
        self._values: dict[str, JsonValue] = {}
        for name, value in pairs:
            if isinstance(name, str):
                self._values.setdefault(name.strip().casefold(), value)

    def units(self, name: str) -> frozenset[RateUnit] | None:
        """The rate units in a list, whatever separates them; None where no known one is named."""
        value = self._value(name)
        words = _WORDS.findall(value.casefold()) if isinstance(value, str) else []
        return frozenset(_UNITS[word] for word in words if word in _UNITS) or None

    def count(self, name: str, *, least: int) -> int | None:
        """A whole number from `least` on; None where there is none."""
        number = read_number(self._value(name))
        if number is None or not least <= number <= MAX_INTEGER or number != int(number):
            return None
        return int(number)

    def flag(self, name: str) -> bool | None:
        """A boolean, as JSON has it or as text."""
        value = self._value(name)
        if isinstance(value, bool):
            return value
        return _FLAGS.get(value.strip().casefold()) if isinstance(value, str) else None

    def _value(self, name: str) -> JsonValue:
        return self._values.get(name.casefold())


def field_of(value: JsonValue, name: str) -> JsonValue:
    """The field of an object; None where there is no object or no such field."""
    return value.get(name) if isinstance(value, Mapping) else None
