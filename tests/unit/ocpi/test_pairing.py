"""Pairing on the wire: the bodies that Jedlix publishes."""

from dataclasses import replace

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.stations import CHARGING_PROFILE_CAPABLE, Connector, Evse, PowerType
from ocpi_bridge.ocpi.pairing import MAX_CODE_LENGTH, evse_fields, parse_code
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, TransportError
from tests.support.fixtures import OCPI, ocpi_fixture

GUIDE = Evse(
    uid="3256",
    connectors=tuple(Connector(name, int(name), PowerType.AC_3_PHASE, 220, 16) for name in ("1", "2")),
    evse_id="BE*BEC*E041503001",
)


def request(body: bytes) -> OcpiRequest:
    return OcpiRequest("POST", {}, (), {}, MessageIds("r", "c"), body)


def test_the_evse_is_told_as_the_guide_has_it() -> None:
    assert {"evse": evse_fields(GUIDE)} == ocpi_fixture("jedlix/pair_response_cpo_to_jedlix_200")


def test_what_is_not_known_of_an_evse_is_left_out_and_what_is_known_is_told() -> None:
    connector = replace(GUIDE.connectors[0], max_electric_power=7400)
    capabilities = frozenset({"RFID_READER", CHARGING_PROFILE_CAPABLE})
    fields = evse_fields(Evse("3256", (connector,), capabilities=capabilities))
    assert fields == {
        "uid": "3256",
        "capabilities": ["CHARGING_PROFILE_CAPABLE", "RFID_READER"],
        "connectors": [
            {
                "id": "1",
                "power_type": "AC_3_PHASE",
                "max_voltage": 220,
                "max_amperage": 16,
                "max_electric_power": 7400,
            }
        ],
    }


def test_the_code_of_the_guide_is_read() -> None:
    body = (OCPI / "jedlix/pair_request_jedlix_to_cpo.json").read_bytes()
    assert parse_code(request(body)) == "362821"


def test_unknown_fields_are_passed_over() -> None:
    assert parse_code(request(b'{"code": "362821", "driver": {"name": "x"}}')) == "362821"


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"code": null}',
        b'{"code": 362821}',
        b'{"code": ""}',
        b'{"code": ["1"]}',
        b"[]",
        b'"362821"',
        b'{"code": "' + b"1" * (MAX_CODE_LENGTH + 1) + b'"}',
    ],
)
def test_a_body_without_a_code_is_refused_and_not_repeated(body: bytes) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_code(request(body))
    assert error.value.field in {"code", "body"}
    assert "362821" not in str(error.value)
    assert error.value.__context__ is None


@pytest.mark.parametrize("body", [b"", b"{", b"code=362821", b"\xff"])
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(TransportError) as error:
        parse_code(request(body))
    assert error.value.http_status == 400
