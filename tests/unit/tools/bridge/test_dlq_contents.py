"""What is shown of what a CSMS sent: nothing that might be a person's, whatever the CSMS made of its contract."""

import json

import pytest

from tools.bridge.dlq_contents import MASK, masked, told

UID, CONTRACT = "04AABBCCDDEE", "NL-ABC-C00000001-1"
TOKEN = {"uid": UID, "type": "RFID", "contract_id": CONTRACT}
# CitrineOS posts frames as text.
START = json.dumps([2, "m1", "StartTransaction", {"connectorId": 1, "idTag": UID, "meterStart": 5}])
START_201 = [2, "m1", "TransactionEvent", {"eventType": "Started", "idToken": {"idToken": UID, "type": "ISO14443"}}]


@pytest.mark.parametrize(
    "body",
    [
        {"events": [{"id": "1", "type": "transaction.started", "data": {"id_token": TOKEN}}]},
        {"events": [{"id": "1", "data": {"id_token": UID}}]},
        {"events": [{"id": "1", "id_token": {"id": UID, "type": UID}}]},
        {"events": [UID, {"driver": {"id": UID}}, [UID]]},
        {"events": {"uid": UID}},
        {"detail-type": "csms.events", "detail": {"csms_id": "acme", "events": [{"data": {"idToken": UID}}]}},
        {"stationId": "CP-1", "event": "message", "origin": "cs", "message": START},
        [{"stationId": "CP-1", "message": START_201}, {"message": {"idTag": UID}}, {"message": UID}],
        {"message": json.dumps([3, "m1", {"idTagInfo": {"status": "Accepted", "parentIdTag": UID}}])},
        {"message": json.dumps([2, "m1", "Authorize", UID, [UID]])},
        {"id": "S1", "cdr_token": TOKEN, "status": "ACTIVE"},
        {"id": ["S1", {"uid": UID}, [UID]]},
        UID,
        [UID],
        5_000_000_001,
    ],
)
def test_no_token_is_shown_wherever_it_stands(body: object) -> None:
    shown = json.dumps(masked(json.dumps(body)))
    assert UID not in shown
    assert CONTRACT not in shown
    assert "5000000001" not in shown


@pytest.mark.parametrize("text", [f"uid={UID}", "{", f'{{"events": "{UID}'])
def test_what_is_no_json_is_told_by_its_length_only(text: str) -> None:
    assert masked(text) == f"*** (no JSON, {len(text)} characters)"


def test_what_helps_to_find_the_fault_is_shown() -> None:
    event = {
        "id": "1",
        "type": "transaction.updated",
        "time": "2026-01-15T17:00:00Z",
        "station_id": "CP-001",
        "connector_id": 1,
        "transaction_id": "778",
        "data": {"meter_wh": 5, "current_a": [1, 2, 3], "id_token": TOKEN, "odd": 1},
    }
    shown = {**event, "data": {"meter_wh": 5, "current_a": [1, 2, 3], "id_token": MASK, "odd": MASK}}
    assert masked(json.dumps({"events": [event]})) == {"events": [shown]}


def test_a_frame_is_shown_with_its_action_and_what_holds_no_person() -> None:
    shown = masked(json.dumps({"stationId": "CP-1", "event": "message", "message": START}))
    frame = [2, "m1", "StartTransaction", {"connectorId": 1, "idTag": MASK, "meterStart": 5}]
    assert shown == {"stationId": "CP-1", "event": "message", "message": frame}


def test_what_a_body_tells_is_found_wherever_it_stands_and_once() -> None:
    body = masked(json.dumps({"events": [{"station_id": "A"}, {"station_id": "B"}, {"stationId": "A"}, {"x": "C"}]}))
    assert told(body, "station_id") == ("A", "B")
