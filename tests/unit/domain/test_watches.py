"""When the profile that a charge point follows is news to a partner, and how far its duty is done."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.watches import Watch, no_news
from tests.support.clocks import START

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


def test_a_doubt_is_settled_by_a_look_that_came_after_it() -> None:
    watch = Watch("s1", "jedlix")
    assert (watch.in_doubt(None), watch.in_doubt(NOW)) == (False, True)
    settled = watch.settled(NOW)
    assert (settled.in_doubt(NOW), settled.in_doubt(NOW + timedelta(seconds=1))) == (False, True)


def test_a_failure_is_counted_until_something_succeeds() -> None:
    failed = Watch("s1", "jedlix", own="r1").failed().failed(forced=True)
    assert (failed.own, failed.attempts, failed.in_doubt(None)) == (None, 2, True)
    assert failed.settled(NOW) == Watch("s1", "jedlix", settled_at=NOW)
