from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.domain.errors import EmptyPlan, PlanIsOver, TooManyPeriods, UnitNotPossible
from ocpi_bridge.domain.fitting import MAX_PERIODS, ceiling, fitted, number_of_phases
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.stations import Outlet, PowerType, Quirk, maximum_power
from tests.support.outlets import outlet

NOW = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
WATT, AMPERE = RateUnit.WATT, RateUnit.AMPERE
ONLY_AMPERE = frozenset({AMPERE})
ONLY_WATT = frozenset({WATT})
DC = outlet(PowerType.DC, max_voltage=500, max_amperage=200, max_electric_power=50000)


def plan(*limits: str, unit: RateUnit = WATT, duration: int | None = None, min_rate: str | None = None) -> Plan:
    periods = tuple(PlanPeriod(600 * index, Decimal(limit)) for index, limit in enumerate(limits))
    return Plan(unit, periods, NOW, duration, None if min_rate is None else Decimal(min_rate))


def fit(given: Plan, to: Outlet, phases: int | None = None) -> Plan:
    return fitted(given, to, phases, maximum_power(to), NOW)


def limits(given: Plan) -> list[Decimal]:
    return [period.limit for period in given.periods]


def test_watts_stay_watts_where_the_station_takes_them() -> None:
    assert fit(plan("22000", "0", "10000"), outlet()) == plan("22000", "0", "10000")


def test_amperes_stay_amperes_where_the_station_takes_them() -> None:
    assert fit(plan("16", "6.55", unit=AMPERE), outlet()) == plan("16", "6.5", unit=AMPERE)


def test_a_station_that_takes_only_amperes_gets_amperes_for_the_phases_of_its_connector() -> None:
    sent = fit(plan("22000", "0", "10000", min_rate="4140"), outlet(allowed_units=ONLY_AMPERE))
    assert (sent.unit, limits(sent), sent.min_rate) == (AMPERE, [Decimal("31.8"), 0, Decimal("14.4")], Decimal(6))


@pytest.mark.parametrize(("phases", "amperes"), [(1, "16.0"), (2, "8.0"), (3, "5.3")])
def test_the_phases_that_the_car_uses_decide_the_amperes(phases: int, amperes: str) -> None:
    sent = fit(plan("3680"), outlet(allowed_units=ONLY_AMPERE), phases)
    assert limits(sent) == [Decimal(amperes)]


def test_a_one_phase_car_never_gets_more_amperes_than_the_connector_is_rated_for() -> None:
    sent = fit(plan("22000"), outlet(allowed_units=ONLY_AMPERE), 1)
    assert limits(sent) == [32]


def test_a_preferred_unit_overrides_the_plans_own() -> None:
    sent = fit(plan("11040"), outlet(preferred_unit=AMPERE))
    assert sent.unit is AMPERE
    assert limits(sent) == [16]


def test_amperes_become_watts_where_the_station_takes_only_those() -> None:
    sent = fit(plan("16", unit=AMPERE), outlet(allowed_units=ONLY_WATT))
    assert sent.unit is WATT
    assert limits(sent) == [11040]


def test_the_connectors_rating_and_the_cpos_cap_bound_every_limit() -> None:
    assert limits(fit(plan("50000", "11000"), outlet())) == [22080, 11000]
    assert limits(fit(plan("50000", "0"), outlet(cap_w=Decimal("7360.55")))) == [Decimal("7360.5"), 0]


def test_a_cap_in_watts_bounds_a_plan_in_amperes_per_phase() -> None:
    sent = fit(plan("32", "6", unit=AMPERE), outlet(cap_w=Decimal(11000)))
    assert limits(sent) == [Decimal("15.9"), 6]


def test_limits_that_the_cap_made_equal_become_one_period() -> None:
    assert fit(plan("22000", "16000", "5000"), outlet(cap_w=Decimal(11000))).periods == (
        PlanPeriod(0, Decimal(11000)),
        PlanPeriod(1200, Decimal(5000)),
    )


def test_limits_that_the_conversion_made_equal_become_one_period() -> None:
    assert len(fit(plan("11040", "11050"), outlet(allowed_units=ONLY_AMPERE)).periods) == 1


