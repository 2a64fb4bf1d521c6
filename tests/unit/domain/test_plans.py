from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.errors import EmptyPlan, PlanIsOver, UnitNotPossible
from ocpi_bridge.domain.plans import (
    REBASED_START_AGE,
    Plan,
    PlanPeriod,
    RateUnit,
    capped,
    clipped,
    constant,
    converted,
    limit_at,
    merged,
    remaining,
    rounded,
    same_course,
    upcoming,
)

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


def plan(
    *periods: tuple[int, str],
    start: datetime | None = NOON,
    duration: int | None = None,
    unit: RateUnit = RateUnit.WATT,
    min_rate: str | None = None,
) -> Plan:
    return Plan(
        unit,
        tuple(PlanPeriod(begin, Decimal(limit)) for begin, limit in periods),
        start,
        duration,
        None if min_rate is None else Decimal(min_rate),
    )


GUIDE = plan((0, "22000"), (1800, "0"), (3600, "10000"))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


# --- limit_at


@pytest.mark.parametrize(
    ("seconds", "limit"),
    [(-0.5, None), (0, "22000"), (1799.999, "22000"), (1800, "0"), (3600, "10000"), (7199.9, "10000"), (7200, None)],
)
def test_the_limit_in_force_is_that_of_the_last_period_begun(seconds: float, limit: str | None) -> None:
    bounded = plan((0, "22000"), (1800, "0"), (3600, "10000"), duration=7200)
    assert limit_at(bounded, after(seconds)) == (None if limit is None else Decimal(limit))


def test_an_open_ended_plan_holds_its_last_limit_for_ever() -> None:
    assert limit_at(GUIDE, after(10**9)) == Decimal(10000)


def test_a_plan_without_periods_sets_no_limit() -> None:
    assert limit_at(plan(), after(1)) is None


def test_a_relative_plan_has_no_limit_in_absolute_time() -> None:
    with pytest.raises(ValueError, match="relative"):
        limit_at(plan((0, "1"), start=None), NOON)


# --- upcoming


@pytest.mark.parametrize("seconds", [-3600, 0, 1, 1799])
def test_a_plan_that_is_to_begin_or_in_its_first_period_is_sent_as_it_is(seconds: int) -> None:
    assert upcoming(GUIDE, after(seconds)) == GUIDE


def test_past_periods_are_dropped_and_the_plan_starts_with_the_period_in_force() -> None:
    bounded = plan((0, "22000"), (1800, "0"), (3600, "10000"), duration=7200)
    assert upcoming(bounded, after(1800 + 600)) == plan(
        (0, "0"), (1800, "10000"), start=after(1800), duration=7200 - 1800
    )


def test_a_period_that_has_just_begun_is_rebased_to_some_minutes_ago() -> None:
    age = int(REBASED_START_AGE.total_seconds())
    assert upcoming(GUIDE, after(1810)) == plan((0, "0"), (3600 - 1810 + age, "10000"), start=after(1810 - age))


def test_a_rebased_plan_never_starts_before_its_own_start() -> None:
    assert upcoming(plan((0, "5"), (60, "7"), (120, "9")), after(90)) == plan((0, "7"), (120, "9"))


def test_the_last_period_of_an_open_ended_plan_is_all_that_is_left_of_it() -> None:
    assert upcoming(GUIDE, after(86400)) == plan((0, "10000"), start=after(3600))


@pytest.mark.parametrize("seconds", [7200, 7200.5, 10**6])
def test_a_plan_that_ended_is_over(seconds: float) -> None:
    with pytest.raises(PlanIsOver):
        upcoming(plan((0, "1"), (3600, "2"), duration=7200), after(seconds))


def test_a_plan_in_its_last_second_is_not_over() -> None:
    assert upcoming(plan((0, "1"), duration=7200), after(7199.9)).duration == 7200


def test_a_relative_plan_is_sent_as_it_is() -> None:
    relative = plan((0, "1"), (60, "2"), start=None, duration=60)
    assert upcoming(relative, NOON) == relative


def test_a_plan_without_periods_is_refused() -> None:
    with pytest.raises(EmptyPlan):
        upcoming(plan(), NOON)


def test_periods_far_beyond_any_calendar_are_no_obstacle() -> None:
    endless = plan((0, "1"), (60, "2"), (10**15, "3"), duration=10**16)
    assert [period.limit for period in upcoming(endless, after(400)).periods] == [2, 3]
    assert same_course(endless, endless, NOON, after(1000), 0, Decimal(0))


# --- remaining


def test_what_remains_of_a_plan_starts_now_with_the_limit_in_force() -> None:
    assert remaining(plan((0, "5"), (60, "7"), duration=100), after(20.4)) == plan(
        (0, "5"), (40, "7"), start=after(20), duration=80
    )


def test_a_plan_with_a_future_start_remains_whole() -> None:
    assert remaining(GUIDE, after(-60)) == GUIDE


def test_nothing_remains_of_a_plan_that_ended() -> None:
    with pytest.raises(PlanIsOver):
        remaining(plan((0, "5"), duration=100), after(100))


# --- clipped, merged, constant


