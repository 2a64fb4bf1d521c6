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
from ocpi_bridge.domain.stations import NOMINAL_VOLTAGE, Outlet, Station

# OCPP 2.0.1's schema ends there; 1.6 names no bound of its own, so it is held to the same one.
MAX_PERIODS = 1024


def fitted(plan: Plan, outlet: Outlet, phases: int | None, maximum_w: Decimal, now: datetime) -> Plan:
    """The plan as the charge point is to get it, never above the partner's limits, `maximum_w` or the connector.

    `phases` are those that the car uses; None takes the connector's, which is the careful reading: fewer A per phase.
    `maximum_w` is the most that the outlet may deliver, in W. Limits are rounded down to 0.1, past periods and those
    that begin after the plan's end dropped, the unit made one that the station takes, equal neighbours merged. A
    minimum rate above all that the outlet may deliver is left out.

    Raises PlanRefused: PlanIsOver, EmptyPlan, UnitNotPossible or TooManyPeriods (OCPI 14.6.3, OCPP 1.6 5.16, 2.0.1 K01).
    """
    coming = _lasting(upcoming(plan, now))
    used = phases_in_use(outlet, phases)
    unit = _unit_to_send(coming.unit, outlet.station, convertible=used is not None)
    most = ceiling(outlet, coming.unit, phases, maximum_w)
    if coming.min_rate is not None and coming.min_rate > most:
        coming = replace(coming, min_rate=None)
    # Capped on both sides of the conversion: only amperes show that a one-phase car would pass the connector's rating.
    in_unit = converted(capped(coming, most), unit, used, NOMINAL_VOLTAGE)
    fitting = merged(capped(in_unit, ceiling(outlet, unit, phases, maximum_w)))
    most_periods = min(MAX_PERIODS, outlet.station.max_periods or MAX_PERIODS)
    if len(fitting.periods) > most_periods:
        raise TooManyPeriods(f"{len(fitting.periods)} periods are left, the station takes {most_periods}")
    return fitting


def phases_in_use(outlet: Outlet, phases: int | None) -> int | None:
    """The phases to calculate with: those that the car uses, else the connector's; None for DC (OCPI 8.4.19)."""
    available = outlet.connector.power_type.phases
    return None if available is None else phases or available


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
        allowed = amperes_per_phase(maximum_w, used, NOMINAL_VOLTAGE)
    return min(allowed, Decimal(connector.max_amperage))


def _lasting(plan: Plan) -> Plan:
    if plan.duration is None:
        return plan
    if plan.duration <= 0:
        raise EmptyPlan(f"the plan lasts {plan.duration} s")
    return clipped(plan, plan.duration)


def _unit_to_send(unit: RateUnit, station: Station, *, convertible: bool) -> RateUnit:
    """The station's preferred unit, else the plan's own where the station takes it, else the other one."""
    preferred = station.preferred_unit
    taken = station.allowed_units if preferred is None else station.allowed_units | {preferred}
    candidates: tuple[RateUnit | None, ...] = (preferred, unit, RateUnit.WATT, RateUnit.AMPERE)
    for candidate in candidates:
        if candidate is not None and candidate in taken and (candidate is unit or convertible):
            return candidate
    raise UnitNotPossible(f"the station takes {', '.join(sorted(taken)) or 'no unit'}, the plan is in {unit}")
