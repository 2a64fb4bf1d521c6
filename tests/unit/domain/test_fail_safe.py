from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.errors import EmptyPlan, PlanIsOver
from ocpi_bridge.domain.fail_safe import ended_at, fail_safe_at
from ocpi_bridge.domain.fitting import fitted
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.stations import maximum_power
from tests.support.outlets import outlet

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
WATT, AMPERE = RateUnit.WATT, RateUnit.AMPERE
TWO_HOURS = timedelta(hours=2)
FAR = 10**15


def plan(
    *periods: tuple[int, str],
    unit: RateUnit = WATT,
    start: datetime | None = NOON,
    duration: int | None = None,
) -> Plan:
    return Plan(unit, tuple(PlanPeriod(begin, Decimal(limit)) for begin, limit in periods), start, duration)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def safe_at(
    given: Plan,
    *,
    phases: int | None = 3,
    voltage: int = 230,
    accepted_at: datetime = NOON,
    after: timedelta | None = TWO_HOURS,
    charging_since: datetime = NOON,
) -> datetime | None:
    return fail_safe_at(
        given, charging_since=charging_since, phases=phases, voltage=voltage, accepted_at=accepted_at, after=after
    )


# --- When


def test_a_pause_ends_some_time_after_it_began() -> None:
    assert safe_at(plan((0, "22000"), (1800, "0"))) == after(1800 + 7200)


def test_a_pause_that_was_renewed_ends_some_time_after_that() -> None:
    assert safe_at(plan((0, "22000"), (1800, "0")), accepted_at=after(5000)) == after(5000 + 7200)


def test_the_last_period_counts_and_not_a_pause_before_it() -> None:
    assert safe_at(plan((0, "0"), (1800, "11000"))) is None
    assert safe_at(plan((0, "0"), (1800, "11000"), (3600, "0"))) == after(3600 + 7200)


def test_a_pause_in_several_periods_is_one() -> None:
    quarters = [(900 * index, "0" if index % 2 else "100") for index in range(1, 96)]
    assert safe_at(plan((0, "11000"), *quarters)) == after(900 + 7200)


def test_a_partner_may_do_without() -> None:
    assert safe_at(plan((0, "0")), after=None) is None


@pytest.mark.parametrize(
    ("limit", "unit", "phases", "voltage", "paused"),
    [
        ("6", AMPERE, 3, 230, False),
        ("5.9", AMPERE, 3, 230, True),
        ("5.9", AMPERE, None, 230, True),
        ("4140", WATT, 3, 230, False),
        ("4139.9", WATT, 3, 230, True),
        ("1380", WATT, 1, 230, False),
        ("1379.9", WATT, 1, 230, True),
        ("1380", WATT, None, 230, False),
        ("1379.9", WATT, None, 230, True),
        ("720", WATT, 1, 120, False),
        ("719", WATT, 1, 120, True),
    ],
)
def test_a_limit_below_six_amperes_per_phase_is_a_pause(
    limit: str, unit: RateUnit, phases: int | None, voltage: int, paused: bool
) -> None:
    found = safe_at(plan((0, limit), unit=unit), phases=phases, voltage=voltage)
    assert found == (after(7200) if paused else None)


def test_a_plan_that_ends_by_itself_no_later_needs_no_other_end() -> None:
    assert safe_at(plan((0, "0"), duration=7200)) is None
    assert safe_at(plan((0, "0"), duration=7201)) == after(7200)


def test_a_period_behind_the_plans_own_end_never_begins() -> None:
    assert safe_at(plan((0, "0"), (86_400, "11000"), duration=86_400)) == after(7200)
    assert safe_at(plan((0, "11000"), (86_400, "0"), duration=86_400)) is None


def test_a_relative_plan_counts_from_the_start_of_charging() -> None:
    relative = plan((0, "11000"), (600, "0"), start=None)
    assert safe_at(relative, charging_since=after(100)) == after(700 + 7200)
    ending = plan((0, "0"), start=None, duration=7600)
    assert safe_at(ending, charging_since=after(-300)) == after(7200)
    assert safe_at(ending, charging_since=after(-400)) is None


def test_a_future_pause_counts_from_its_own_start() -> None:
    assert safe_at(plan((0, "0"), start=after(3600))) == after(3600 + 7200)


def test_a_plan_without_periods_has_no_pause() -> None:
    assert safe_at(plan()) is None


def test_no_instant_is_too_far() -> None:
    assert safe_at(plan((0, "0"), (FAR, "11000"), duration=FAR * 10)) == after(7200)
    assert safe_at(plan((0, "0")), after=timedelta.max) is None
    assert safe_at(plan((0, "0"), start=datetime.max.replace(tzinfo=UTC))) is None
    assert safe_at(plan((0, "0")), accepted_at=datetime.max.replace(tzinfo=UTC)) is None


# --- The plan with that end


def test_a_plan_without_an_end_gets_one() -> None:
    assert ended_at(plan((0, "22000"), (1800, "0")), after(9000), NOON) == plan(
        (0, "22000"), (1800, "0"), duration=9000
    )


def test_a_plan_never_becomes_longer() -> None:
    short = plan((0, "0"), duration=600)
    assert ended_at(short, after(9000), NOON) == short
    assert ended_at(plan((0, "0"), duration=9000), after(600), NOON).duration == 600


def test_what_would_begin_after_the_end_is_dropped() -> None:
    assert ended_at(plan((0, "1"), (600, "2"), (601, "3")), after(601), NOON) == plan(
        (0, "1"), (600, "2"), duration=601
    )


def test_a_relative_plan_stays_relative_and_ends_at_the_instant_all_the_same() -> None:
    relative = plan((0, "0"), start=None)
    assert ended_at(relative, after(9000), after(1000)) == plan((0, "0"), start=None, duration=8000)


def test_an_end_within_a_second_is_that_second() -> None:
    assert ended_at(plan((0, "0")), after(9000.9), NOON).duration == 9000


def test_a_plan_that_would_begin_after_its_end_is_refused_when_it_is_fitted() -> None:
    to = outlet()
    future = ended_at(plan((0, "0"), start=after(600)), after(60), NOON)
    with pytest.raises(EmptyPlan):
        fitted(future, to, None, maximum_power(to), NOON)
    with pytest.raises(PlanIsOver):
        fitted(ended_at(plan((0, "0")), NOON, NOON), to, None, maximum_power(to), NOON)


def test_the_calendars_last_instant_is_an_end_like_any_other() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert ended_at(plan((0, "1"), (FAR, "2")), last, NOON).periods == (PlanPeriod(0, Decimal(1)),)
