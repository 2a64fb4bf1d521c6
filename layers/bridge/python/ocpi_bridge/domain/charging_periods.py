"""Charging periods: when one closes, and what was charged in it (OCPI 10.4.6, 9.3.1)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.events import ChargingState
from ocpi_bridge.domain.sessions import TO_THE_WH, ChargingPeriod, Session, hours, in_kwh

# OCPI 9.3.1 advises against a charging period a minute; quarters of an hour are what tariffs and SCSPs use.
PERIOD_LENGTH = timedelta(minutes=15)
# A change of power by this share (and at least this many W) is worth a charging period of its own.
POWER_CHANGE_SHARE = Decimal("0.1")
POWER_CHANGE_W = Decimal(500)


def with_period(
    before: Session, after: Session, at: datetime, *, ended: bool = False
) -> tuple[Session, ChargingPeriod | None]:
    """The session after an event at an instant, with the period that it closes there, if any.

    `before` is the session as it was before the event, `ended` an event that ends it.
    """
    start, meter_at_start, meter = after.period_start, after.period_meter_wh, after.meter_wh
    if start is None or meter_at_start is None or meter is None:
        return after, None
    # As a difference of what the session told, so that the periods add up to it whatever was rounded.
    energy = max(Decimal(0), after.kwh - in_kwh(meter_at_start - (after.meter_start_wh or Decimal(0))))
    if at <= start:
        # An end that is older than what was told already: only energy that is left is told with it.
        if not ended or not energy:
            return after, None
        at = start
    elif not (ended or _closes_period(before, after, at - start)):
        return after, None
    lasted = hours(at - start)
    parked = before.charging_state is ChargingState.SUSPENDED_EV
    period = ChargingPeriod(
        index=after.periods + 1,
        start=start,
        end=at,
        energy=energy,
        power=(energy / lasted).quantize(TO_THE_WH) if lasted else Decimal(0),
        # The new one belongs to the next period: it may be what ended this one.
        current=after.current_a if before.current_a is None else before.current_a,
        soc=after.soc,
        parking=lasted if parked else None,
    )
    return replace(after, period_start=at, period_meter_wh=meter, periods=period.index), period


def _closes_period(before: Session, after: Session, length: timedelta) -> bool:
    """A quarter is over, the power moved, or the vehicle began or ceased to ask for none: parking has its own periods."""
    parked = ChargingState.SUSPENDED_EV
    parking_moved = (before.charging_state is parked) != (after.charging_state is parked)
    return length >= PERIOD_LENGTH or parking_moved or _power_changed(before.power_w, after.power_w)


def _power_changed(before: Decimal | None, after: Decimal | None) -> bool:
    if before is None or after is None:
        return False
    return abs(after - before) > max(POWER_CHANGE_W, before * POWER_CHANGE_SHARE)
