"""Charging preferences: which of them nobody could meet."""

from dataclasses import replace
from decimal import Decimal

import pytest

from ocpi_bridge.domain.preferences import ChargingPreferences, ProfileType
from ocpi_bridge.domain.sessions import Session
from tests.support.clocks import START
from tests.support.feeds import seconds, session_in_feed
from tests.support.outlets import outlet

# 11 kW at the most.
OUTLET = outlet(cap_w=Decimal(11_000))
HOUR = 3600


def session(charged_kwh: int = 0) -> Session:
    return replace(session_in_feed("s-1"), meter_start_wh=Decimal(0), meter_wh=Decimal(charged_kwh * 1000))


def wishes(departure_in: float | None = None, energy: str | None = None) -> ChargingPreferences:
    departure = None if departure_in is None else seconds(departure_in)
    return ChargingPreferences(ProfileType.CHEAP, departure, None if energy is None else Decimal(energy))


@pytest.mark.parametrize(
    ("preferences", "possible"),
    [
        (wishes(), True),
        (wishes(energy="10000"), True),
        (wishes(1), True),
        (wishes(0), False),
        (wishes(-1), False),
        (wishes(2 * HOUR, "22"), True),
        (wishes(2 * HOUR, "22.1"), False),
    ],
    ids=["nothing", "any energy some day", "a departure", "now", "over", "at the most", "more than the most"],
)
def test_a_demand_that_the_outlet_cannot_meet_is_not_possible(
    preferences: ChargingPreferences, *, possible: bool
) -> None:
    assert preferences.possible(session(), OUTLET, START) is possible


def test_what_is_charged_already_counts() -> None:
    assert wishes(HOUR, "21").possible(session(10), OUTLET, START)
    assert not wishes(HOUR, "21.1").possible(session(10), OUTLET, START)
