"""Pairing and the CSMS's side, beside OCPI: plain JSON as documented."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.pairing import CodeUnknown
from ocpi_bridge.domain.stations import CHARGING_PROFILE_CAPABLE, Connector, Evse, PowerType
from ocpi_bridge.ocpi.pairing import evse_fields
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime.csms_door import Refused, csms_endpoint
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.ocpi_door import PartnerCall
from ocpi_bridge.runtime.pairing_door import pairing_endpoint
from tests.contract.catalogue import Message, files, fixture
from tests.contract.documented import answer_schema, on_the_wire, problems
from tests.contract.doors import OnePartner
from tests.contract.shapes import same_shape
from tests.support.lambda_events import proxy_event


def evse_of(sample: Mapping[str, Any]) -> Evse:
    connectors = tuple(
        Connector(one["id"], number, PowerType(one["power_type"]), one["max_voltage"], one["max_amperage"])
        for number, one in enumerate(sample["connectors"], 1)
    )
    return Evse(
        sample["uid"], connectors, capabilities=frozenset({CHARGING_PROFILE_CAPABLE}), evse_id=sample["evse_id"]
    )


@pytest.mark.parametrize("name", files(Message.PAIR_CALL, Message.PAIR_ANSWER))
def test_an_evse_is_described_as_the_guide_does(name: str) -> None:
    sample = fixture(name)
    ours = on_the_wire({**sample, "evse": evse_fields(evse_of(sample["evse"]))})
    assert ours == sample
    assert problems("PairCall" if "code" in sample else "PairAnswer", ours) == []


@pytest.mark.parametrize("name", files(Message.PAIR_REFUSAL))
def test_a_wrong_code_is_http_404_with_a_message(name: str) -> None:
    def endpoint(_: PartnerCall) -> JsonObject:
        raise CodeUnknown

    event = proxy_event("POST", "/v1/cpo/ocpi2.2/pair", headers={"Authorization": "Token dA=="}, body="{}")
    answer: Any = pairing_endpoint(OnePartner())(endpoint)(event, None)
    assert answer["statusCode"] == 404
    same_shape(json.loads(answer["body"]), fixture(name))
    assert problems(answer_schema("/v1/cpo/ocpi2.2/pair", "post", 404), json.loads(answer["body"])) == []


# --- The CSMS's side ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [(InvalidInput("events.0.time", "is missing"), 400), (Refused(401, "unknown"), 401), (Refused(409, "used"), 409)],
    ids=["400", "401", "409"],
)
def test_a_csms_is_told_in_plain_json_what_is_wrong(error: Exception, status: int) -> None:
    def endpoint(_: HttpRequest) -> tuple[int, JsonObject]:
        raise error

    answer: Any = csms_endpoint(endpoint)(proxy_event("POST", "/csms/v1/events", body="{}"), None)
    assert answer["statusCode"] == status
    assert problems(answer_schema("/csms/v1/events", "post", status), json.loads(answer["body"])) == []


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/csms/v1/events", 202, {"accepted": 3}),
        ("/csms/v1/callback/{command_id}/{signature}", 200, {"recorded": False}),
    ],
)
def test_a_csms_is_told_what_was_taken(path: str, status: int, body: JsonObject) -> None:
    answer: Any = csms_endpoint(lambda _: (status, body))(proxy_event("POST", path, body="{}"), None)
    assert (answer["statusCode"], json.loads(answer["body"])) == (status, body)
    assert problems(answer_schema(path, "post", status), json.loads(answer["body"])) == []
