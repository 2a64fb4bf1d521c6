"""Monta: what it is sent, by its public documentation."""

import pytest

from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.ports.charge_points import Done, Failed
from tests.support.fake_http import reply
from tests.support.preset_calls import call, csms_of, refusal

CSMS = csms_of("monta")


def test_a_profile_goes_out_beside_its_connector() -> None:
    called = call(CSMS, RequestKind.SET)
    assert (called.method, called.path) == ("POST", "/charge-points/CP-001/set-charging-profile")
    assert set(called.body) == {"connectorId", "profile"}
    assert called.body["profile"]["chargingProfileId"] == 1042
    assert called.body["profile"]["transactionId"] == 778
    assert called.outcome == Done("Accepted")


def test_a_clear_names_the_profile_its_connector_and_purpose() -> None:
    called = call(CSMS, RequestKind.CLEAR)
    assert called.path == "/charge-points/CP-001/clear-charging-profile"
    assert called.body == {"id": 1042, "connectorId": 2, "chargingProfilePurpose": "TxProfile"}


def test_an_answer_that_does_not_tell_the_status_is_no_success() -> None:
    outcome = call(CSMS, RequestKind.SET, answer=reply(200, {"message": "ok"})).outcome
    assert isinstance(outcome, Failed)
    assert not outcome.nothing_sent


@pytest.mark.parametrize("kind", [RequestKind.GET, RequestKind.LEARN])
def test_what_is_not_documented_is_not_offered(kind: RequestKind) -> None:
    assert refusal(CSMS, kind) == f"preset: monta does not offer {kind} for OCPP 1.6"
