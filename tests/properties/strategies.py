"""Strategies: legal OCPI plans and outlets of every kind, at home and at the motorway."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.stations import OcppVersion, Outlet, PowerType, Quirk
from tests.support.outlets import outlet

NOW = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)

# A three-phase outlet is where a car of fewer phases makes the difference, so half of all are.
POWER_TYPES = [*[PowerType.AC_3_PHASE] * 3, PowerType.AC_1_PHASE, PowerType.AC_2_PHASE, PowerType.DC]
UNITS_TAKEN = [frozenset({RateUnit.AMPERE}), frozenset({RateUnit.WATT}), frozenset(RateUnit)]

# Around what outlets deliver, with more decimals than OCPP carries, and pauses often.
HIGHEST = {RateUnit.WATT: 60_000, RateUnit.AMPERE: 250}


def limits(unit: RateUnit) -> SearchStrategy[Decimal]:
    return st.one_of(
        st.just(Decimal(0)),
        st.sampled_from([Decimal(6), Decimal(16), Decimal(32), Decimal(11040), Decimal(22000)]).map(
            lambda limit: min(limit, Decimal(HIGHEST[unit]))
        ),
        st.decimals(min_value=0, max_value=HIGHEST[unit], places=3),
    )


@st.composite
def plans(draw: DrawFn, *, absolute: bool | None = None, unit: RateUnit | None = None) -> Plan:
    drawn_unit = unit or draw(st.sampled_from(RateUnit))
    steps = draw(st.lists(st.integers(1, 5000), max_size=6))
    starts = [sum(steps[:index]) for index in range(len(steps) + 1)]
    is_absolute = draw(st.booleans()) if absolute is None else absolute
    offset = draw(st.one_of(st.integers(-20_000, 20_000), st.sampled_from([-301, -300, -1, 0, 1])))
    milliseconds = draw(st.sampled_from([0, 0, 1, 999]))
    return Plan(
        unit=drawn_unit,
        periods=tuple(PlanPeriod(start, draw(limits(drawn_unit))) for start in starts),
        start=NOW + timedelta(seconds=offset, milliseconds=milliseconds) if is_absolute else None,
        duration=draw(st.none() | st.integers(1, 40_000)),
        min_rate=draw(st.none() | limits(drawn_unit)),
    )


@st.composite
def outlets(draw: DrawFn) -> Outlet:
    power_type = draw(st.sampled_from(POWER_TYPES))
    return outlet(
        power_type,
        max_voltage=draw(st.sampled_from([400, 920])) if power_type is PowerType.DC else 230,
        max_amperage=draw(st.sampled_from([16, 32, 63, 200])),
        max_electric_power=draw(st.none() | st.sampled_from([3680, 7400, 11_000, 22_000, 50_000])),
        cap_w=draw(st.none() | st.decimals(min_value=0, max_value=30_000, places=2)),
        allowed_units=draw(st.sampled_from(UNITS_TAKEN)),
        preferred_unit=draw(st.none() | st.sampled_from(RateUnit)),
        max_periods=draw(st.none() | st.integers(1, 6)),
        ocpp_version=draw(st.sampled_from(OcppVersion)),
        nominal_voltage=draw(st.sampled_from([230, 230, 120, 240])),
        quirks=draw(st.frozensets(st.sampled_from(Quirk), max_size=2)),
    )


def phases_used() -> SearchStrategy[int | None]:
    return st.none() | st.integers(1, 3)


def fail_safes() -> SearchStrategy[timedelta | None]:
    return st.none() | st.sampled_from([timedelta(minutes=1), timedelta(hours=2), timedelta(days=1)])