def test_dc_keeps_watts() -> None:
    assert limits(fit(plan("60000", "20000"), DC)) == [50000, 20000]


def test_dc_is_never_converted() -> None:
    only_ampere = outlet(PowerType.DC, allowed_units=ONLY_AMPERE)
    only_watt = outlet(PowerType.DC, allowed_units=ONLY_WATT)
    with pytest.raises(UnitNotPossible):
        fit(plan("20000"), only_ampere)
    with pytest.raises(UnitNotPossible):
        fit(plan("100", unit=AMPERE), only_watt)


def test_dc_keeps_the_plans_unit_where_the_preferred_one_would_need_a_conversion() -> None:
    assert fit(plan("5000"), outlet(PowerType.DC, preferred_unit=AMPERE)).unit is WATT


def test_a_dc_plan_in_amperes_is_held_to_the_power_at_the_highest_voltage() -> None:
    assert limits(fit(plan("150", "50", unit=AMPERE), DC)) == [100, 50]


def test_a_station_without_any_unit_cannot_be_given_a_plan() -> None:
    with pytest.raises(UnitNotPossible, match="no unit"):
        fit(plan("1"), outlet(allowed_units=frozenset()))


def test_more_periods_than_the_station_takes_are_refused() -> None:
    four = plan("1000", "2000", "3000", "4000")
    assert len(fit(four, outlet(max_periods=4)).periods) == 4
    with pytest.raises(TooManyPeriods):
        fit(four, outlet(max_periods=3))


def test_periods_that_are_past_or_merged_do_not_count() -> None:
    to = outlet(max_periods=2)
    given = plan("1000", "2000", "2000", "4000")
    assert len(fitted(given, to, None, maximum_power(to), NOW + timedelta(seconds=700)).periods) == 2


def test_no_station_is_given_more_periods_than_ocpp_can_carry() -> None:
    with pytest.raises(TooManyPeriods):
        fit(plan(*(str(limit) for limit in range(MAX_PERIODS + 1))), outlet())


def test_periods_that_begin_after_the_end_are_not_sent() -> None:
    assert fit(plan("1000", "2000", duration=600), outlet()) == plan("1000", duration=600)


def test_a_plan_that_is_over_is_refused() -> None:
    to = outlet()
    with pytest.raises(PlanIsOver):
        fitted(plan("1000", duration=600), to, None, maximum_power(to), NOW + timedelta(seconds=600))


def test_a_plan_without_periods_or_without_length_is_refused() -> None:
    with pytest.raises(EmptyPlan):
        fit(plan(), outlet())
    with pytest.raises(EmptyPlan):
        fit(Plan(WATT, plan("1000").periods, duration=0), outlet())


def test_a_minimum_rate_above_all_that_the_outlet_delivers_is_left_out() -> None:
    assert fit(plan("1000", min_rate="30000"), outlet()).min_rate is None
    assert fit(plan("1000", min_rate="1380.06"), outlet()).min_rate == Decimal("1380.0")


def test_a_minimum_rate_that_one_phase_cannot_carry_is_left_out() -> None:
    only_ampere = outlet(allowed_units=ONLY_AMPERE)
    assert fit(plan("11040", min_rate="11040"), only_ampere, 1).min_rate is None
    assert fit(plan("11040", min_rate="7360"), only_ampere, 1).min_rate == 32
    assert fit(plan("50", unit=AMPERE, min_rate="50"), outlet(allowed_units=ONLY_WATT), 1).min_rate is None


def test_limits_of_any_size_are_fitted() -> None:
    assert limits(fit(plan("1E+400"), outlet())) == [22080]


def test_the_ceiling_in_amperes_is_the_connectors_rating_where_that_is_lower() -> None:
    assert ceiling(outlet(), AMPERE, 1, Decimal(22080)) == 32
    assert ceiling(outlet(), AMPERE, 3, Decimal(11040)) == 16
    assert ceiling(outlet(), WATT, 1, Decimal("11040.19")) == Decimal("11040.1")


