"""A car at the third-party charge point: it draws what the charge point's limits leave it."""

from dataclasses import dataclass

from tools.counterparts.json_types import JsonObject


@dataclass(frozen=True, slots=True)
class Car:
    """What a car can take: the phases of its charger, and the most that it draws, in A per phase.

    It draws nothing below 6 A (IEC 61851-1). A limit in W is spread over `numberPhases`, three where a schedule does not
    say, so a one-phase car on such a limit gets a third of it (OCPP 1.6, 7.14).
    """

    phases: int = 3
    ampere: int = 32

    def as_json(self) -> JsonObject:
        """As kirby.mjs takes it."""
        return {"phases": self.phases, "ampere": self.ampere}
