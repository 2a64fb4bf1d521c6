"""The partner reads OCPI objects strictly."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tools.partner_simulator import guide_profile, watt_profile
from tools.partner_simulator.datatypes import read_datetime
from tools.partner_simulator.models import (
    ActiveChargingProfile,
    ActiveProfileResult,
    ChargingProfileResponse,
    Envelope,
    ProfileResult,
    Session,
)

Json = dict[str, Any]

START = datetime(2023, 10, 1, 12, tzinfo=UTC)

SESSION: Json = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "session-1",
    "start_date_time": "2026-01-15T16:58:12Z",
    "kwh": Decimal("1.25"),
    "cdr_token": {
        "country_code": "NL",
        "party_id": "MSP",
        "uid": "p-1f3a",
        "type": "RFID",
        "contract_id": "p-77e0",
    },
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "3256",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T16:58:12.5Z",
}

PROFILE: Json = {
    "start_date_time": "2026-01-15T17:05:00Z",
    "charging_profile": {
        "start_date_time": "2026-01-15T17:05:00Z",
        "duration": 900,
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": 0, "limit": Decimal("11040.5")}],
    },
}


def active_profile(*periods: Json) -> Json:
    profile = {**PROFILE["charging_profile"], "charging_profile_period": list(periods)}
    return {**PROFILE, "charging_profile": profile}


@pytest.mark.parametrize(
    "text",
    [
        "2015-06-29T20:39:09Z",
        "2015-06-29T20:39:09",
        "2016-12-29T17:45:09.2Z",
        "2016-12-29T17:45:09.2",
        "2018-01-01T01:08:01.123Z",
        "2018-01-01T01:08:01.123",
    ],
)
def test_the_allowed_shapes_of_a_datetime_are_read_as_utc(text: object) -> None:
    assert read_datetime(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["2015-06-29T20:39:09+00:00", "2015-06-29T20:39:09.123456Z", "2015-06-29 20:39:09Z", "2015-06-29", 1435610349],
)
def test_other_shapes_of_a_datetime_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="DateTime"):
        read_datetime(text)


def test_a_proper_session_is_read() -> None:
    assert Session.model_validate(SESSION).kwh == Decimal("1.25")


def test_null_counts_as_absent_for_optional_fields() -> None:
    assert Session.model_validate({**SESSION, "meter_id": None, "charging_periods": None}).meter_id is None


@pytest.mark.parametrize(
    "change",
    [
        {"kwh": "1.25"},
        {"kwh": True},
        {"kwh": Decimal("1.23456")},
        {"kwh": Decimal(-1)},
        {"status": "active"},
        {"currency": "Euro"},
        {"id": "x" * 37},
        {"id": "a\tb"},
        {"country_code": "NLD"},
        {"last_updated": "2026-01-15T16:58:12+00:00"},
        {"meterid": "misspelt"},
        {"cdr_token": {**SESSION["cdr_token"], "contract_id": None}},
        {"charging_periods": [{"start_date_time": "2026-01-15T16:58:12Z", "dimensions": []}]},
        {"location_id": None},
    ],
)
def test_a_session_that_breaks_a_rule_is_refused(change: Json) -> None:
    with pytest.raises(ValidationError):
        Session.model_validate({**SESSION, **change})


def test_an_active_profile_is_read() -> None:
    assert ActiveChargingProfile.model_validate(PROFILE).wire() == PROFILE


@pytest.mark.parametrize(
    "body",
    [
        active_profile(),
        active_profile({"start_period": 60, "limit": 1}),
        active_profile({"start_period": 0, "limit": 1}, {"start_period": 0, "limit": 2}),
        active_profile({"start_period": 0, "limit": Decimal("1.25")}),
        active_profile({"start_period": 0, "limit": -1}),
        active_profile({"start_period": Decimal("0.5"), "limit": 1}),
        {"status_code": 1000, "data": PROFILE, "timestamp": "2026-01-15T17:05:00Z"},
    ],
)
def test_an_active_profile_that_breaks_a_rule_is_refused(body: Json) -> None:
    with pytest.raises(ValidationError):
        ActiveChargingProfile.model_validate(body)


def test_an_active_profile_comes_with_accepted_and_only_with_it() -> None:
    assert ActiveProfileResult.model_validate({"result": "ACCEPTED", "profile": PROFILE}).profile is not None
    assert ActiveProfileResult.model_validate({"result": "UNKNOWN"}).profile is None
    for body in ({"result": "ACCEPTED"}, {"result": "REJECTED", "profile": PROFILE}):
        with pytest.raises(ValidationError):
            ActiveProfileResult.model_validate(body)


@pytest.mark.parametrize("body", [{"result": "TIMEOUT"}, {}, {"result": "ACCEPTED", "profile": PROFILE}])
def test_a_result_of_put_and_delete_is_one_of_three_words(body: Json) -> None:
    with pytest.raises(ValidationError):
        ProfileResult.model_validate(body)


@pytest.mark.parametrize("body", [{"result": "ACCEPTED"}, {"result": "ACCEPTED", "timeout": -1}, {"timeout": 30}])
def test_a_response_has_its_result_and_its_timeout(body: Json) -> None:
    with pytest.raises(ValidationError):
        ChargingProfileResponse.model_validate(body)


@pytest.mark.parametrize("body", [{"status_code": 1000}, {"status_code": 200, "timestamp": "2026-01-15T17:05:00Z"}])
def test_an_envelope_has_a_code_of_four_digits_and_a_time(body: Json) -> None:
    with pytest.raises(ValidationError):
        Envelope.model_validate(body)


def test_the_guide_s_profile_is_written_as_in_the_guide() -> None:
    assert guide_profile(START).wire() == {
        "start_date_time": "2023-10-01T12:00:00Z",
        "charging_rate_unit": "W",
        "charging_profile_period": [
            {"start_period": 0, "limit": 22000},
            {"start_period": 1800, "limit": 0},
            {"start_period": 3600, "limit": 10000},
        ],
    }


def test_a_profile_without_a_start_is_relative() -> None:
    assert "start_date_time" not in watt_profile([(0, Decimal(7400))]).wire()
