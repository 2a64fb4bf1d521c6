"""What was wanted of a charge point over time, what it was sent, what it said it follows, and what it delivered."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from ocpi_bridge.domain.courses import Course, CourseKind, InForce, Stretch, courses_of
from ocpi_bridge.domain.histories import Happening
from ocpi_bridge.domain.plans import Plan, RateUnit, capped
from ocpi_bridge.domain.requests import Origin, RequestKind, Result
from ocpi_bridge.domain.sessions import ChargingPeriod, Session, hours, in_kwh
from ocpi_bridge.ports.stories import RequestStory, SessionStory

# A plan is shown a while beyond its last step, and no more of the future than SCSPs plan: a night and a day.
TAIL = timedelta(minutes=30)
FARTHEST = timedelta(hours=24)
# More than this in one picture shows nothing of any hour; what is older is left out.
LONGEST = timedelta(hours=72)
# Something must be seen of a session that has just begun.
SHORTEST = timedelta(minutes=1)

_SECOND = timedelta(seconds=1)
_CHANGES = frozenset({RequestKind.SET, RequestKind.CLEAR})


def window(story: SessionStory, told: Sequence[Happening], now: datetime) -> tuple[datetime, datetime]:
    """From when until when there is something to see: the session, and of one that goes on what is planned."""
    session = story.session
    end = max([session.last_moment or now, session.start, *(one.at for one in told)])
    if session.last_moment is None:
        end = max([end, *_planned(story, now)])
    if story.earlier_periods and story.periods:
        begin = story.periods[0].start
    else:
        begin = min([session.start, *(one.request.created_at for one in story.requests)])
    begin = max(begin, end - LONGEST)
    return begin, max(end, begin + SHORTEST)


def courses(story: SessionStory, since: datetime, until: datetime) -> tuple[Course, ...]:
    """All that can be drawn between two instants, requested first; each plan until another one took its place."""
    planned = (
        *courses_of(CourseKind.REQUESTED, list(_requested(story, since, until))),
        *courses_of(CourseKind.SENT, list(_sent(story, since, until))),
        *courses_of(CourseKind.CONFIRMED, list(_confirmed(story, since, until))),
    )
    units = {RateUnit.WATT} | {one.unit for one in planned}
    measured = (
        Course(CourseKind.MEASURED, unit, tuple(_measured(story, unit, since, until))) for unit in sorted(units)
    )
    return (*planned, *(one for one in measured if one.stretches))


def _planned(story: SessionStory, now: datetime) -> Iterator[datetime]:
    """When the last step is seen whole of the newest plan, and of the one that the charge point has."""
    asked, sent = ([one.plan for one in some if one.plan] for some in (story.requests, _took_effect(story)))
    for plan in (*asked[-1:], *sent[-1:]):
        start = _placed(plan, story.session).start
        last = plan.duration if plan.duration is not None else plan.periods[-1].start if plan.periods else 0
        if start is not None and plan.periods:
            left = (now + FARTHEST - start) // _SECOND
            yield min(start + min(last, max(0, left)) * _SECOND + TAIL, now + FARTHEST)


def _requested(story: SessionStory, since: datetime, until: datetime) -> Iterator[InForce]:
    asked = [one for one in story.requests if one.request.origin is Origin.PARTNER and one.request.kind in _CHANGES]
    turns = pairwise([*(one.request.created_at for one in asked), until])
    for one, (begin, end) in zip(asked, turns, strict=True):
        yield _in_force(story, one.plan, max(since, begin), min(until, end))


def _sent(story: SessionStory, since: datetime, until: datetime) -> Iterator[InForce]:
    """What reached the charge point and was not refused there, as it was fitted; where that cannot be told, nothing."""
    sent = sorted(_took_effect(story), key=_sent_at)
    for one, (begin, end) in zip(sent, pairwise([*(_sent_at(one) for one in sent), until]), strict=True):
        last = min(at for at in (until, end, one.request.fail_safe_at) if at is not None)
        yield _in_force(story, _fitted(one), max(since, begin), last)


def _confirmed(story: SessionStory, since: datetime, until: datetime) -> Iterator[InForce]:
    """Composite schedules, each until the next one, or until a command took effect that made it old."""
    read = [(one.profile.start, one.profile) for one in story.requests if one.profile and one.profile.start]
    changed = [(_answered_at(one), None) for one in _took_effect(story)]
    known: list[tuple[datetime, Plan | None]] = sorted([*read, *changed], key=lambda one: one[0])
    turns = pairwise([*(at for at, _ in known), until])
    for (_, plan), (begin, end) in zip(known, turns, strict=True):
        yield InForce(max(since, begin), min(until, end), plan)


def _took_effect(story: SessionStory) -> list[RequestStory]:
    """SETs and CLEARs that were sent, but for those that the charge point refused; also those nobody knows of."""
    return [
        one
        for one in story.requests
        if one.request.kind in _CHANGES
        and one.milestones.first_sent_at is not None
        and one.request.result is not Result.REJECTED
    ]


def _sent_at(one: RequestStory) -> datetime:
    return one.milestones.sent_at or one.milestones.first_sent_at or one.request.created_at


def _answered_at(one: RequestStory) -> datetime:
    return one.milestones.answered_at or _sent_at(one)


def _fitted(one: RequestStory) -> Plan | None:
    plan, fit = one.plan, one.request.fitted_to
    if plan is None or fit is None or not fit.reduces:
        return plan
    # Without the outlet's voltage nobody can say what W make in A.
    return capped(plan, fit.maximum_w) if plan.unit is RateUnit.WATT else None


def _in_force(story: SessionStory, plan: Plan | None, since: datetime, until: datetime) -> InForce:
    return InForce(since, until, None if plan is None else _placed(plan, story.session))


def _placed(plan: Plan, session: Session) -> Plan:
    """A relative plan begins with the charging."""
    return plan if plan.start is not None else replace(plan, start=session.active_since or session.start)


def _measured(story: SessionStory, unit: RateUnit, since: datetime, until: datetime) -> Iterator[Stretch]:
    last = since
    for period in sorted(_periods(story), key=lambda one: one.start):
        value = _value(period, unit, story.session.phases)
        start, end = max(last, period.start), min(until, period.end)
        if value is not None and start < end:
            yield Stretch(start, end, value)
            last = end


def _periods(story: SessionStory) -> Iterable[ChargingPeriod]:
    """The closed periods, and the open one as far as it was measured."""
    yield from story.periods
    session = story.session
    start, meter, before, at = session.period_start, session.meter_wh, session.period_meter_wh, session.meter_at
    if start is not None and meter is not None and before is not None and at is not None and start < at:
        energy = max(Decimal(0), in_kwh(meter - before))
        power = session.power_w / 1000 if session.power_w is not None else energy / hours(at - start)
        yield ChargingPeriod(session.periods + 1, start, at, energy, power, session.current_a)


def _value(period: ChargingPeriod, unit: RateUnit, phases: int | None) -> Decimal | None:
    if unit is RateUnit.WATT:
        return period.power * 1000
    return None if period.current is None or not phases else period.current / phases
