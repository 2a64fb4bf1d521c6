"""Both sides of the event door, written apart, agree: what the CSMS signs and says is what the bridge reads."""

from datetime import UTC, datetime
from decimal import Decimal

from ocpi_bridge.adapters.csms.events import parse_events
from ocpi_bridge.adapters.csms.signing import verify_event_signature
from ocpi_bridge.domain.events import StationEvent
from tools.charge_point.meter import MeterSample, meter_value
from tools.counterparts.json_types import JsonObject, write_json
from tools.counterparts.ocpp_json import Call
from tools.demo_csms import Token, signature
from tools.demo_csms.canonical_events import EventTranslator
from tools.demo_csms.transactions import Books

AT = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)
TIMESTAMP = "2026-01-15T17:05:00Z"


def session_events() -> list[JsonObject]:
    books = Books({"TAG": Token(contract_id="NL-MSP-1")}, heartbeat_seconds=300, first_transaction_id=4711)
    translator = EventTranslator("acme", books)
    sample = MeterSample(energy_wh=Decimal(1200), power_w=Decimal(7360), phases=1, offered_a=Decimal(32), soc=55)
    calls: list[tuple[str, JsonObject]] = [
        ("StartTransaction", {"connectorId": 2, "idTag": "TAG", "meterStart": 100, "timestamp": TIMESTAMP}),
        (
            "StatusNotification",
            {"connectorId": 2, "errorCode": "NoError", "status": "Charging", "timestamp": TIMESTAMP},
        ),
        ("MeterValues", {"connectorId": 2, "transactionId": 4711, "meterValue": [meter_value(sample, AT)]}),
        ("StopTransaction", {"transactionId": 4711, "meterStop": 1300, "timestamp": TIMESTAMP}),
    ]
    events = [translator.station_online("CP-1")]
    for action, payload in calls:
        call = Call("1", action, payload)
        event = translator.from_call("CP-1", call, books.answer("CP-1", call) or {})
        events += [event] if event is not None else []
    return [*events, translator.station_offline("CP-1")]


def test_the_bridge_reads_every_event_as_it_was_meant() -> None:
    posted = parse_events("acme", write_json({"events": session_events()}).encode())
    read = [one for one in posted if isinstance(one, StationEvent)]

    assert [event.type.value for event in read] == [
        "station.online",
        "transaction.started",
        "transaction.updated",
        "transaction.updated",
        "transaction.ended",
        "station.offline",
    ]
    started, charging, metered, ended = read[1:5]
    assert {event.transaction_id for event in (started, charging, metered, ended)} == {"4711"}
    assert {event.connector_id for event in (started, charging, metered, ended)} == {2}
    assert started.id_token is not None
    assert (started.id_token.uid, started.id_token.contract_id) == ("TAG", "NL-MSP-1")
    assert charging.charging_state is not None
    assert metered.reading.meter_wh == 1200
    assert metered.reading.current_a == (Decimal(32), Decimal(0), Decimal(0))
    assert ended.reading.meter_wh == 1300


def test_the_bridge_accepts_the_signature() -> None:
    body = write_json({"events": session_events()}).encode()

    header = signature("event-key", int(AT.timestamp()), body)

    assert verify_event_signature(header, body, "event-key", AT) in header
