"""Plans: a course of limits over time, and the algebra on them.

A `Plan` is OCPI's ChargingProfile (14.6.3) in the domain's terms. Limits are in W (total power) or A (per phase), by
`unit`; times are whole seconds from `start`. A plan without `start` is relative to the start of charging.

A limit is a maximum, so every step that cannot be exact rounds down, to the 0.1 that OCPP can carry.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from enum import StrEnum
from itertools import pairwise

from ocpi_bridge.domain.errors import EmptyPlan, PlanIsOver, UnitNotPossible
from ocpi_bridge.domain.values import dataclass

# OCPP carries one decimal (multipleOf 0.1 in the schemas of 1.6, "at most one digit fraction" in 2.0.1).
TENTH = Decimal("0.1")

# A rebased plan starts at least this long ago: to a station with a slow clock "now" is the future, and until then it
# would charge by its default (OCPP 1.6 5.16.4 advises a start in the past).
REBASED_START_AGE = timedelta(minutes=5)

_SECOND = timedelta(seconds=1)

# Division and multiplication must not round up either, not even in the last of 28 digits.
_DOWN = Context(prec=28, rounding=ROUND_DOWN)


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


def constant(limit: Decimal, unit: RateUnit, start: datetime | None, duration: int | None) -> Plan:
    """One limit (in `unit`) from `start` on, for `duration` seconds."""
    return Plan(unit, (PlanPeriod(0, limit),), start, duration)


# --- Time ------------------------------------------------------------------------------------------------------------


def limit_at(plan: Plan, instant: datetime) -> Decimal | None:
    """The limit in force at an instant, in the plan's unit; None before the plan's start and after its end.

    Raises ValueError for a relative plan: it has no place in absolute time.
    """
    elapsed = _elapsed(plan, instant)
    if elapsed < 0 or not plan.periods or (plan.duration is not None and plan.duration <= elapsed):
        return None
    return plan.periods[_current(plan, elapsed)].limit


def upcoming(plan: Plan, now: datetime) -> Plan:
    """The plan without its past periods; every limit from `now` on stays as it was, and so does the end.

    A plan in its first period has nothing to drop and is returned as it is, and so are a plan with a future start and
    a relative one. Any other is rebased: it starts with the period in force, when that one began but at least
    REBASED_START_AGE ago (never before the plan's own start), and `duration` is shorter by the shift.

    Raises EmptyPlan for a plan without periods, PlanIsOver when its end is not after `now`.
    """
    if not plan.periods:
        raise EmptyPlan("the plan has no periods")
    if plan.start is None or now < plan.start:
        return plan
    elapsed = _elapsed_of_running(plan, now)
    current = _current(plan, elapsed)
    shift = max(0, min(plan.periods[current].start, elapsed - REBASED_START_AGE // _SECOND))
    return _rebased(plan, shift, current)


def remaining(plan: Plan, now: datetime) -> Plan:
    """What is left of a running plan: its start is `now`, to the whole second before, and its end as it was.

    A plan with a future start is returned as it is. Raises PlanIsOver, and ValueError for a relative plan.
    """
    if _elapsed(plan, now) < 0:
        return plan
    elapsed = _elapsed_of_running(plan, now)
    return _rebased(plan, elapsed, _current(plan, elapsed))


def clipped(plan: Plan, duration: int) -> Plan:
    """The plan's first `duration` seconds; periods that would begin later are dropped, the first one never is."""
    length = duration if plan.duration is None else min(duration, plan.duration)
    kept = tuple(period for period in plan.periods[1:] if period.start < length)
    return replace(plan, periods=plan.periods[:1] + kept, duration=length)


def merged(plan: Plan) -> Plan:
    """The same course in as few periods as it takes: neighbours with equal limits become one."""
    later = tuple(period for before, period in pairwise(plan.periods) if period.limit != before.limit)
    return replace(plan, periods=plan.periods[:1] + later)


def same_course(
    a: Plan, b: Plan, since: datetime, until: datetime, tolerance_seconds: int, tolerance_limit: Decimal
) -> bool:
    """Whether two absolute plans of one unit say the same from `since` until `until`, compared in absolute time.

    Limits may differ by `tolerance_limit` at any time, and by more (or one plan may say nothing) for at most
    `tolerance_seconds` on end: composite schedules move their period starts by a second or two between reads.

    Raises ValueError for plans of different units and for relative ones.
    """
    if a.unit is not b.unit:
        raise ValueError("plans of different units have no common measure")
    moments = sorted({since, until, *_turns(a, since, until), *_turns(b, since, until)})
    tolerated = timedelta(seconds=tolerance_seconds)
    apart = timedelta(0)
    for moment, following in pairwise(moments):
        if _close(limit_at(a, moment), limit_at(b, moment), tolerance_limit):
            apart = timedelta(0)
            continue
        apart += following - moment
        if apart > tolerated:
            return False
    return True


# --- Limits ----------------------------------------------------------------------------------------------------------


def rounded(plan: Plan) -> Plan:
    """The plan with every limit and the minimum rate rounded down to 0.1."""
    return _with_limits(plan, plan.unit, rounded_down)


def capped(plan: Plan, limit: Decimal) -> Plan:
    """The plan with no limit above `limit` (in the plan's unit). The minimum rate is the car's and stays."""
    periods = tuple(replace(period, limit=min(period.limit, limit)) for period in plan.periods)
    return replace(plan, periods=periods)


def converted(plan: Plan, unit: RateUnit, phases: int | None, voltage: int) -> Plan:
    """The plan in another unit: W in total from or to A per phase; every limit and the minimum rate rounded down.

    `phases` are those in use, `voltage` is between line and neutral in V (OCPP 2.0.1 K01.FR.50). A plan that has the
    unit already is only rounded. Raises UnitNotPossible where `phases` is None: DC is never converted.
    """
    if unit is plan.unit:
        return rounded(plan)
    if phases is None:
        raise UnitNotPossible(f"a plan in {plan.unit} cannot be converted to {unit} without AC phases")
    change = amperes_per_phase if unit is RateUnit.AMPERE else watts_in_total
    return _with_limits(plan, unit, lambda limit: change(limit, phases, voltage))


def amperes_per_phase(watts: Decimal, phases: int, voltage: int) -> Decimal:
    """The current in A on each of `phases` phases that draws at most `watts` in total, rounded down to 0.1."""
    return rounded_down(_DOWN.divide(watts, Decimal(phases * voltage)))


def watts_in_total(amperes: Decimal, phases: int, voltage: int) -> Decimal:
    """The power in W that `amperes` on each of `phases` phases draw, rounded down to 0.1."""
    return rounded_down(_DOWN.multiply(amperes, Decimal(phases * voltage)))


def rounded_down(value: Decimal) -> Decimal:
    """The value with one decimal, never above it."""
    return value.quantize(TENTH, context=_DOWN)


# --- Inside ----------------------------------------------------------------------------------------------------------


def _elapsed(plan: Plan, instant: datetime) -> int:
    """Whole seconds since the plan's start. Periods and ends are whole seconds too, so comparing them is exact."""
    if plan.start is None:
        raise ValueError("a relative plan has no place in absolute time")
    return (instant - plan.start) // _SECOND


def _elapsed_of_running(plan: Plan, now: datetime) -> int:
    elapsed = _elapsed(plan, now)
    if plan.duration is not None and plan.duration <= elapsed:
        raise PlanIsOver("every period of the plan lies in the past")
    return elapsed


def _current(plan: Plan, elapsed: int) -> int:
    return bisect_right(plan.periods, elapsed, key=lambda period: period.start) - 1


def _rebased(plan: Plan, shift: int, current: int) -> Plan:
    """The plan with its start `shift` seconds later, and the period of index `current` as its first one."""
    if plan.start is None:
        raise ValueError("a relative plan cannot be rebased")
    later = tuple(replace(period, start=period.start - shift) for period in plan.periods[current + 1 :])
    return replace(
        plan,
        start=plan.start + shift * _SECOND,
        periods=(PlanPeriod(0, plan.periods[current].limit), *later),
        duration=None if plan.duration is None else plan.duration - shift,
    )


def _turns(plan: Plan, since: datetime, until: datetime) -> Iterator[datetime]:
    """The instants within a window at which the plan's limit may change, its start and its end among them."""
    first, last = _elapsed(plan, since), _elapsed(plan, until)
    turns = [period.start for period in plan.periods]
    if plan.duration is not None:
        turns.append(plan.duration)
    for turn in turns:
        # Compared as seconds first: a partner's `start_period` may be beyond what a datetime can hold.
        if first < turn <= last and plan.start is not None:
            yield plan.start + turn * _SECOND


def _close(a: Decimal | None, b: Decimal | None, tolerance: Decimal) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= tolerance


def _with_limits(plan: Plan, unit: RateUnit, change: Callable[[Decimal], Decimal]) -> Plan:
    return replace(
        plan,
        unit=unit,
        periods=tuple(replace(period, limit=change(period.limit)) for period in plan.periods),
        min_rate=None if plan.min_rate is None else change(plan.min_rate),
    )
