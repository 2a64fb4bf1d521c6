"""Whether two plans say the same, however they are written."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.courses import Stretch
from tools.counterparts.json_types import JsonObject
from tools.demo import checks
from tools.partner_simulator import ActiveChargingProfile, guide_profile, watt_profile

START = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
REQUESTED = checks.requested_plan(guide_profile(START))
UNTIL = START + timedelta(seconds=5400)


def after(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def active(start: datetime, *periods: tuple[int, int], duration: int = 5400) -> ActiveChargingProfile:
    profile = watt_profile([(at, Decimal(limit)) for at, limit in periods], duration=duration)
    return ActiveChargingProfile(start_date_time=start, charging_profile=profile)


def command(*periods: tuple[int, object], start: str | None = "2026-01-15T17:05:00Z") -> JsonObject:
    schedule: JsonObject = {
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": at, "limit": limit} for at, limit in periods],
    }
    if start is not None:
        schedule["startSchedule"] = start
    return {"connectorId": 1, "csChargingProfiles": {"chargingSchedule": schedule}}


def test_an_active_profile_that_began_later_says_the_same_in_absolute_time() -> None:
    told = checks.active_plan(active(after(10), (0, 22000), (1790, 0), (3590, 10000)))

    assert checks.says_the_same(REQUESTED, told, after(10), after(10 + 5400))


@pytest.mark.parametrize("jitter", [-2, 2])
def test_a_composite_schedule_may_be_two_seconds_off(jitter: int) -> None:
    told = checks.active_plan(active(START, (0, 22000), (1800 + jitter, 0), (3600, 10000)))

    assert checks.says_the_same(REQUESTED, told, START, UNTIL)


@pytest.mark.parametrize(
    "periods",
    [
        ((0, 22000), (1803, 0), (3600, 10000)),
        ((0, 22000), (1800, 0)),
        ((0, 22000), (1800, 0), (3600, 10001)),
        ((0, 11000), (1800, 0), (3600, 10000)),
    ],
)
def test_another_course_is_seen_as_another(periods: tuple[tuple[int, int], ...]) -> None:
    assert not checks.says_the_same(REQUESTED, checks.active_plan(active(START, *periods)), START, UNTIL)


def test_an_active_profile_that_ends_early_is_another_plan() -> None:
    told = checks.active_plan(active(START, (0, 22000), (1800, 0), (3600, 10000), duration=3700))

    assert not checks.says_the_same(REQUESTED, told, START, UNTIL)


def test_the_command_at_the_charge_point_is_read_as_a_plan() -> None:
    plan = checks.commanded_plan(command((0, 22000), (1800, 0), (3600, Decimal("10000.0"))))

    assert checks.says_the_same(REQUESTED, plan, START, UNTIL)


def test_a_command_without_a_start_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no start"):
        checks.commanded_plan(command((0, 22000), start=None))


def test_what_the_charge_point_shows_is_read_as_a_plan() -> None:
    shown: JsonObject = {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-01-15T17:05:00Z",
        "chargingSchedule": {
            "duration": 5400,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 22000},
                {"startPeriod": 1800, "limit": 0},
                {"startPeriod": 3600, "limit": 10000},
            ],
        },
    }

    assert checks.says_the_same(REQUESTED, checks.composite_plan(shown), START, UNTIL)


def test_an_answer_without_a_schedule_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no schedule"):
        checks.composite_plan({"status": "Accepted"})


def test_a_cap_lowers_only_what_is_above_it() -> None:
    assert checks.in_words(checks.capped(REQUESTED, Decimal(11000))) == (
        "11000 W from 17:05:00, 0 W from 17:35:00, 10000 W from 18:05:00 UTC"
    )


def test_a_plan_is_told_in_words() -> None:
    assert checks.in_words(REQUESTED) == "22000 W from 17:05:00, 0 W from 17:35:00, 10000 W from 18:05:00 UTC"


def test_a_course_begins_in_the_period_that_holds_and_ends_with_the_window() -> None:
    assert checks.course(REQUESTED, after(2000), after(4000)) == (
        Stretch(after(2000), after(3600), Decimal(0)),
        Stretch(after(3600), after(4000), Decimal(10000)),
    )


def test_nothing_is_drawn_of_a_plan_that_is_unknown_or_relative() -> None:
    assert checks.course(None, START, UNTIL) == ()
    assert checks.course(checks.requested_plan(watt_profile([(0, Decimal(1))])), START, UNTIL) == ()
