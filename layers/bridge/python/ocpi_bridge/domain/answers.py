"""Answers: what a charge point's status means for the partner (OCPI 14.6.6)."""

from datetime import datetime, timedelta

from ocpi_bridge.domain.errors import PlanIsOver, UnitNotPossible
from ocpi_bridge.domain.fitting import ceiling, phases_in_use
from ocpi_bridge.domain.learning import says_not_supported
from ocpi_bridge.domain.plans import Plan, RateUnit, clipped, constant, converted, merged, remaining, rounded
from ocpi_bridge.domain.requests import Answer, Result
from ocpi_bridge.domain.stations import Outlet, maximum_power
from ocpi_bridge.domain.statuses import ACCEPTED, CALL_ERROR, REJECTED, UNKNOWN

_UNDERSTOOD = frozenset({ACCEPTED, REJECTED, UNKNOWN})

# A composite schedule begins when the station calculated it, by the station's clock. Up to here the difference is that
# clock's; a start longer ago is that of the profile itself, and what lies before now is cut off.
CLOCK_TOLERANCE = timedelta(minutes=5)


def understood(status: str) -> bool:
    """Whether a status says what the charge point did: done, refused, or not known there. Any other may mean anything."""
    return status in _UNDERSTOOD or says_not_supported(status) or status.startswith(CALL_ERROR)


def set_answer(status: str, detail: str = "") -> Answer:
    """What the status of a SetChargingProfile means: Accepted is ACCEPTED, anything else is REJECTED.

    `detail` is the station's own reason, for operators.
    """
    return Answer(Result.ACCEPTED if status == ACCEPTED else Result.REJECTED, _reason(status, detail))


def clear_answer(status: str, *, later_attempt: bool, detail: str = "") -> Answer:
    """What the status of a ClearChargingProfile means: ACCEPTED, UNKNOWN where it had no such profile, or REJECTED.

    On a later attempt Unknown is ACCEPTED: an earlier one, whose answer was lost, may have cleared the profile, and
    what the partner asked for is true either way.
    """
    if status == UNKNOWN and later_attempt:
        return Answer(Result.ACCEPTED, "Unknown on a later attempt: the profile is not there any more")
    results = {ACCEPTED: Result.ACCEPTED, UNKNOWN: Result.UNKNOWN}
    return Answer(results.get(status, Result.REJECTED), _reason(status, detail))


def active_profile(
    status: str,
    schedule: Plan | None,
    *,
    plan_expected: bool,
    outlet: Outlet,
    phases: int | None,
    unit: RateUnit | None,
    now: datetime,
    duration: int,
    detail: str = "",
) -> Answer:
    """What a GetCompositeSchedule means, as an answer with the ActiveChargingProfile where there is one (14.6.1).

    * Accepted with a schedule: ACCEPTED with it, at most `duration` s long, equal neighbours merged, in `unit` (None:
      the station's own), rounded down to 0.1. DC is not converted and stays in the station's unit.
    * No schedule shown (Accepted without one, with an empty one or one that is over; or Rejected, which stations also
      say when no profile is installed): UNKNOWN if a plan of ours is expected there; else ACCEPTED with one period,
      the most that the EVSE may deliver by its rating and the CPO's cap (14.4.2.4).
    * Anything else: REJECTED.

    `phases` are those that the car uses, None takes the connector's.
    """
    if status not in {ACCEPTED, REJECTED}:
        return Answer(Result.REJECTED, _reason(status, detail))
    shown = _running(schedule, now) if status == ACCEPTED else None
    if shown is not None:
        profile = _in_unit(clipped(shown, duration), unit, outlet, phases)
        return Answer(Result.ACCEPTED, _reason(status, detail), merged(profile))
    if plan_expected:
        return Answer(Result.UNKNOWN, f"{_reason(status, detail)}; no schedule shown though a plan is installed")
    told = unit or RateUnit.WATT
    profile = constant(ceiling(outlet, told, phases, maximum_power(outlet)), told, now, duration)
    return Answer(Result.ACCEPTED, f"{_reason(status, detail)}; no plan installed: the EVSE's maximum", profile)


def _running(schedule: Plan | None, now: datetime) -> Plan | None:
    if schedule is None or not schedule.periods:
        return None
    try:
        left = remaining(schedule, now)
    except PlanIsOver:
        return None
    by_its_clock = schedule.start is not None and now - schedule.start <= CLOCK_TOLERANCE
    return schedule if by_its_clock else left


def _in_unit(plan: Plan, unit: RateUnit | None, outlet: Outlet, phases: int | None) -> Plan:
    if unit is None:
        return rounded(plan)
    try:
        return converted(plan, unit, phases_in_use(outlet, phases), outlet.voltage)
    except UnitNotPossible:
        return rounded(plan)


def _reason(status: str, detail: str) -> str:
    return f"{status}: {detail}" if detail else status
