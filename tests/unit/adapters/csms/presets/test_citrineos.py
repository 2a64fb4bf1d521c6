"""CitrineOS: what it is sent, by its OpenAPI description and as it was tried."""

import pytest

from ocpi_bridge.adapters.csms.presets import preset
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import CsmsMode, OcppVersion
from ocpi_bridge.ports.charge_points import Pending
from tests.support.fake_http import reply
from tests.support.preset_calls import call, csms_of

LATER = csms_of("citrineos", CsmsMode.CALLBACK)


def test_it_was_tried_against_the_csms_itself() -> None:
    citrineos = preset("citrineos")
    assert citrineos is not None
    assert citrineos.verified


@pytest.mark.parametrize(
    ("version", "path", "asked"),
    [
        (OcppVersion.V16, "/ocpp/1.6/configuration/getConfiguration", "key"),
        (OcppVersion.V201, "/ocpp/2.0.1/monitoring/getVariables", "getVariableData"),
    ],
)
def test_a_station_is_asked_what_it_can_take(version: OcppVersion, path: str, asked: str) -> None:
    called = call(LATER, RequestKind.LEARN, version, reply(200, [{"success": True}]))
    assert called.outcome == Pending()
    assert (called.method, called.path) == ("POST", path)
    assert called.body[asked]


def test_the_ocpp_payload_goes_out_as_it_is() -> None:
    called = call(LATER, RequestKind.CLEAR, answer=reply(200, [{"success": True}]))
    assert called.body == {"id": 1042}
