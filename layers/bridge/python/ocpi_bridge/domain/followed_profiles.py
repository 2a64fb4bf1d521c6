"""The profile that a charge point follows: compared with what was asked for, and put together where no station tells it."""

from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.events import ChargingState
from ocpi_bridge.domain.fail_safe import LEAST_CHARGING_CURRENT
from ocpi_bridge.domain.fitting import phases_in_use
from ocpi_bridge.domain.plans import (
    Plan,
    PlanPeriod,
    RateUnit,
    amperes_per_phase,
    constant,
    limit_at,
    merged,
    same_course,
    watts_in_total,
)
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Outlet

# What is pushed is between 5 and 60 minutes long (14.4.2.4); the partner can ask for more.
PUSHED_SECONDS = 3600
# Composite schedules move their period starts by a second or two between two readings.
TOLERANCE_SECONDS = 5
# A limit that went from W to A per phase and back is lower by up to 0.1 A on each of three phases.
TOLERANCES = {RateUnit.WATT: Decimal(100), RateUnit.AMPERE: Decimal("0.2")}
# Stations offer whole amperes, some of them half an ampere less than they may.
OFFER_TOLERANCE_A = Decimal(1)


def no_news(known: Plan, followed: Plan, now: datetime) -> bool:
    """Whether the profile that is followed is what the partner knows, for as long as both of them say something.

    `known` may be relative to no other instant than its own start; both are in one unit, or it is news.
    """
    until = _common_end(known, followed, now)
    if until is None:
        return False
    return same_course(known, followed, now, until, TOLERANCE_SECONDS, TOLERANCES[known.unit])


def exceeds(followed: Plan, plan: Plan, now: datetime) -> bool:
    """Whether more is followed than the plan allows: then the plan is not in force. Less is a limit beside it."""
    until = _common_end(plan, followed, now)
    if until is None:
        return False
    lower = lower_of(plan, followed, now, until)
    return not same_course(lower, followed, now, until, TOLERANCE_SECONDS, TOLERANCES[plan.unit])


def lower_of(a: Plan, b: Plan, since: datetime, until: datetime) -> Plan:
    """The lower limit of two absolute plans of one unit at each instant of a window; where one is silent, the other's.

    Both must say something together at each instant, or it is 0 there: nobody promised anything.
    """
    length = int((until - since) / timedelta(seconds=1))
    turns = {0}
    for plan in (a, b):
        if plan.start is None:
            raise ValueError("a relative plan has no place in absolute time")
        begin = int((plan.start - since) / timedelta(seconds=1))
        turns |= {begin + period.start for period in plan.periods}
        if plan.duration is not None:
            turns.add(begin + plan.duration)
    periods = []
    for turn in sorted(turn for turn in turns if 0 <= turn < max(length, 1)):
        instant = since + timedelta(seconds=turn)
        limits = [limit for limit in (limit_at(a, instant), limit_at(b, instant)) if limit is not None]
        periods.append(PlanPeriod(turn, min(limits, default=Decimal(0))))
    return merged(Plan(a.unit, tuple(periods), since, length))


def explained(session: Session, plan: Plan | None, outlet: Outlet, now: datetime) -> bool:
    """Whether what the charge point last showed (offered current or power, a pause of its own) is what the plan says."""
    expected = None if plan is None else limit_at(plan, now)
    if plan is None or expected is None:
        return False
    phases = phases_in_use(outlet, session.phases) or 1
    amperes = expected if plan.unit is RateUnit.AMPERE else amperes_per_phase(expected, phases, outlet.voltage)
    pauses = amperes < LEAST_CHARGING_CURRENT
    if (session.charging_state is ChargingState.SUSPENDED_EVSE) != pauses:
        return False
    offered = offered_amperes(session, outlet)
    if offered is None or pauses:
        return True
    return abs(offered - min(amperes, Decimal(outlet.connector.max_amperage))) <= OFFER_TOLERANCE_A


def offered_amperes(session: Session, outlet: Outlet) -> Decimal | None:
    """The current that the station offers in A per phase, as it showed last; None where it never showed any."""
    if session.offered_a is not None:
        return session.offered_a
    if session.offered_w is None:
        return None
    return amperes_per_phase(session.offered_w, phases_in_use(outlet, session.phases) or 1, outlet.voltage)


def told_otherwise(session: Session, plan: Plan | None, outlet: Outlet, unit: RateUnit, now: datetime) -> Plan | None:
    """What is followed at a station that gives no composite schedule, from what was heard of it: an hour at the most.

    The limit that the CSMS reported (or the plan, where that is lower), else what the station offers; None where nobody
    told anything, since nothing is made up. In `unit`; a reported limit in another unit says nothing here.
    """
    until = now + timedelta(seconds=PUSHED_SECONDS)
    reported = session.reported_limit.plan if session.reported_limit is not None else None
    if reported is not None and reported.unit is unit and limit_at(reported, now) is not None:
        if plan is None or plan.unit is not unit or limit_at(plan, now) is None:
            return lower_of(reported, reported, now, until)
        return lower_of(plan, reported, now, until)
    offered = offered_amperes(session, outlet)
    phases = phases_in_use(outlet, session.phases)
    if offered is None or (phases is None and unit is RateUnit.WATT):
        return None
    limit = offered if unit is RateUnit.AMPERE else watts_in_total(offered, phases or 1, outlet.voltage)
    return constant(limit, unit, now, PUSHED_SECONDS)


def _common_end(known: Plan, followed: Plan, now: datetime) -> datetime | None:
    """Until when both say something, an hour at the most; None where they have no common measure."""
    if known.unit is not followed.unit or known.start is None:
        return None
    until = now + timedelta(seconds=PUSHED_SECONDS)
    ends = [plan.start + timedelta(seconds=plan.duration) for plan in (known, followed) if plan.start and plan.duration]
    until = min([until, *ends])
    return until if now < until else None
