"""eMabler: what it is sent, by its public documentation."""

import pytest

from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import OcppVersion
from ocpi_bridge.ports.charge_points import Done
from tests.support.fake_http import reply
from tests.support.preset_calls import call, csms_of, refusal

CSMS = csms_of("emabler", resource="chargers", action="charging-profile")


@pytest.mark.parametrize(
    ("version", "transaction", "socket"),
    [
        (OcppVersion.V16, {"transactionId": 778}, 2),
        (OcppVersion.V201, {"evseTransactionId": "778"}, 3),
    ],
)
def test_a_profile_goes_out_flat(version: OcppVersion, transaction: dict[str, object], socket: int) -> None:
    accepted = reply(200, {"chargerId": "CP-001", "socketId": socket, "status": "Accepted"})
    called = call(CSMS, RequestKind.SET, version, accepted)
    assert (called.method, called.path) == ("POST", "/chargers/CP-001/charging-profile")
    assert called.body == {
        "socketId": socket,
        **transaction,
        "chargingProfileId": 1042,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "startSchedule": "2026-01-15T17:00:00Z",
        "duration": 3600,
        "chargingRateUnit": "W",
        "schedule": [
            {"startPeriod": 0, "limit": 11000, "numberPhases": 3},
            {"startPeriod": 900, "limit": 4100.5, "numberPhases": 3},
        ],
    }
    assert called.outcome == Done("Accepted")


@pytest.mark.parametrize("kind", [RequestKind.CLEAR, RequestKind.GET, RequestKind.LEARN])
def test_what_is_not_documented_is_not_offered(kind: RequestKind) -> None:
    assert refusal(CSMS, kind) == f"preset: emabler does not offer {kind} for OCPP 1.6"


def test_the_path_which_its_pages_do_not_show_must_be_given() -> None:
    assert refusal(csms_of("emabler", resource="chargers"), RequestKind.SET).startswith("parameters.action: is missing")
