from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.answers import CLOCK_TOLERANCE, active_profile, clear_answer, set_answer
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit, constant
from ocpi_bridge.domain.requests import Answer, Result
from ocpi_bridge.domain.stations import Outlet, PowerType
from tests.support.outlets import outlet

NOW = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
WATT, AMPERE = RateUnit.WATT, RateUnit.AMPERE
REFUSALS = ["NotSupported", "NotImplemented", "Unparseable", "CallError:InternalError", "accepted", "Faulted"]


def composite(
    *periods: tuple[int, str], unit: RateUnit = WATT, start: datetime = NOW, duration: int | None = 900
) -> Plan:
    return Plan(unit, tuple(PlanPeriod(begin, Decimal(limit)) for begin, limit in periods), start, duration)


def read(
    status: str = "Accepted",
    schedule: Plan | None = None,
    *,
    plan_expected: bool = True,
    at: Outlet | None = None,
    phases: int | None = None,
    unit: RateUnit | None = WATT,
    duration: int = 900,
) -> Answer:
    return active_profile(
        status,
        schedule,
        plan_expected=plan_expected,
        outlet=at or outlet(),
        phases=phases,
        unit=unit,
        now=NOW,
        duration=duration,
    )


def test_an_accepted_set_is_accepted() -> None:
    assert set_answer("Accepted").result is Result.ACCEPTED


@pytest.mark.parametrize("status", [*REFUSALS, "Rejected", "Unknown"])
def test_a_set_answered_in_any_other_way_is_rejected_and_says_why(status: str) -> None:
    answer = set_answer(status, "NoProfile")
    assert (answer.result, answer.reason) == (Result.REJECTED, f"{status}: NoProfile")


@pytest.mark.parametrize("later_attempt", [False, True])
def test_an_accepted_clear_is_accepted(later_attempt: bool) -> None:
    assert clear_answer("Accepted", later_attempt=later_attempt).result is Result.ACCEPTED


def test_a_clear_of_nothing_is_unknown() -> None:
    assert clear_answer("Unknown", later_attempt=False).result is Result.UNKNOWN


def test_a_clear_of_nothing_on_a_later_attempt_is_accepted() -> None:
    assert clear_answer("Unknown", later_attempt=True).result is Result.ACCEPTED


@pytest.mark.parametrize("status", [*REFUSALS, "Rejected"])
@pytest.mark.parametrize("later_attempt", [False, True])
def test_a_clear_answered_in_any_other_way_is_rejected(status: str, later_attempt: bool) -> None:
    assert clear_answer(status, later_attempt=later_attempt).result is Result.REJECTED


@pytest.mark.parametrize("plan_expected", [False, True])
def test_the_schedule_of_the_charge_point_is_the_active_profile(plan_expected: bool) -> None:
    shown = composite((0, "11040"), (600, "5520"))
    answer = read(schedule=shown, plan_expected=plan_expected)
    assert (answer.result, answer.active_profile) == (Result.ACCEPTED, shown)


def test_the_active_profile_is_clipped_to_the_duration_asked_for() -> None:
    answer = read(schedule=composite((0, "11040"), (600, "5520"), (900, "0"), duration=5400))
    assert answer.active_profile == composite((0, "11040"), (600, "5520"), duration=900)


def test_a_schedule_without_a_duration_gets_the_one_asked_for() -> None:
    assert read(schedule=composite((0, "1"), duration=None)).active_profile == composite((0, "1"))


def test_a_schedule_that_is_shorter_stays_so() -> None:
    assert read(schedule=composite((0, "1"), duration=60)).active_profile == composite((0, "1"), duration=60)


def test_equal_neighbours_of_the_schedule_are_merged() -> None:
    answer = read(schedule=composite((0, "11000"), (300, "11000.04"), (600, "0")))
    assert answer.active_profile == composite((0, "11000"), (600, "0"))


def test_the_active_profile_is_told_in_the_partners_unit() -> None:
    answer = read(schedule=composite((0, "16"), (600, "0"), unit=AMPERE), unit=WATT)
    assert answer.active_profile == composite((0, "11040"), (600, "0"))


