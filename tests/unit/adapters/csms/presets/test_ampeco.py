"""AMPECO: what it is sent, by its public API description."""

import pytest

from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import OcppVersion
from ocpi_bridge.ports.charge_points import Done
from tests.support.fake_http import reply
from tests.support.preset_calls import call, csms_of, refusal

CSMS = csms_of("ampeco")


def test_a_profile_is_the_body_and_ampeco_gives_it_its_own_id() -> None:
    called = call(CSMS, RequestKind.SET, answer=reply(202, {"data": {"id": 5}}))
    assert (called.method, called.path) == (
        "POST",
        "/public-api/actions/charge-point/v1.0/CP-001/set-charging-profile/2",
    )
    assert called.body == {
        "transactionId": 778,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": {
            "startSchedule": "2026-01-15T17:00:00Z",
            "duration": 3600,
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 11000, "numberPhases": 3},
                {"startPeriod": 900, "limit": 4100.5, "numberPhases": 3},
            ],
        },
    }
    assert called.outcome == Done("Accepted")


def test_a_clear_is_for_our_stack_level_of_the_connector_and_never_for_more() -> None:
    called = call(CSMS, RequestKind.CLEAR, answer=reply(202))
    assert called.path == "/public-api/actions/charge-point/v1.0/CP-001/clear-charging-profile"
    assert called.body == {"evseNetworkId": "2", "chargingProfilePurpose": "TxProfile", "stackLevel": 1}
    assert called.outcome == Done("Accepted")


def test_a_charge_point_that_rejects_is_told_by_the_http_status() -> None:
    assert call(CSMS, RequestKind.SET, answer=reply(406)).outcome == Done("Rejected")


@pytest.mark.parametrize("kind", [RequestKind.GET, RequestKind.LEARN])
def test_what_is_not_documented_is_not_offered(kind: RequestKind) -> None:
    assert refusal(CSMS, kind) == f"preset: ampeco does not offer {kind} for OCPP 1.6"


def test_it_is_documented_for_ocpp_16_only() -> None:
    assert "2.0.1" in refusal(CSMS, RequestKind.SET, OcppVersion.V201)
