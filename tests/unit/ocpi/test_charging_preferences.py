"""Charging preferences as a partner sends them."""

import json
from decimal import Decimal

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.preferences import ChargingPreferences, ProfileType
from ocpi_bridge.ocpi.charging_preferences import MAX_ENERGY_KWH, parse_preferences
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, TransportError
from tests.support.feeds import seconds


def read(body: object) -> ChargingPreferences:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return parse_preferences(OcpiRequest("PUT", {}, (), {}, MessageIds("req-1", "corr-1"), text))


def test_all_fields_are_read() -> None:
    assert read(
        {
            "profile_type": "CHEAP",
            "departure_time": "2026-01-15T17:00:30",
            "energy_need": 22.5,
            "discharge_allowed": True,
        }
    ) == ChargingPreferences(ProfileType.CHEAP, seconds(30), Decimal("22.5"), discharge_allowed=True)


@pytest.mark.parametrize("profile_type", ["CHEAP", "FAST", "GREEN", "REGULAR"])
def test_the_profile_type_alone_is_enough(profile_type: str) -> None:
    assert read({"profile_type": profile_type}) == ChargingPreferences(ProfileType(profile_type))


def test_null_is_as_good_as_nothing_and_unknown_fields_are_ignored() -> None:
    body = {"profile_type": "FAST", "departure_time": None, "energy_need": None, "discharge_allowed": None, "x": [1]}
    assert read(body) == ChargingPreferences(ProfileType.FAST)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("profile_type", None),
        ("profile_type", "cheap"),
        ("profile_type", "QUICK"),
        ("profile_type", 1),
        ("profile_type", ["CHEAP"]),
        ("departure_time", "tomorrow"),
        ("departure_time", "2026-01-15T17:00:00+01:00"),
        ("departure_time", 1768496400),
        ("energy_need", "22"),
        ("energy_need", -1),
        ("energy_need", float(MAX_ENERGY_KWH) + 0.1),
        ("energy_need", True),
        ("discharge_allowed", "true"),
        ("discharge_allowed", 1),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(InvalidInput) as error:
        read({"profile_type": "FAST"} | {field: value})
    assert error.value.field == field


def test_a_missing_profile_type_is_named() -> None:
    with pytest.raises(InvalidInput) as error:
        read({"energy_need": 10})
    assert error.value.field == "profile_type"


@pytest.mark.parametrize("number", ["1e29", "-1e29", "9" * 40])
def test_numbers_beyond_all_bounds_are_refused_and_never_computed_with(number: str) -> None:
    with pytest.raises(InvalidInput) as error:
        read(f'{{"profile_type": "FAST", "energy_need": {number}}}'.encode())
    assert error.value.field == "energy_need"


def test_a_body_that_is_no_json_is_an_error_of_the_transport() -> None:
    with pytest.raises(TransportError) as error:
        read(b"profile_type=FAST")
    assert error.value.http_status == 400


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        read(["CHEAP"])
    assert error.value.field == "body"
