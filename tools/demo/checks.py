"""Plans as the partner, the CSMS and the charge point write them, and whether two say the same."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.courses import Stretch, stretches_of
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit, same_course
from tools.counterparts.json_types import JsonObject, as_int, as_list, as_object, as_text
from tools.partner_simulator import ActiveChargingProfile, ChargingProfile

# kirby-ocpp answers a composite schedule in whole seconds, which moves its periods by a second or two.
TOLERANCE_SECONDS = 2
# OCPP carries tenths (multipleOf 0.1), and the bridge rounds down to them.
TOLERANCE_LIMIT = Decimal("0.1")


def requested_plan(profile: ChargingProfile) -> Plan:
    """The partner's charging profile as a plan."""
    periods = profile.charging_profile_period or []
    return Plan(
        RateUnit(profile.charging_rate_unit),
        tuple(PlanPeriod(period.start_period, period.limit) for period in periods),
        profile.start_date_time,
        profile.duration,
    )


def active_plan(active: ActiveChargingProfile) -> Plan:
    """The active charging profile as a plan; its periods count from where it starts (OCPI 2.2.1, 14.6.1)."""
    profile = active.charging_profile
    return requested_plan(profile.model_copy(update={"start_date_time": active.start_date_time}))


def commanded_plan(payload: JsonObject) -> Plan:
    """The plan in the payload of an OCPP 1.6 SetChargingProfile; raises ValueError for one that is not absolute."""
    profile = as_object(payload.get("csChargingProfiles"))
    schedule = as_object(profile.get("chargingSchedule"))
    start = as_text(schedule.get("startSchedule"))
    if start is None:
        raise ValueError("the charging schedule has no start")
    return _scheduled(schedule, datetime.fromisoformat(start))


def composite_plan(payload: JsonObject) -> Plan:
    """The plan in the payload that answers an OCPP 1.6 GetCompositeSchedule; raises ValueError where there is none."""
    start = as_text(payload.get("scheduleStart"))
    if start is None:
        raise ValueError("the answer has no schedule")
    return _scheduled(as_object(payload.get("chargingSchedule")), datetime.fromisoformat(start))


def capped(plan: Plan, limit: Decimal) -> Plan:
    """The plan where nothing may go beyond `limit`, in the plan's unit."""
    return replace(plan, periods=tuple(PlanPeriod(one.start, min(one.limit, limit)) for one in plan.periods))


def says_the_same(plan: Plan, other: Plan, since: datetime, until: datetime) -> bool:
    """Whether both plans have one unit and, in absolute time, the same limits, but for the tolerances above."""
    return plan.unit is other.unit and same_course(plan, other, since, until, TOLERANCE_SECONDS, TOLERANCE_LIMIT)


def last_start(plan: Plan) -> datetime:
    """When the last period of an absolute plan begins."""
    if plan.start is None:
        raise ValueError("a relative plan has no place in absolute time")
    return plan.start + timedelta(seconds=plan.periods[-1].start if plan.periods else 0)


def in_words(plan: Plan) -> str:
    """The plan as `22000 W from 17:05:00, 0 W from 17:35:00 UTC`."""
    if plan.start is None:
        return ", ".join(f"{period.limit:f} {plan.unit} after {period.start} s" for period in plan.periods)
    moments = [(plan.start + timedelta(seconds=period.start), period.limit) for period in plan.periods]
    return ", ".join(f"{limit:f} {plan.unit} from {moment:%H:%M:%S}" for moment, limit in moments) + " UTC"


def course(plan: Plan | None, since: datetime, until: datetime) -> tuple[Stretch, ...]:
    """What an absolute plan says between two moments, to be drawn; nothing where it has no place in time."""
    return () if plan is None or plan.start is None else stretches_of(plan, since, until)


def _scheduled(schedule: JsonObject, start: datetime) -> Plan:
    periods = [as_object(period) for period in as_list(schedule.get("chargingSchedulePeriod"))]
    return Plan(
        RateUnit(as_text(schedule.get("chargingRateUnit")) or ""),
        tuple(
            PlanPeriod(as_int(period.get("startPeriod")) or 0, Decimal(str(period.get("limit")))) for period in periods
        ),
        start,
        as_int(schedule.get("duration")),
    )
