"""The profile that is followed: when it is news, when it is more than was asked for, and where it must be put together."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.events import ChargingState, EventType, ReportedLimit
from ocpi_bridge.domain.followed_profiles import exceeds, explained, lower_of, no_news, told_otherwise
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit, limit_at
from ocpi_bridge.domain.stations import Outlet, PowerType, outlet_by_uid
from tests.support.clocks import START
from tests.support.registry_entries import station
from tests.support.world import event, session_of

NOW = START
WATT, AMPERE = RateUnit.WATT, RateUnit.AMPERE


def plan(*limits: str, unit: RateUnit = WATT, start: float = 0, duration: int | None = 3600) -> Plan:
    """Limits for half an hour each, from some seconds after now on."""
    periods = tuple(PlanPeriod(1800 * index, Decimal(limit)) for index, limit in enumerate(limits))
    return Plan(unit, periods, NOW + timedelta(seconds=start), duration)


@pytest.mark.parametrize(
    ("known", "followed", "expected"),
    [
        (plan("10000", "0"), plan("10000", "0"), True),
        (plan("10000", "0"), plan("9931", "0"), True),
        (plan("10000", "0"), plan("9899", "0"), False),
        (plan("10000", "0"), plan("10000", "0", start=4), True),
        (plan("10000", "0"), plan("10000", "0", start=60), False),
        (plan("16.0", unit=AMPERE), plan("15.9", unit=AMPERE), True),
        (plan("16.0", unit=AMPERE), plan("15.0", unit=AMPERE), False),
        (plan("16.0", unit=AMPERE), plan("16.0"), False),
        # What comes after the end of either of them is nobody's promise.
        (plan("10000", duration=900), plan("10000", "0"), True),
        (plan("10000", duration=None), plan("10000", duration=900), True),
        (plan("10000", start=-7200), plan("10000"), False),
        (Plan(WATT, (PlanPeriod(0, Decimal(10000)),)), plan("10000"), False),
    ],
)
def test_what_both_of_them_say_is_compared(known: Plan, followed: Plan, expected: bool) -> None:
    assert no_news(known, followed, NOW) is expected


@pytest.mark.parametrize(
    ("plan_limits", "followed_limits", "expected"),
    [
        (("10000", "0"), ("10000", "0"), False),
        (("10000", "0"), ("4000", "0"), False),
        (("10000", "0"), ("10090", "90"), False),
        (("10000", "0"), ("10000", "200"), True),
        (("10000", "0"), ("22000", "22000"), True),
        (("10000", "4000"), ("0", "11000"), True),
    ],
)
def test_more_than_the_plan_allows_is_not_the_plan(
    plan_limits: tuple[str, ...], followed_limits: tuple[str, ...], expected: bool
) -> None:
    assert exceeds(plan(*followed_limits), plan(*plan_limits), NOW) is expected


def test_a_second_or_two_at_the_turn_of_a_period_is_no_excess() -> None:
    assert not exceeds(plan("10000", "0", start=3), plan("10000", "0"), NOW)
    assert exceeds(plan("10000", "0", start=60), plan("10000", "0"), NOW)


def test_plans_of_different_units_have_no_common_measure() -> None:
    assert not exceeds(plan("99999"), plan("6", unit=AMPERE), NOW)


courses = st.lists(st.integers(0, 22_000), min_size=1, max_size=4).map(lambda limits: [str(limit) for limit in limits])


@given(courses, courses, st.integers(-3000, 3000), st.integers(0, 3599))
def test_the_lower_of_two_plans_is_the_lower_one_at_each_instant(
    first: list[str], second: list[str], shift: int, second_of: int
) -> None:
    a, b = plan(*first, duration=None, start=-7200), plan(*second, duration=None, start=shift)
    instant = NOW + timedelta(seconds=second_of)
    limits = [limit for limit in (limit_at(a, instant), limit_at(b, instant)) if limit is not None]
    assert limit_at(lower_of(a, b, NOW, NOW + timedelta(hours=1)), instant) == min(limits)


# --- What a charge point shows by itself -------------------------------------------------------------------------------

SESSION = session_of(event(EventType.TRANSACTION_STARTED))
CHARGING, SUSPENDED_EVSE = ChargingState.CHARGING, ChargingState.SUSPENDED_EVSE


def outlet(power_type: PowerType = PowerType.AC_3_PHASE) -> Outlet:
    found = outlet_by_uid(station(), SESSION.evse_uid, SESSION.connector_id)
    assert found is not None
    return replace(found, connector=replace(found.connector, power_type=power_type))


@pytest.mark.parametrize(
    ("limit", "unit", "shown", "expected"),
    [
        ("11000", WATT, {"offered_a": Decimal("15.9"), "charging_state": CHARGING}, True),
        ("11000", WATT, {"offered_a": Decimal(15)}, True),
        ("11000", WATT, {"offered_a": Decimal(10)}, False),
        ("11000", WATT, {"offered_a": Decimal(32)}, False),
        ("3680", WATT, {"offered_a": Decimal(16), "phases": 1}, True),
        ("3680", WATT, {"offered_a": Decimal(16), "phases": 3}, False),
        ("11000", WATT, {"offered_w": Decimal(10900)}, True),
        ("16", AMPERE, {"offered_a": Decimal(16)}, True),
        ("0", WATT, {"offered_a": Decimal(0), "charging_state": SUSPENDED_EVSE}, True),
        ("0", WATT, {"charging_state": CHARGING}, False),
        ("11000", WATT, {"charging_state": SUSPENDED_EVSE}, False),
        ("11000", WATT, {"charging_state": ChargingState.SUSPENDED_EV}, True),
        ("22000", WATT, {"offered_a": Decimal(32)}, True),
    ],
)
def test_what_the_plan_explains_and_what_it_does_not(
    limit: str, unit: RateUnit, shown: dict[str, Any], expected: bool
) -> None:
    assert explained(replace(SESSION, **shown), plan(limit, unit=unit), outlet(), NOW) is expected


def test_without_a_plan_in_force_nothing_is_explained() -> None:
    session = replace(SESSION, offered_a=Decimal(16))
    assert not explained(session, None, outlet(), NOW)
    assert not explained(session, plan("11000", start=-7200), outlet(), NOW)


REPORTED = Plan(WATT, (PlanPeriod(0, Decimal(4000)),), NOW - timedelta(minutes=5))


def test_a_reported_limit_is_told_where_it_is_lower_than_the_plan() -> None:
    session = replace(SESSION, reported_limit=ReportedLimit("EMS", REPORTED), offered_a=Decimal(16))
    told = told_otherwise(session, plan("10000", "0"), outlet(), WATT, NOW)
    assert told is not None
    assert [(period.start, period.limit) for period in told.periods] == [(0, Decimal(4000)), (1800, Decimal(0))]
    assert (told.start, told.duration) == (NOW, 3600)


@pytest.mark.parametrize(
    ("shown", "unit", "power_type", "limit"),
    [
        ({"offered_a": Decimal(16)}, WATT, PowerType.AC_3_PHASE, Decimal("11040.0")),
        ({"offered_a": Decimal(16), "phases": 1}, WATT, PowerType.AC_3_PHASE, Decimal("3680.0")),
        ({"offered_a": Decimal(16)}, AMPERE, PowerType.AC_3_PHASE, Decimal(16)),
        ({"offered_w": Decimal(6900)}, AMPERE, PowerType.AC_3_PHASE, Decimal("10.0")),
        ({"offered_a": Decimal(16), "reported_limit": ReportedLimit("CSO")}, AMPERE, PowerType.AC_3_PHASE, Decimal(16)),
        ({"offered_a": Decimal(100)}, WATT, PowerType.DC, None),
        ({}, WATT, PowerType.AC_3_PHASE, None),
    ],
)
def test_else_what_the_station_offers_is_told_and_never_anything_that_nobody_said(
    shown: dict[str, Any], unit: RateUnit, power_type: PowerType, limit: Decimal | None
) -> None:
    told = told_otherwise(replace(SESSION, **shown), plan("10000"), outlet(power_type), unit, NOW)
    assert (None if told is None else told.periods[0].limit) == limit
