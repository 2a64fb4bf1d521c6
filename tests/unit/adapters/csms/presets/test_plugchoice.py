"""Plugchoice: what it is sent, by its public documentation."""

import pytest

from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import OcppVersion
from ocpi_bridge.ports.charge_points import Done, Failed
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.fake_http import reply
from tests.support.preset_calls import call, csms_of, refusal

CSMS = csms_of("plugchoice")


def test_a_profile_goes_out_in_snake_case() -> None:
    called = call(CSMS, RequestKind.SET)
    assert (called.method, called.path) == ("POST", "/v3/chargers/CP-001/actions/charging-profile")
    assert called.body == {
        "connector_id": 2,
        "charging_profile": {
            "charging_profile_id": 1042,
            "transaction_id": 778,
            "stack_level": 1,
            "charging_profile_purpose": "TxProfile",
            "charging_profile_kind": "Absolute",
            "charging_schedule": {
                "start_schedule": "2026-01-15T17:00:00Z",
                "duration": 3600,
                "charging_rate_unit": "W",
                "charging_schedule_period": [
                    {"start_period": 0, "limit": 11000, "number_phases": 3},
                    {"start_period": 900, "limit": 4100.5, "number_phases": 3},
                ],
            },
        },
    }
    assert called.outcome == Done("Accepted")


def test_a_clear_names_the_profile() -> None:
    called = call(CSMS, RequestKind.CLEAR, answer=reply(200, {"status": "Unknown"}))
    assert (called.path, called.body) == ("/v3/chargers/CP-001/actions/clear-charging-profile", {"id": 1042})
    assert called.outcome == Done("Unknown")


def test_a_composite_schedule_is_asked_for_in_snake_case_and_answered_as_ocpp_has_it() -> None:
    composite: JsonValue = {
        "status": "Accepted",
        "connectorId": 2,
        "scheduleStart": "2026-01-15T17:00:00Z",
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000, "numberPhases": 3}],
        },
    }
    called = call(CSMS, RequestKind.GET, answer=reply(200, composite))
    assert called.path == "/v3/chargers/CP-001/actions/composite-schedule"
    assert called.body == {"connector_id": 2, "duration": 900, "charging_rate_unit": "W"}
    assert isinstance(called.outcome, Done)
    assert called.outcome.schedule is not None


def test_too_many_calls_are_told_with_the_time_to_wait() -> None:
    busy = reply(429, {"message": "Too Many Attempts."}, {"retry-after": "7"})
    outcome = call(CSMS, RequestKind.SET, answer=busy).outcome
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable, outcome.retry_after) == (True, True, 7)


@pytest.mark.parametrize("kind", [RequestKind.SET, RequestKind.CLEAR, RequestKind.GET])
def test_it_is_documented_for_ocpp_16_only(kind: RequestKind) -> None:
    assert "2.0.1" in refusal(CSMS, kind, OcppVersion.V201)
