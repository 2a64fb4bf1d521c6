from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ocpi_bridge.domain.errors import PlanIsOver
from ocpi_bridge.domain.plans import (
    Plan,
    RateUnit,
    capped,
    clipped,
    converted,
    limit_at,
    merged,
    remaining,
    rounded,
    same_course,
    upcoming,
)
from tests.properties.strategies import NOW, limits, plans
from tests.support.examples import examples

quick = examples(60)
seconds = st.integers(0, 60_000) | st.sampled_from([0, 1])


def plainly_in_force(plan: Plan, instant: datetime) -> Decimal | None:
    """The definition of 14.6.4, word for word and period by period."""
    assert plan.start is not None
    elapsed = (instant - plan.start).total_seconds()
    if elapsed < 0 or (plan.duration is not None and elapsed >= plan.duration):
        return None
    in_force = None
    for period in plan.periods:
        if period.start <= elapsed:
            in_force = period.limit
    return in_force


@quick
@given(plans(absolute=True), seconds)
def test_the_limit_in_force_is_what_the_definition_says(plan: Plan, later: int) -> None:
    instant = NOW + timedelta(seconds=later)
    assert limit_at(plan, instant) == plainly_in_force(plan, instant)


@quick
@given(plans(absolute=True), st.lists(seconds, min_size=1, max_size=10))
def test_rebasing_changes_no_limit_at_any_future_instant(plan: Plan, later: list[int]) -> None:
    try:
        rebased = upcoming(plan, NOW)
    except PlanIsOver:
        assert plan.start is not None
        assert plan.duration is not None
        assert plan.start + timedelta(seconds=plan.duration) <= NOW
        return
    boundaries = [plan.start + timedelta(seconds=period.start) for period in plan.periods if plan.start is not None]
    instants = [NOW + timedelta(seconds=second) for second in later] + [at for at in boundaries if at >= NOW]
    for instant in instants:
        assert plainly_in_force(rebased, instant) == plainly_in_force(plan, instant)
    assert len(rebased.periods) <= len(plan.periods)
    assert rebased.periods[0].start == 0


@quick
@given(plans())
def test_rebasing_twice_is_rebasing_once(plan: Plan) -> None:
    try:
        once = upcoming(plan, NOW)
    except PlanIsOver:
        return
    assert upcoming(once, NOW) == once


@quick
@given(plans(absolute=True), seconds)
def test_what_remains_is_the_same_course(plan: Plan, later: int) -> None:
    instant = NOW + timedelta(seconds=later)
    try:
        rest = remaining(plan, instant)
    except PlanIsOver:
        return
    assert same_course(plan, rest, instant, instant + timedelta(days=1), 0, Decimal(0))


@quick
@given(plans(absolute=True), st.integers(1, 60_000))
def test_merging_keeps_the_course_and_does_so_once(plan: Plan, duration: int) -> None:
    short = merged(plan)
    assert merged(short) == short
    assert plan.start is not None
    assert same_course(plan, short, plan.start, plan.start + timedelta(seconds=duration), 0, Decimal(0))


@quick
@given(plans(unit=RateUnit.WATT), limits(RateUnit.WATT))
def test_capping_lowers_to_the_cap_and_does_so_once(plan: Plan, cap: Decimal) -> None:
    low = capped(plan, cap)
    assert capped(low, cap) == low
    assert [period.limit for period in low.periods] == [min(period.limit, cap) for period in plan.periods]


@quick
@given(plans())
def test_rounding_loses_less_than_a_tenth_and_never_adds(plan: Plan) -> None:
    for exact, sent in zip(plan.periods, rounded(plan).periods, strict=True):
        assert Decimal(0) <= exact.limit - sent.limit < Decimal("0.1")
    assert rounded(rounded(plan)) == rounded(plan)


@quick
@given(plans(unit=RateUnit.WATT), st.integers(1, 3), st.sampled_from([110, 230, 240]))
def test_converting_there_and_back_never_raises_a_limit(plan: Plan, phases: int, voltage: int) -> None:
    back = converted(converted(plan, RateUnit.AMPERE, phases, voltage), RateUnit.WATT, phases, voltage)
    step = Decimal("0.1") * phases * voltage
    for given_, told in zip(plan.periods, back.periods, strict=True):
        assert given_.limit - step < told.limit <= given_.limit


@quick
@given(plans(absolute=True), st.integers(1, 60_000))
def test_clipping_keeps_the_course_up_to_its_end(plan: Plan, duration: int) -> None:
    short = clipped(plan, duration)
    assert plan.start is not None
    end = plan.start + timedelta(seconds=duration)
    assert same_course(plan, short, plan.start, end, 0, Decimal(0))
    assert limit_at(short, end) is None
    assert clipped(short, duration) == short


@quick
@given(plans(absolute=True), st.lists(st.integers(-2, 2), min_size=7, max_size=7))
def test_jitter_of_two_seconds_is_no_difference(plan: Plan, jitter: list[int]) -> None:
    starts = [period.start for period in plan.periods]
    assume(all(later - earlier > 9 for earlier, later in pairwise(starts)))
    assume(plan.duration is None or all(abs(plan.duration - start) > 9 for start in starts))
    moved = tuple(
        type(period)(period.start + (shift if period.start else 0), period.limit)
        for period, shift in zip(plan.periods, jitter, strict=False)
    )
    read = Plan(plan.unit, moved, plan.start, plan.duration)
    assert same_course(plan, read, NOW, NOW + timedelta(hours=12), 2, Decimal(0))


@quick
@given(plans(absolute=True), st.integers(3, 600))
def test_a_limit_that_differs_for_longer_than_the_tolerance_is_a_difference(plan: Plan, length: int) -> None:
    assume(plan.duration is None)
    assert plan.start is not None
    other = Plan(plan.unit, tuple(type(period)(period.start, period.limit + 1) for period in plan.periods), plan.start)
    window = plan.start + timedelta(seconds=length)
    assert not same_course(plan, other, plan.start, window, 2, Decimal("0.5"))
    assert same_course(plan, other, plan.start, window, 2, Decimal(1))


def test_the_oracle_of_these_properties_knows_a_wrong_plan() -> None:
    plan = clipped(Plan(RateUnit.WATT, (), NOW), 60)
    with pytest.raises(AssertionError):
        assert plainly_in_force(plan, NOW) == Decimal(0)