def test_a_clipped_plan_ends_early_and_drops_what_would_begin_later() -> None:
    assert clipped(GUIDE, 1800) == plan((0, "22000"), duration=1800)
    assert clipped(GUIDE, 1801) == plan((0, "22000"), (1800, "0"), duration=1801)


def test_clipping_never_makes_a_plan_longer() -> None:
    assert clipped(plan((0, "1"), duration=60), 900).duration == 60


def test_equal_neighbours_become_one_period() -> None:
    assert merged(plan((0, "5"), (10, "5"), (20, "7"), (30, "7"), (40, "5"))) == plan((0, "5"), (20, "7"), (40, "5"))


def test_a_constant_plan_has_one_period() -> None:
    assert constant(Decimal(22080), RateUnit.WATT, NOON, 900) == plan((0, "22080"), duration=900)


# --- limits


def test_a_cap_lowers_only_what_is_above_it() -> None:
    assert capped(plan((0, "22000"), (60, "0"), (120, "10000"), min_rate="1380"), Decimal(11000)) == plan(
        (0, "11000"), (60, "0"), (120, "10000"), min_rate="1380"
    )


def test_limits_are_rounded_down_to_one_decimal() -> None:
    assert rounded(plan((0, "11.19"), (60, "0.09"), (120, "16"), min_rate="6.99")) == plan(
        (0, "11.1"), (60, "0.0"), (120, "16.0"), min_rate="6.9"
    )


@pytest.mark.parametrize(
    ("watts", "phases", "amperes"),
    [("7360", 1, "32.0"), ("11040", 3, "16.0"), ("22000", 3, "31.8"), ("10000", 2, "21.7"), ("68.9", 3, "0.0")],
)
def test_watts_become_amperes_per_phase_rounded_down(watts: str, phases: int, amperes: str) -> None:
    assert converted(plan((0, watts), min_rate=watts), RateUnit.AMPERE, phases, 230) == plan(
        (0, amperes), min_rate=amperes, unit=RateUnit.AMPERE
    )


def test_a_limit_just_below_a_tenth_of_an_ampere_is_never_rounded_up_on_the_way() -> None:
    hair_below = plan((0, "68.99999999999999999999999999"))
    assert converted(hair_below, RateUnit.AMPERE, 3, 230).periods[0].limit == 0


def test_amperes_per_phase_become_watts_in_total() -> None:
    assert converted(plan((0, "16"), min_rate="6", unit=RateUnit.AMPERE), RateUnit.WATT, 3, 230) == plan(
        (0, "11040.0"), min_rate="4140.0"
    )


def test_a_plan_that_has_the_unit_needs_no_phases() -> None:
    assert converted(plan((0, "50000.55")), RateUnit.WATT, None, 230) == plan((0, "50000.5"))


@pytest.mark.parametrize(("unit", "other"), [("W", "A"), ("A", "W")])
def test_without_phases_no_unit_becomes_the_other(unit: str, other: str) -> None:
    with pytest.raises(UnitNotPossible):
        converted(plan((0, "1"), unit=RateUnit(unit)), RateUnit(other), None, 230)


# --- same_course


def compared(a: Plan, b: Plan, *, seconds: int = 2, limit: str = "0", until: float = 7200) -> bool:
    return same_course(a, b, NOON, after(until), seconds, Decimal(limit))


def test_periods_that_start_a_second_or_two_off_make_no_other_course() -> None:
    assert compared(GUIDE, plan((0, "22000"), (1799, "0"), (3602, "10000")))


def test_periods_that_start_three_seconds_off_make_another_course() -> None:
    assert not compared(GUIDE, plan((0, "22000"), (1797, "0"), (3600, "10000")))


def test_courses_are_compared_in_absolute_time() -> None:
    rebased = upcoming(GUIDE, after(2400))
    assert rebased != GUIDE
    assert same_course(GUIDE, rebased, after(2400), after(90000), 0, Decimal(0))


def test_limits_within_the_tolerance_are_the_same() -> None:
    nearly = plan((0, "21945"), (1800, "0"), (3600, "9936"))
    assert compared(GUIDE, nearly, limit="69")
    assert not compared(GUIDE, nearly, limit="50")


def test_a_plan_that_ends_differs_from_one_that_goes_on() -> None:
    bounded = clipped(GUIDE, 3600)
    assert compared(GUIDE, bounded, until=3602)
    assert not compared(GUIDE, bounded, until=3603)


def test_a_plan_that_begins_late_differs_from_one_that_runs() -> None:
    assert not compared(GUIDE, plan((0, "22000"), start=after(60)), until=1000)


def test_short_differences_on_end_add_up() -> None:
    assert not compared(plan((0, "1"), (2, "2"), (4, "9")), plan((0, "5"), (2, "6"), (4, "9")), until=10)


def test_nothing_before_or_after_the_window_counts() -> None:
    assert same_course(GUIDE, plan((0, "0"), (1000, "22000"), (1800, "0")), after(1000), after(3600), 0, Decimal(0))


def test_plans_of_different_units_are_not_compared() -> None:
    with pytest.raises(ValueError, match="unit"):
        compared(GUIDE, plan((0, "16"), unit=RateUnit.AMPERE))
