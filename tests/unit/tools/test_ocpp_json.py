"""OCPP-J frames and the official schemas."""

from decimal import Decimal
from typing import Any

import pytest

from tools.counterparts.ocpp_json import (
    Call,
    CallError,
    CallResult,
    Frame,
    FrameError,
    OcppVersion,
    PayloadError,
    check_request,
    check_response,
    knows_action,
    read_frame,
    write_frame,
)

Json = dict[str, Any]


def set_charging_profile(limit: object) -> Json:
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": "2026-01-15T17:05:00Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            },
        },
    }


@pytest.mark.parametrize(
    "frame",
    [
        Call("1", "Heartbeat", {}),
        CallResult("1", {"status": "Accepted"}),
        CallError("1", "NotSupported", "no", {"hint": "none"}),
    ],
)
def test_a_frame_is_read_as_it_was_written(frame: Frame) -> None:
    assert read_frame(write_frame(frame)) == frame


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '[2,"1","Heartbeat"]', '[2,1,"Heartbeat",{}]', '[3,"1",[]]', '[5,"1",{}]']
)
def test_what_is_no_frame_is_refused(text: str) -> None:
    with pytest.raises(FrameError):
        read_frame(text)


@pytest.mark.parametrize("limit", [21.4, Decimal("21.4"), 16, 0])
def test_a_limit_with_one_decimal_is_valid(limit: object) -> None:
    check_request(OcppVersion.V16, "SetChargingProfile", set_charging_profile(limit))


@pytest.mark.parametrize("limit", [4.11, Decimal("0.05"), "16"])
def test_a_limit_with_more_decimals_or_as_text_is_invalid(limit: object) -> None:
    with pytest.raises(PayloadError, match="chargingSchedulePeriod/0/limit"):
        check_request(OcppVersion.V16, "SetChargingProfile", set_charging_profile(limit))


@pytest.mark.parametrize("start", ["2026-01-15T17:05:00", "yesterday", "2026-13-01T00:00:00Z"])
def test_a_time_without_a_zone_or_sense_is_invalid(start: str) -> None:
    payload = set_charging_profile(16)
    payload["csChargingProfiles"]["chargingSchedule"]["startSchedule"] = start

    with pytest.raises(PayloadError, match="startSchedule"):
        check_request(OcppVersion.V16, "SetChargingProfile", payload)


def test_a_status_that_ocpp_does_not_have_is_invalid() -> None:
    with pytest.raises(PayloadError, match="/status"):
        check_response(OcppVersion.V16, "SetChargingProfile", {"status": "NotImplemented"})


def test_versions_have_their_own_schemas() -> None:
    check_request(OcppVersion.V201, "ClearChargingProfile", {"chargingProfileId": 7})
    with pytest.raises(PayloadError):
        check_request(OcppVersion.V16, "ClearChargingProfile", {"chargingProfileId": 7})


def test_actions_are_known_by_version() -> None:
    assert knows_action(OcppVersion.V16, "StartTransaction")
    assert not knows_action(OcppVersion.V201, "StartTransaction")
    assert not knows_action(OcppVersion.V16, "../v16/Heartbeat")
