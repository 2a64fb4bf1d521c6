"""The fail-safe end of a plan: no car stays paused for ever because the bridge or its partner fell silent.

A plan that ends in a pause is given an end of its own, and is renewed while its partner lives; when nobody renews it the
station's own limits apply again (design decision 15).
"""

from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.plans import Plan, RateUnit, clipped, watts_in_total

# A car cannot charge with less per phase (IEC 61851-1), so a lower limit is a pause.
LEAST_CHARGING_CURRENT = Decimal(6)

_SECOND = timedelta(seconds=1)


def fail_safe_at(
    plan: Plan,
    *,
    charging_since: datetime,
    phases: int | None,
    voltage: int,
    accepted_at: datetime,
    after: timedelta | None,
) -> datetime | None:
    """When the charge point is to stop following the plan if nobody renews it; None where it needs no such end.

    It is `after` the pause at the plan's end began, or after the plan was accepted (or renewed) where that is later. None
    where `after` is None, where the last limit is at least 6 A per phase, and where the plan ends by itself no later.
    A pause may be written in several periods: a quarter of an hour each, say.

    `phases` are those that limits in W are shared by (None for DC: one), `voltage` in V is between line and neutral. A
    relative plan counts from `charging_since`. Periods that never begin, behind the plan's end or the calendar's, do not
    count.
    """
    if after is None:
        return None
    start = plan.start or charging_since
    least = _least(plan.unit, phases, voltage)
    paused_since = None
    for period in plan.periods:
        moment = _moment(start, period.start)
        if moment is None or (plan.duration is not None and plan.duration <= period.start):
            break
        paused_since = (paused_since or moment) if period.limit < least else None
    if paused_since is None:
        return None
    end = _moment(max(paused_since, accepted_at), after // _SECOND)
    own_end = None if plan.duration is None else _moment(start, plan.duration)
    return None if end is None or (own_end is not None and own_end <= end) else end


def ended_at(plan: Plan, instant: datetime, charging_since: datetime) -> Plan:
    """The plan with its end at `instant` (the whole second of it before) where it would go on; never a longer plan.

    Periods that would begin later are dropped. A relative plan counts from `charging_since`, and stays relative. One
    that would begin only after `instant` lasts 0 s, and fitting refuses it.
    """
    return clipped(plan, max(0, (instant - (plan.start or charging_since)) // _SECOND))


def _least(unit: RateUnit, phases: int | None, voltage: int) -> Decimal:
    if unit is RateUnit.AMPERE:
        return LEAST_CHARGING_CURRENT
    return watts_in_total(LEAST_CHARGING_CURRENT, phases or 1, voltage)


def _moment(start: datetime, seconds: int) -> datetime | None:
    try:
        return start + timedelta(seconds=seconds)
    except OverflowError:
        return None