def test_the_nominal_voltage_converts_and_the_highest_one_only_rates() -> None:
    at_120 = outlet(PowerType.AC_1_PHASE, max_voltage=130, nominal_voltage=120, allowed_units=ONLY_AMPERE)
    assert limits(fit(plan("1920"), at_120)) == [16]
    assert limits(fit(plan("9999"), at_120)) == [32]
    only_watt = outlet(PowerType.AC_1_PHASE, max_voltage=130, nominal_voltage=120, allowed_units=ONLY_WATT)
    assert limits(fit(plan("16", unit=AMPERE), only_watt)) == [1920]
    assert ceiling(at_120, AMPERE, None, Decimal(1200)) == 10


# --- Stations with quirks

NO_NUMBER_PHASES = frozenset({Quirk.NO_NUMBER_PHASES})
RELATIVE_AS_ABSOLUTE = frozenset({Quirk.RELATIVE_AS_ABSOLUTE})


@pytest.mark.parametrize("preferred", [None, WATT, AMPERE])
def test_without_number_of_phases_a_one_phase_car_gets_its_power_in_amperes(preferred: RateUnit | None) -> None:
    sent = fit(plan("3680"), outlet(quirks=NO_NUMBER_PHASES, preferred_unit=preferred), 1)
    assert sent.unit is AMPERE
    assert limits(sent) == [16]


def test_without_number_of_phases_a_one_phase_connector_gets_amperes() -> None:
    assert fit(plan("3680"), outlet(PowerType.AC_1_PHASE, quirks=NO_NUMBER_PHASES)).unit is AMPERE


@pytest.mark.parametrize("phases", [3, None])
def test_without_number_of_phases_watts_are_right_for_three(phases: int | None) -> None:
    assert fit(plan("11040"), outlet(quirks=NO_NUMBER_PHASES), phases) == plan("11040")


def test_without_number_of_phases_watts_are_sent_where_nothing_else_is_taken() -> None:
    assert fit(plan("3680"), outlet(quirks=NO_NUMBER_PHASES, allowed_units=ONLY_WATT), 1) == plan("3680")


def test_without_number_of_phases_dc_keeps_watts() -> None:
    assert fit(plan("3680"), outlet(PowerType.DC, quirks=NO_NUMBER_PHASES)).unit is WATT


def test_the_number_of_phases_is_that_of_the_car_or_of_a_connector_with_fewer_than_three() -> None:
    assert [number_of_phases(outlet(), phases) for phases in (None, 1, 3)] == [None, 1, 3]
    assert number_of_phases(outlet(PowerType.AC_2_PHASE), None) == 2
    assert number_of_phases(outlet(PowerType.AC_2_PHASE), 1) == 1
    assert number_of_phases(DC, 1) is None
    assert number_of_phases(outlet(quirks=NO_NUMBER_PHASES), 1) is None


def fit_relative(given: Plan, to: Outlet, since: datetime | None, now: datetime = NOW) -> Plan:
    return fitted(given, to, None, maximum_power(to), now, charging_since=since)


def test_a_relative_plan_starts_with_the_charging_where_the_station_takes_only_absolute_ones() -> None:
    relative = Plan(WATT, plan("22000", "0", "10000").periods, duration=7200)
    to = outlet(quirks=RELATIVE_AS_ABSOLUTE)
    assert fit_relative(relative, to, NOW) == plan("22000", "0", "10000", duration=7200)
    later = fit_relative(relative, to, NOW, NOW + timedelta(seconds=1000))
    assert later.start == NOW + timedelta(seconds=600)
    assert limits(later) == [0, 10000]
    with pytest.raises(PlanIsOver):
        fit_relative(relative, to, NOW - timedelta(hours=2))


def test_a_relative_plan_stays_relative_where_the_station_takes_it_or_no_start_is_known() -> None:
    relative = Plan(WATT, plan("22000", "0").periods)
    assert fit_relative(relative, outlet(), NOW - timedelta(hours=1)) == relative
    assert fit_relative(relative, outlet(quirks=RELATIVE_AS_ABSOLUTE), None) == relative


def test_an_absolute_plan_keeps_its_start_whenever_charging_began() -> None:
    to = outlet(quirks=RELATIVE_AS_ABSOLUTE)
    assert fit_relative(plan("22000"), to, NOW - timedelta(hours=1)) == plan("22000")
