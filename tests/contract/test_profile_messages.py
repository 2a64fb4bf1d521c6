"""Answers, results and active profiles are those of their fixtures and keep to the OpenAPI document."""

import json

import pytest
from hypothesis import given

from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Answer, Result
from ocpi_bridge.ocpi.charging_profiles import (
    ChargingProfileResponse,
    ResponseType,
    SetProfile,
    active_charging_profile,
    result_body,
)
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest
from ocpi_bridge.ports.json_values import JsonObject
from tests.contract.catalogue import Message, files, fixture
from tests.contract.documented import answer_schema, on_the_wire, problems
from tests.contract.doors import ROUTING, answered
from tests.contract.shapes import same_shape
from tests.properties.strategies import plans

PROFILES = "/ocpi/2.2.1/chargingprofiles/{session_id}"


@pytest.mark.parametrize("name", files(Message.SYNC_ANSWER))
def test_a_synchronous_answer_is_the_envelope_around_result_and_timeout(name: str) -> None:
    wanted = fixture(name)["data"]
    response = ChargingProfileResponse(ResponseType(wanted["result"]), wanted["timeout"])
    status, body, headers = answered(lambda _: response.to_json())
    assert status == 200
    assert body == fixture(name)
    assert problems(answer_schema(PROFILES, "put"), body) == []
    assert {header: headers[header] for header in ROUTING} == {
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "CPO",
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "JED",
    }


def test_every_kind_of_synchronous_answer_has_its_fixture() -> None:
    assert {fixture(name)["data"]["result"] for name in files(Message.SYNC_ANSWER)} == {*ResponseType}


@pytest.mark.parametrize("name", files(Message.REFUSED_BODY))
def test_a_wrong_field_is_http_200_with_2001_and_no_data(name: str) -> None:
    wrong = fixture("constructed/chargingprofiles/put_request_absolute_A.json")
    del wrong["charging_profile"]["charging_rate_unit"]
    status, body, _ = answered(lambda call: SetProfile.parse(call.request).response_url, body=json.dumps(wrong))
    assert status == 200
    same_shape(body, fixture(name))
    assert body["status_code"] == fixture(name)["status_code"] == 2001
    assert body["status_message"].startswith(fixture(name)["status_message"])
    assert problems(answer_schema(PROFILES, "put"), body) == []


def plan_of(active: JsonObject) -> Plan:
    """The plan of an ActiveChargingProfile in a fixture, by the parser of requests."""
    body = json.dumps({"charging_profile": active["charging_profile"], "response_url": "https://x"})
    return SetProfile.parse(OcpiRequest("PUT", {}, (), {}, MessageIds("r", "c"), body.encode())).plan


@pytest.mark.parametrize("name", files(Message.RESULT))
def test_a_result_is_the_bare_object_with_a_profile_where_one_was_read(name: str) -> None:
    sample = fixture(name)
    profile = plan_of(sample["profile"]) if "profile" in sample else None
    ours = on_the_wire(result_body(Answer(Result(sample["result"]), "why", profile)))
    assert ours == sample
    assert problems("ActiveChargingProfileResult" if "active" in name else "ProfileResult", ours) == []


def test_every_result_of_every_kind_has_its_fixture() -> None:
    stems = {name.rpartition("async_")[2].removesuffix(".json") for name in files(Message.RESULT)}
    kinds = ("charging_profile", "clear_profile", "active_charging_profile")
    assert stems == {f"{kind}_result_{result.value.lower()}" for kind in kinds for result in Result}


@pytest.mark.parametrize("name", files(Message.ACTIVE_PROFILE))
def test_an_active_profile_is_the_bare_object(name: str) -> None:
    ours = on_the_wire(active_charging_profile(plan_of(fixture(name))))
    assert ours == fixture(name)
    assert problems("ActiveChargingProfile", ours) == []


@given(plan=plans(absolute=True))
def test_whatever_a_charge_point_follows_its_profile_keeps_to_the_document(plan: Plan) -> None:
    ours = on_the_wire(active_charging_profile(plan))
    assert problems("ActiveChargingProfile", ours) == []
    assert ours["start_date_time"] == ours["charging_profile"]["start_date_time"]
