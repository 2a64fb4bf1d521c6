"""Reading MeterValues of both versions as charge points of the field send them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.frames.meter import MAX_READINGS, TimedReading, read_meter_values
from ocpi_bridge.domain.events import Reading
from tests.support.clocks import START
from tests.support.raw_frames import at

Json = dict[str, Any]


def sampled(value: object, **fields: object) -> Json:
    return {"value": value, **fields}


def reading(*values: Json) -> Reading:
    read = read_meter_values([{"timestamp": at(), "sampledValue": list(values)}], START)
    return read[0].reading if read else Reading()


def test_a_value_without_a_measurand_is_the_register_in_watt_hours() -> None:
    assert reading(sampled("1234")) == Reading(meter_wh=Decimal(1234))


def test_kilo_units_become_plain_ones() -> None:
    read = reading(
        sampled("1.25", measurand="Energy.Active.Import.Register", unit="kWh"),
        sampled("11", measurand="Power.Active.Import", unit="kW"),
        sampled("7.4", measurand="Power.Offered", unit="kW"),
    )
    assert (read.meter_wh, read.power_w, read.offered_w) == (Decimal(1250), Decimal(11_000), Decimal(7400))


@pytest.mark.parametrize(
    ("unit", "wh"),
    [
        ({"unit": "Wh", "multiplier": 3}, 2_500),
        ({"unit": "kWh"}, 2_500),
        ({"unit": "kWh", "multiplier": -3}, Decimal("2.5")),
        ({"multiplier": 0}, Decimal("2.5")),
    ],
)
def test_values_of_201_are_multiplied_by_a_power_of_ten(unit: Json, wh: Decimal) -> None:
    assert reading(sampled(Decimal("2.5"), unitOfMeasure=unit)).meter_wh == wh


def test_power_per_phase_is_summed_unless_there_is_a_total() -> None:
    per_phase = [sampled(str(watt), measurand="Power.Active.Import", phase=f"L{watt}") for watt in (1, 2, 3)]
    assert reading(*per_phase).power_w == 6
    assert reading(*per_phase, sampled("7", measurand="Power.Active.Import")).power_w == 7


def test_currents_keep_their_phases() -> None:
    read = reading(
        sampled("16", measurand="Current.Import", phase="L2", unit="A"),
        sampled("5", measurand="Current.Import", phase="N", unit="A"),
        sampled("230", measurand="Voltage", phase="L1-N", unit="V"),
        sampled("400", measurand="Voltage", phase="L1-L2", unit="V"),
    )
    assert (read.current_a, read.voltage_v) == ((Decimal(0), Decimal(16)), (Decimal(230),))


def test_a_current_without_a_phase_counts_for_none() -> None:
    """It may be the sum of three, and a car that is taken for a one-phase one would get three times its plan."""
    assert reading(sampled("48", measurand="Current.Import", unit="A")).current_a == ()


def test_what_the_station_offers() -> None:
    read = reading(
        *(sampled(str(amps), measurand="Current.Offered", phase=phase) for phase, amps in (("L1", 16), ("L2", 10))),
        sampled("64", measurand="SoC", unit="Percent", location="EV"),
    )
    assert (read.offered_a, read.soc) == (Decimal(16), Decimal(64))


def test_the_outlet_is_measured_before_any_other_place() -> None:
    inlet, outlet = sampled("1", location="Inlet"), sampled("2", location="Outlet")
    assert reading(outlet, inlet).meter_wh == reading(inlet, outlet).meter_wh == 2
    assert reading(inlet).meter_wh == 1


@pytest.mark.parametrize(
    "bad",
    [
        sampled("much"),
        sampled(None),
        {"value": True},
        sampled("NaN"),
        sampled("-1"),
        sampled("1e11"),
        sampled("1e999999999"),
        sampled(Decimal("1e-999999999"), unitOfMeasure={"multiplier": 13}),
        sampled(1, unitOfMeasure={"multiplier": 999_999_999}),
        sampled("1234", format="SignedData"),
        sampled("5", phase=7),
        sampled("5", phase="L9"),
        sampled("5", measurand="Frequency"),
        sampled("5", measurand=["Voltage"]),
        sampled("101", measurand="SoC"),
    ],
    ids=repr,
)
def test_a_value_that_cannot_be_does_not_hide_the_others(bad: Json) -> None:
    good = sampled("7", measurand="Power.Active.Import")
    assert reading(bad, good) == reading(good, bad) == Reading(power_w=Decimal(7))


def test_a_signed_value_beside_a_plain_one_is_left_alone() -> None:
    assert reading(sampled(7, signedMeterValue={"signedMeterData": "x"})).meter_wh == 7


def test_values_keep_three_decimals() -> None:
    """More are noise, and a number of more than 38 digits could not be kept."""
    assert reading(sampled("1." + "3" * 60)).meter_wh == Decimal("1.333")


def test_readings_of_one_instant_are_one() -> None:
    listed: list[Json] = [
        {"timestamp": at(5), "sampledValue": [sampled("1")]},
        {"timestamp": at(5), "sampledValue": [sampled("2", measurand="Power.Active.Import")]},
        {"timestamp": at(1), "sampledValue": [sampled("0")]},
        {"timestamp": at(9), "sampledValue": []},
    ]
    assert read_meter_values(listed, START) == [
        TimedReading(START + timedelta(seconds=1), Reading(meter_wh=Decimal(0))),
        TimedReading(START + timedelta(seconds=5), Reading(meter_wh=Decimal(1), power_w=Decimal(2))),
    ]


@pytest.mark.parametrize("told", [None, "now", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", 5])
def test_a_reading_without_a_time_has_its_frames(told: Any) -> None:  # noqa: ANN401 - any JSON
    [read] = read_meter_values([{"timestamp": told, "sampledValue": [sampled("1")]}], START)
    assert read.at == START


def test_a_time_without_a_zone_is_utc() -> None:
    [read] = read_meter_values([{"timestamp": "2026-01-15T17:00:07", "sampledValue": [sampled("1")]}], START)
    assert read.at == START + timedelta(seconds=7)


def test_of_very_many_readings_the_oldest_and_the_newest_are_kept() -> None:
    listed: Any = [{"timestamp": at(second), "sampledValue": [sampled(second)]} for second in range(MAX_READINGS + 5)]
    meters = [read.reading.meter_wh for read in read_meter_values(listed, START)]
    assert meters == [0, *range(6, MAX_READINGS + 5)]


@pytest.mark.parametrize("listed", [None, {}, "text", [1, "x", None, {}], [{"sampledValue": "x"}], 7])
def test_what_are_no_readings_are_none(listed: Any) -> None:  # noqa: ANN401 - any JSON
    assert list(read_meter_values(listed, START)) == []
