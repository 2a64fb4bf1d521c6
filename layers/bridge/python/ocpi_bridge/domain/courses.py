"""Courses: what was meant, said or measured over time, as level stretches on the axis of absolute time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from ocpi_bridge.domain.plans import Plan, RateUnit, limit_at
from ocpi_bridge.domain.values import dataclass

_SECOND = timedelta(seconds=1)


class CourseKind(StrEnum):
    """Whose word a course is."""

    REQUESTED = "requested"
    SENT = "sent"
    CONFIRMED = "confirmed"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Stretch:
    """One value from `start` until `end`; W in total or A per phase, by its course's unit."""

    start: datetime
    end: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class Course:
    """Stretches in the order of time, none over another; between two of them nothing is known."""

    kind: CourseKind
    unit: RateUnit
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class InForce:
    """A plan that counts from `since` until `until`, whatever it says beyond; None: nothing counts then."""

    since: datetime
    until: datetime
    plan: Plan | None


def stretches_of(plan: Plan, since: datetime, until: datetime) -> tuple[Stretch, ...]:
    """What an absolute plan says within a window; neighbours with one limit are one stretch.

    Raises ValueError for a relative plan: it has no place in absolute time.
    """
    if plan.start is None:
        raise ValueError("a relative plan has no place in absolute time")
    turns = [period.start for period in plan.periods]
    if plan.duration is not None:
        turns.append(plan.duration)
    moments = {since, until}
    for turn in turns:
        # Compared as seconds first: a partner's `start_period` may be beyond what a datetime can hold.
        if (since - plan.start) / _SECOND < turn < (until - plan.start) / _SECOND:
            moments.add(plan.start + turn * _SECOND)
    said = [
        Stretch(start, end, limit)
        for start, end in pairwise(sorted(moments))
        if since <= start < end <= until and (limit := limit_at(plan, start)) is not None
    ]
    return tuple(_joined(said))


def courses_of(kind: CourseKind, plans: Sequence[InForce]) -> tuple[Course, ...]:
    """What the plans said while each was in force: one course for each unit that occurs."""
    said: dict[RateUnit, list[Stretch]] = {}
    for one in plans:
        if one.plan is not None and one.since < one.until:
            said.setdefault(one.plan.unit, []).extend(stretches_of(one.plan, one.since, one.until))
    return tuple(Course(kind, unit, tuple(_joined(stretches))) for unit, stretches in sorted(said.items()) if stretches)


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    last: Stretch | None = None
    for one in stretches:
        if last is not None and last.end == one.start and last.value == one.value:
            last = replace(last, end=one.end)
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last
