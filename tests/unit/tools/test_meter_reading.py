"""Reading MeterValues as charge points of the field send them."""

from decimal import Decimal
from typing import Any

from tools.demo_csms.meter_reading import read_meter

Json = dict[str, Any]


def sampled(value: str, **fields: str) -> Json:
    return {"value": value, **fields}


def payload(*values: Json, timestamp: str = "2026-01-15T17:05:00Z") -> Json:
    return {"connectorId": 1, "meterValue": [{"timestamp": timestamp, "sampledValue": list(values)}]}


def test_a_value_without_a_measurand_is_the_register_in_watt_hours() -> None:
    assert read_meter(payload(sampled("1234"))).meter_wh == Decimal(1234)


def test_kilo_units_become_plain_ones() -> None:
    reading = read_meter(
        payload(
            sampled("1.25", measurand="Energy.Active.Import.Register", unit="kWh"),
            sampled("11", measurand="Power.Active.Import", unit="kW"),
        )
    )

    assert (reading.meter_wh, reading.power_w) == (Decimal(1250), Decimal(11000))


def test_power_per_phase_is_summed_unless_there_is_a_total() -> None:
    per_phase = [sampled(str(watt), measurand="Power.Active.Import", phase=f"L{watt}") for watt in (1, 2, 3)]

    assert read_meter(payload(*per_phase)).power_w == Decimal(6)
    assert read_meter(payload(*per_phase, sampled("7", measurand="Power.Active.Import"))).power_w == Decimal(7)


def test_currents_keep_their_phases() -> None:
    reading = read_meter(
        payload(
            sampled("16", measurand="Current.Import", phase="L2", unit="A"),
            sampled("230", measurand="Voltage", phase="L1-N", unit="V"),
        )
    )

    assert reading.current_a == [Decimal(0), Decimal(16)]
    assert reading.voltage_v == [Decimal(230)]


def test_a_later_element_overrides_an_earlier_one() -> None:
    both: Json = {
        "meterValue": [
            {"timestamp": "2026-01-15T17:05:00Z", "sampledValue": [sampled("1")]},
            {"timestamp": "2026-01-15T17:06:00Z", "sampledValue": [sampled("2")]},
        ]
    }

    reading = read_meter(both)

    assert reading.meter_wh == Decimal(2)
    assert reading.at.minute == 6


def test_values_that_are_no_numbers_are_left_out() -> None:
    reading = read_meter(payload(sampled("n/a"), sampled("NaN"), sampled("AF01", format="SignedData")))

    assert reading.data() == {}
