"""Meter values with chosen power and phases."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tools.charge_point.meter import MeterSample, meter_value
from tools.counterparts.ocpp_json import OcppVersion, check_request
from tools.demo_csms.meter_reading import read_meter

AT = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("phases", "currents"),
    [(1, ("30", "0", "0")), (2, ("15", "15", "0")), (3, ("10", "10", "10"))],
)
def test_power_is_spread_over_the_phases_in_use(phases: int, currents: tuple[str, ...]) -> None:
    sample = MeterSample(power_w=Decimal(6900), phases=phases)

    assert sample.currents() == tuple(Decimal(current) for current in currents)


def test_a_meter_has_one_to_three_phases() -> None:
    with pytest.raises(ValueError, match="one to three"):
        MeterSample(phases=4).currents()


def test_meter_values_are_valid_and_say_what_was_chosen() -> None:
    sample = MeterSample(energy_wh=Decimal(1500), power_w=Decimal(7360), phases=1, offered_a=Decimal(32), soc=55)
    payload = {"connectorId": 1, "transactionId": 7, "meterValue": [meter_value(sample, AT)]}

    check_request(OcppVersion.V16, "MeterValues", payload)
    assert read_meter(payload).data() == {
        "meter_wh": Decimal(1500),
        "power_w": Decimal(7360),
        "current_a": [Decimal(32), Decimal(0), Decimal(0)],
        "voltage_v": [Decimal(230)] * 3,
        "offered_a": Decimal(32),
        "soc": Decimal(55),
    }
