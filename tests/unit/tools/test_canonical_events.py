"""From OCPP 1.6 calls to the events that the bridge takes."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.counterparts.json_types import as_object
from tools.counterparts.ocpp_json import Call
from tools.demo_csms.canonical_events import EventTranslator
from tools.demo_csms.transactions import Books, Token

Json = dict[str, Any]
# The event that a call leads to; an empty object for a call that says nothing.
Send = Callable[[str, Json], Json]

STATION = "CP-001"
AT = "2026-01-15T17:05:00Z"


@pytest.fixture
def books() -> Books:
    return Books(
        {"KNOWN": Token(contract_id="NL-MSP-1", type="APP_USER"), "STOLEN": Token(blocked=True)},
        heartbeat_seconds=300,
        first_transaction_id=4711,
    )


@pytest.fixture
def send(books: Books) -> Send:
    translator = EventTranslator("acme", books, new_id=lambda: "id-1")

    def send(action: str, payload: Json) -> Json:
        call = Call("1", action, payload)
        answer = books.answer(STATION, call)
        assert answer is not None
        return translator.from_call(STATION, call, answer) or {}

    return send


def start(send: Send, id_tag: str = "KNOWN", connector_id: int = 1) -> Json:
    return send("StartTransaction", {"connectorId": connector_id, "idTag": id_tag, "meterStart": 100, "timestamp": AT})


def status(send: Send, name: str, connector_id: int = 1) -> Json:
    payload = {"connectorId": connector_id, "errorCode": "NoError", "status": name, "timestamp": AT}
    return send("StatusNotification", payload)


def test_a_started_transaction_tells_who_and_where(send: Send) -> None:
    status(send, "Preparing")

    assert start(send) == {
        "id": "id-1",
        "type": "transaction.started",
        "time": AT,
        "csms": "acme",
        "station_id": STATION,
        "connector_id": 1,
        "evse_id": 1,
        "transaction_id": "4711",
        "data": {
            "id_token": {"uid": "KNOWN", "type": "APP_USER", "contract_id": "NL-MSP-1"},
            "auth_method": "WHITELIST",
            "meter_wh": 100,
            "charging_state": "EVConnected",
        },
    }


def test_a_transaction_that_the_csms_started_was_a_command(send: Send, books: Books) -> None:
    books.expect_remote_start(STATION, "SOMEBODY")

    assert start(send, "SOMEBODY")["data"]["auth_method"] == "COMMAND"
    assert start(send, "SOMEBODY", connector_id=2)["data"]["auth_method"] == "WHITELIST"


def test_a_refused_token_starts_nothing(send: Send, books: Books) -> None:
    assert start(send, "STOLEN") == {}
    assert books.active(STATION) == []


def test_meter_values_update_the_running_transaction(send: Send) -> None:
    start(send)
    status(send, "Charging")

    event = send(
        "MeterValues",
        {
            "connectorId": 1,
            "transactionId": 4711,
            "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "1234"}]}],
        },
    )

    assert event["type"] == "transaction.updated"
    assert event["data"] == {"meter_wh": 1234, "charging_state": "Charging"}


def test_meter_values_without_a_transaction_say_nothing(send: Send) -> None:
    payload = {"connectorId": 1, "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "1"}]}]}

    assert send("MeterValues", payload) == {}


@pytest.mark.parametrize(
    ("notified", "state"),
    [
        ("Charging", "Charging"),
        ("SuspendedEV", "SuspendedEV"),
        ("SuspendedEVSE", "SuspendedEVSE"),
        ("Finishing", "EVConnected"),
    ],
)
def test_a_status_of_a_busy_connector_is_a_charging_state(send: Send, notified: str, state: str) -> None:
    start(send)

    assert status(send, notified)["data"] == {"charging_state": state}


def test_a_status_of_an_idle_connector_says_nothing_about_a_session(send: Send) -> None:
    start(send, connector_id=1)

    assert status(send, "Preparing", connector_id=2) == {}
    assert status(send, "Faulted", connector_id=1) == {}


def test_an_ended_transaction_has_its_last_register_and_reason(send: Send, books: Books) -> None:
    start(send)

    event = send("StopTransaction", {"transactionId": 4711, "meterStop": 900, "timestamp": AT, "reason": "Remote"})

    assert event["type"] == "transaction.ended"
    assert (event["data"]["meter_wh"], event["data"]["stop_reason"]) == (900, "Remote")
    assert books.active(STATION) == []


def test_a_stop_without_a_reason_was_local(send: Send) -> None:
    start(send)

    event = send("StopTransaction", {"transactionId": 4711, "meterStop": 900, "timestamp": AT})

    assert event["data"]["stop_reason"] == "Local"


def test_the_end_of_an_unknown_transaction_is_answered_but_not_reported(send: Send) -> None:
    assert send("StopTransaction", {"transactionId": 1, "meterStop": 0, "timestamp": AT}) == {}


def test_a_boot_is_an_event_of_the_station(send: Send) -> None:
    event = send("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})

    assert event["type"] == "station.booted"
    assert "connector_id" not in event


def test_a_heartbeat_is_no_event(send: Send) -> None:
    assert send("Heartbeat", {}) == {}


def test_a_limit_of_the_whole_station_names_no_connector(books: Books) -> None:
    translator = EventTranslator("acme", books, new_id=lambda: "id-1")

    event = translator.limit_changed(STATION, 0, {"chargingRateUnit": "W", "chargingSchedulePeriod": []})

    assert "connector_id" not in event
    assert as_object(as_object(event["data"])["limit"])["source"] == "CSO"


def test_a_limit_of_a_busy_connector_names_its_transaction(send: Send, books: Books) -> None:
    start(send)
    translator = EventTranslator("acme", books, new_id=lambda: "id-1")

    event = translator.limit_changed(STATION, 1, None)

    assert event["transaction_id"] == "4711"
    assert event["data"] == {"limit": {"source": "CSO"}}
