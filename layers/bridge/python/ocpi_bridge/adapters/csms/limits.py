"""Limits that are not a partner's, as OCPP's charging schedules tell them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.sessions import REPORTED_PERIODS
from ocpi_bridge.domain.statuses import ACCEPTED
from ocpi_bridge.ocpp.responses import read_composite
from ocpi_bridge.ports.charge_points import Done
from ocpi_bridge.ports.json_values import JsonValue


def course_of(schedule: Mapping[str, JsonValue], at: datetime) -> Plan:
    """The course of limits in a ChargingSchedule of OCPP 1.6 or 2.0.1, or in a CompositeSchedule of 2.0.1.

    It begins at `startSchedule` (or `scheduleStart`) where that is a plausible instant, else at `at`. What lies beyond
    REPORTED_PERIODS is not known any more, rather than the same for ever. Raises ValueError where no limit can be read.
    """
    starts = (schedule.get("scheduleStart"), schedule.get("startSchedule"))
    plan = read_composite(Done(ACCEPTED), schedule, starts, at).schedule
    if plan is None:
        raise ValueError("is no charging schedule of OCPP with a unit and limits")
    if len(plan.periods) <= REPORTED_PERIODS:
        return plan
    return replace(plan, periods=plan.periods[:REPORTED_PERIODS], duration=plan.periods[REPORTED_PERIODS].start)
