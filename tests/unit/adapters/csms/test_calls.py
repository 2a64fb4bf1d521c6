"""What goes out by a description that no preset has: every style of it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from ocpi_bridge.adapters.csms.calls import OutgoingCall, outgoing_call
from ocpi_bridge.domain.csms_api import Body, CsmsApi, Operation, Reading, Spelling
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import CsmsMode, OcppVersion
from ocpi_bridge.ports.charge_points import ChargerCommand
from ocpi_bridge.ports.json_values import JsonObject
from tests.support.preset_calls import a_command, csms_of

GET = RequestKind.GET
PAYLOAD: JsonObject = {"evseId": 3, "chargingProfile": {"id": 1042, "chargingSchedule": [{"id": 1, "duration": 60}]}}


def made(
    operation: Operation,
    payload: JsonObject = PAYLOAD,
    command: ChargerCommand | None = None,
    mode: CsmsMode = CsmsMode.SYNCHRONOUS,
    **parameters: str,
) -> OutgoingCall:
    api = CsmsApi(name="own", operations=(operation,), synchronous=Reading(), parameters={"account": "main"})
    return outgoing_call(api, csms_of("custom", mode, **parameters), command or a_command(operation.kind), payload)


def body_of(body: Body, payload: JsonObject = PAYLOAD, version: OcppVersion = OcppVersion.V16) -> object:
    call = made(Operation(GET, "/", body=body), payload, a_command(GET, version))
    assert call.body is not None
    return json.loads(call.body)


def query_of(query: Mapping[str, str], command: ChargerCommand | None = None) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(made(Operation(GET, "/", query=query), command=command).url).query))


# --- Bodies ----------------------------------------------------------------------------------------------------------


def test_by_itself_the_body_is_the_payload() -> None:
    assert body_of(Body()) == PAYLOAD


def test_names_are_respelled_at_every_depth_and_values_are_not() -> None:
    payload: JsonObject = {"evseId": 3, "chargingProfile": {"stackLevel": 1, "listOf": [{"startPeriod": 0}, "aB"]}}
    assert body_of(Body(spelling=Spelling.SNAKE_CASE), payload) == {
        "evse_id": 3,
        "charging_profile": {"stack_level": 1, "list_of": [{"start_period": 0}, "aB"]},
    }


def test_a_renamed_name_is_final() -> None:
    body = Body(spelling=Spelling.SNAKE_CASE, rename={"evseId": "socketId", "chargingSchedule": "Schedule"})
    assert body_of(body) == {
        "socketId": 3,
        "charging_profile": {"id": 1042, "Schedule": [{"id": 1, "duration": 60}]},
    }


def test_flat_means_that_fields_move_up_and_none_replaces_one_that_is_there() -> None:
    assert body_of(Body(flatten=("chargingProfile", "chargingSchedule"))) == {"evseId": 3, "id": 1042, "duration": 60}


@pytest.mark.parametrize("value", [[{"a": 1}, {"a": 2}], [], "text", 5])
def test_what_is_no_object_stays_where_it_is(value: object) -> None:
    payload = {"chargingSchedule": value}
    assert body_of(Body(flatten=("chargingSchedule", "absent")), payload) == payload  # type: ignore[arg-type]


def test_left_out_names_are_left_out_at_every_depth() -> None:
    assert body_of(Body(omit=("id",))) == {"evseId": 3, "chargingProfile": {"chargingSchedule": [{"duration": 60}]}}


def test_fields_are_added_beside_the_payload_wherever_that_stands() -> None:
    body = Body(
        payload_at=("command", "payload"),
        add={"station": "{station_id}", "sessionId": "{session_id}", "who": "{account}/{connector_id}"},
    )
    assert body_of(body) == {
        "command": {"payload": PAYLOAD},
        "station": "CP-001",
        "sessionId": "SESSION-1",
        "who": "main/2",
    }


def test_a_placeholder_alone_keeps_its_type_unless_text_is_asked_for() -> None:
    body = Body(omit=("evseId", "chargingProfile"), add={"number": "{connector_id}", "text": "{connector_id!s}"})
    assert body_of(body) == {"number": 2, "text": "2"}


def test_a_field_for_which_the_command_has_nothing_is_left_out() -> None:
    body = Body(omit=("evseId", "chargingProfile"), add={"evse": "{evse_id}", "connector": "{connector_id}"})
    assert body_of(body, version=OcppVersion.V16) == {"connector": 2}
    assert body_of(body, version=OcppVersion.V201) == {"evse": 3, "connector": 2}


def test_a_get_of_http_has_no_body() -> None:
    call = made(Operation(GET, "/connectors/{connector_id}/composite", method="GET"))
    assert (call.method, call.body) == ("GET", None)


# --- URLs ------------------------------------------------------------------------------------------------------------


def test_a_query_carries_what_the_command_has() -> None:
    asked = {"duration": "{duration}", "unit": "{unit}", "evse": "{evse_id}"}
    assert query_of(asked) == {"duration": "900", "unit": "W"}
    assert query_of(asked, replace(a_command(GET), unit=None)) == {"duration": "900"}


@pytest.mark.parametrize(("mode", "given"), [(CsmsMode.CALLBACK, True), (CsmsMode.SYNCHRONOUS, False)])
def test_the_callback_url_is_for_those_who_answer_later(mode: CsmsMode, given: bool) -> None:
    operation = Operation(GET, "/", query={"callback": "{callback_url}"}, body=Body(add={"url": "{callback_url}"}))
    call = made(operation, mode=mode)
    assert ("signature" in call.url) is given
    assert call.body is not None
    assert (b"signature" in call.body) is given
    assert "signature" not in repr(call)


def test_a_path_without_its_value_is_no_call() -> None:
    with pytest.raises(InvalidInput) as raised:
        made(Operation(GET, "/{evse_id}"))
    assert raised.value.field == "evse_id"


@pytest.mark.parametrize("station", ["..", "."])
def test_an_id_cannot_lead_out_of_its_place(station: str) -> None:
    command = a_command(GET)
    outlet = replace(command.outlet, station=replace(command.outlet.station, station_id=station))
    with pytest.raises(InvalidInput):
        made(Operation(GET, "/stations/{station_id}/schedule"), command=replace(command, outlet=outlet))


def test_an_id_cannot_add_a_part_to_the_path() -> None:
    url = made(Operation(GET, "/accounts/{account}/x"), account="../a?b#c").url
    assert urlsplit(url).path == "/accounts/..%2Fa%3Fb%23c/x"
