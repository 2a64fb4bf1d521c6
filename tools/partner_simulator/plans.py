"""Charging plans of the partner."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from tools.partner_simulator.models import ChargingProfile, ChargingProfilePeriod

# The example of Jedlix's guide "Receive OCPI Charging Profiles": full power, a pause, 10 kW; seconds and W.
GUIDE_PERIODS = ((0, Decimal(22000)), (1800, Decimal(0)), (3600, Decimal(10000)))


def guide_profile(start: datetime) -> ChargingProfile:
    """The profile of Jedlix's guide, starting at `start`: 22 kW, a pause after half an hour, 10 kW after an hour."""
    return watt_profile(GUIDE_PERIODS, start=start)


def watt_profile(
    periods: Iterable[tuple[int, Decimal]], *, start: datetime | None = None, duration: int | None = None
) -> ChargingProfile:
    """A profile in W from pairs of start (s from the profile's start) and limit; without `start` it is relative."""
    return ChargingProfile(
        start_date_time=start,
        duration=duration,
        charging_rate_unit="W",
        charging_profile_period=[
            ChargingProfilePeriod(start_period=start_period, limit=limit) for start_period, limit in periods
        ],
    )
