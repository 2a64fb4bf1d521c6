"""Plans: a course of limits over time, and the algebra on them.

A `Plan` is OCPI's ChargingProfile (14.6.3) in the domain's terms. Limits are in W (total power) or A (per phase), by
`unit`; times are whole seconds from `start`. A plan without `start` is relative to the start of charging.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class RateUnit(StrEnum):
    """ChargingRateUnit (OCPI 14.6.2): W is total power, A is per phase and never the sum."""

    WATT = "W"
    AMPERE = "A"


@dataclass(frozen=True, slots=True)
class PlanPeriod:
    """From `start` seconds after the plan's start on, at most `limit` (in the plan's unit) until the next period."""

    start: int
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """A course of limits. `periods` begin at 0 and ascend strictly; `duration` is in seconds, None is open-ended."""

    unit: RateUnit
    periods: tuple[PlanPeriod, ...]
    start: datetime | None = None
    duration: int | None = None
    min_rate: Decimal | None = None
