"""Fitting a partner's plan to the outlet that is to follow it: time, limits, unit and number of periods."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ocpi_bridge.domain.errors import EmptyPlan, TooManyPeriods, UnitNotPossible
from ocpi_bridge.domain.plans import (
    Plan,
    RateUnit,
    amperes_per_phase,
    capped,
    clipped,
    converted,
    merged,
    rounded_down,
    upcoming,
)
from ocpi_bridge.domain.stations import Outlet, Quirk

# OCPP 2.0.1's schema ends there; 1.6 names no bound of its own, so it is held to the same one.
MAX_PERIODS = 1024

# A station assumes three phases where a schedule does not say how many (2.0.1 K01.FR.49, and 1.6).
ASSUMED_PHASES = 3


def fitted(
    plan: Plan,
    outlet: Outlet,
    phases: int | None,
    maximum_w: Decimal,
    now: datetime,
    charging_since: datetime | None = None,
) -> Plan:
    """The plan as the charge point is to get it, never above the partner's limits, `maximum_w` or the connector.

    `phases` are those that the car uses; None takes the connector's, which is the careful reading: fewer A per phase.
    `maximum_w` is the most that the outlet may deliver, in W. Limits are rounded down to 0.1, past periods and those
    that begin after the plan's end dropped, the unit made one that the station takes, equal neighbours merged. A
    minimum rate above all that the outlet may deliver is left out. For a station that takes no relative plan, one starts
    at `charging_since`; where that is None it stays relative.

    Raises PlanRefused: PlanIsOver, EmptyPlan, UnitNotPossible or TooManyPeriods (OCPI 14.6.3, OCPP 1.6 5.16, 2.0.1 K01).
    """
    coming = _lasting(upcoming(_placed(plan, outlet, charging_since), now))
    used = phases_in_use(outlet, phases)
    unit = _unit_to_send(coming.unit, outlet, used)
    # Held on both sides of the conversion: only amperes show that a one-phase car would pass the connector's rating.
    held = _held_to(coming, ceiling(outlet, coming.unit, phases, maximum_w))
    in_unit = converted(held, unit, used, outlet.voltage)
    fitting = merged(_held_to(in_unit, ceiling(outlet, unit, phases, maximum_w)))
    most_periods = min(MAX_PERIODS, outlet.station.max_periods or MAX_PERIODS)
    if len(fitting.periods) > most_periods:
        raise TooManyPeriods(f"{len(fitting.periods)} periods are left, the station takes {most_periods}")
    return fitting


def phases_in_use(outlet: Outlet, phases: int | None) -> int | None:
    """The phases to calculate with: those that the car uses, else the connector's; None for DC (OCPI 8.4.19)."""
    available = outlet.connector.power_type.phases
    return None if available is None else phases or available


def number_of_phases(outlet: Outlet, phases: int | None) -> int | None:
    """The `numberPhases` to send with a plan for a car that uses `phases` (None: unknown); None to leave it out.

    Without it a station divides a limit in W by three, and a one-phase car gets a third of its power. So it is there
    whenever the car's phases are known, or the connector has fewer than three; unless the station refuses it. DC must
    not have it (2.0.1 K01.FR.44).
    """
    available = outlet.connector.power_type.phases
    if available is None or Quirk.NO_NUMBER_PHASES in outlet.station.quirks:
        return None
    return phases or (available if available < ASSUMED_PHASES else None)


def ceiling(outlet: Outlet, unit: RateUnit, phases: int | None, maximum_w: Decimal) -> Decimal:
    """The most that an outlet held to `maximum_w` (W in total) may deliver, in `unit`, rounded down to 0.1.

    In A per phase it is the connector's rating where that is lower. A DC outlet has no fixed voltage; the highest one
    counts, so that A times V never passes `maximum_w`.
    """
    if unit is RateUnit.WATT:
        return rounded_down(maximum_w)
    connector = outlet.connector
    used = phases_in_use(outlet, phases)
    if used is None:
        allowed = amperes_per_phase(maximum_w, 1, connector.max_voltage)
    else:
        allowed = amperes_per_phase(maximum_w, used, outlet.voltage)
    return min(allowed, Decimal(connector.max_amperage))


def _lasting(plan: Plan) -> Plan:
    if plan.duration is None:
        return plan
    if plan.duration <= 0:
        raise EmptyPlan(f"the plan lasts {plan.duration} s")
    return clipped(plan, plan.duration)


def _placed(plan: Plan, outlet: Outlet, charging_since: datetime | None) -> Plan:
    if plan.start is None and Quirk.RELATIVE_AS_ABSOLUTE in outlet.station.quirks:
        return replace(plan, start=charging_since)
    return plan


def _held_to(plan: Plan, most: Decimal) -> Plan:
    # A minimum rate above the most can never be kept to, and a station may refuse the schedule for it.
    possible = plan.min_rate is not None and plan.min_rate <= most
    return capped(plan if possible else replace(plan, min_rate=None), most)


def _unit_to_send(unit: RateUnit, outlet: Outlet, used: int | None) -> RateUnit:
    """The station's preferred unit, else the plan's own where the station takes it, else the other one.

    A comes before all where W would be shared by three phases and the car uses fewer: A are per phase.
    """
    station = outlet.station
    preferred = station.preferred_unit
    taken = station.allowed_units if preferred is None else station.allowed_units | {preferred}
    candidates: list[RateUnit | None] = [preferred, unit, RateUnit.WATT, RateUnit.AMPERE]
    if Quirk.NO_NUMBER_PHASES in station.quirks and used not in {None, ASSUMED_PHASES}:
        candidates.insert(0, RateUnit.AMPERE)
    for candidate in candidates:
        if candidate is not None and candidate in taken and (candidate is unit or used is not None):
            return candidate
    raise UnitNotPossible(f"the station takes {', '.join(sorted(taken)) or 'no unit'}, the plan is in {unit}")