def test_the_phases_of_the_car_decide_the_partners_watts() -> None:
    answer = read(schedule=composite((0, "16"), unit=AMPERE), phases=1, unit=WATT)
    assert answer.active_profile == composite((0, "3680"))


def test_the_nominal_voltage_decides_the_partners_watts() -> None:
    at_120 = outlet(PowerType.AC_1_PHASE, max_voltage=130, nominal_voltage=120)
    answer = read(schedule=composite((0, "16"), unit=AMPERE), at=at_120, unit=WATT)
    assert answer.active_profile == composite((0, "1920"))


def test_without_a_partners_unit_the_charge_points_stays() -> None:
    answer = read(schedule=composite((0, "16.06"), unit=AMPERE), unit=None)
    assert answer.active_profile == composite((0, "16"), unit=AMPERE)


def test_a_dc_schedule_stays_in_the_charge_points_unit() -> None:
    answer = read(schedule=composite((0, "100"), unit=AMPERE), at=outlet(PowerType.DC), unit=WATT)
    assert answer.active_profile == composite((0, "100"), unit=AMPERE)


@pytest.mark.parametrize("seconds", [-300, -2, 2, 300])
def test_a_clock_that_is_some_minutes_off_moves_the_active_profile_with_it(seconds: int) -> None:
    start = NOW + timedelta(seconds=seconds)
    answer = read(schedule=composite((0, "11040"), (600, "5520"), start=start))
    assert answer.active_profile == composite((0, "11040"), (600, "5520"), start=start)


def test_a_schedule_that_began_long_ago_is_told_from_now_on() -> None:
    long_ago = NOW - CLOCK_TOLERANCE - timedelta(seconds=3300)
    answer = read(schedule=composite((0, "22000"), (1800, "0"), (4000, "10000"), start=long_ago, duration=None))
    assert answer.active_profile == composite((0, "0"), (400, "10000"))


@pytest.mark.parametrize(
    ("status", "schedule"),
    [
        ("Accepted", None),
        ("Accepted", composite()),
        ("Accepted", composite((0, "1"), start=NOW - timedelta(hours=2))),
        ("Rejected", None),
    ],
)
def test_no_schedule_is_unknown_where_a_plan_of_ours_is_expected(status: str, schedule: Plan | None) -> None:
    answer = read(status, schedule, plan_expected=True)
    assert (answer.result, answer.active_profile) == (Result.UNKNOWN, None)


@pytest.mark.parametrize(("status", "schedule"), [("Accepted", None), ("Accepted", composite()), ("Rejected", None)])
def test_no_schedule_is_the_evses_maximum_where_no_plan_is_expected(status: str, schedule: Plan | None) -> None:
    answer = read(status, schedule, plan_expected=False)
    assert answer.result is Result.ACCEPTED
    assert answer.active_profile == constant(Decimal(22080), WATT, NOW, 900)


@pytest.mark.parametrize(
    ("unit", "phases", "cap_w", "limit"),
    [
        (WATT, 1, "11000", "11000"),
        (AMPERE, None, None, "32"),
        (AMPERE, 3, "11000", "15.9"),
        (None, None, None, "22080"),
    ],
)
def test_the_maximum_respects_the_cpos_cap_and_the_partners_unit(
    unit: RateUnit | None, phases: int | None, cap_w: str | None, limit: str
) -> None:
    at = outlet(cap_w=None if cap_w is None else Decimal(cap_w))
    answer = read(plan_expected=False, at=at, phases=phases, unit=unit)
    assert answer.active_profile == constant(Decimal(limit), unit or WATT, NOW, 900)


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("plan_expected", [False, True])
def test_any_other_status_is_rejected_without_a_profile(status: str, plan_expected: bool) -> None:
    answer = read(status, composite((0, "1")), plan_expected=plan_expected)
    assert (answer.result, answer.active_profile) == (Result.REJECTED, None)
