"""The bus on which the bridge tells a CSMS what it is not asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class BusEvent:
    """One event: what kind (`ocpi.charging_preferences.set`), when, and its details (docs/csms-bus.md)."""

    detail_type: str
    time: datetime
    detail: JsonObject


class CsmsBus(Protocol):
    """Publishes events for CSMSs."""

    def publish(self, events: Sequence[BusEvent]) -> None:
        """Publishes all, in order of their list. Raises when any was not taken: the caller repeats them all.

        At-least-once, and the bus promises no order: whoever listens drops the ids that it knows and older events.
        """
