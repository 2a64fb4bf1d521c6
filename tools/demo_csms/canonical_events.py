"""From OCPP 1.6 to the bridge's canonical events: pure translation, one JSON object per thing that happened."""

import uuid
from collections.abc import Callable
from datetime import datetime

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, as_int, as_object, as_text
from tools.counterparts.ocpp_json import Call
from tools.demo_csms.meter_reading import read_meter
from tools.demo_csms.transactions import Books, Token, Transaction, read_time

CHARGING_STATES = {
    "Available": "Idle",
    "Preparing": "EVConnected",
    "Charging": "Charging",
    "SuspendedEV": "SuspendedEV",
    "SuspendedEVSE": "SuspendedEVSE",
    "Finishing": "EVConnected",
}


class EventTranslator:
    """Writes events for one CSMS, with what its books know about transactions and tokens."""

    def __init__(self, csms_id: str, books: Books, *, new_id: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._csms_id = csms_id
        self._books = books
        self._new_id = new_id

    def station_online(self, station_id: str) -> JsonObject:
        """A station has connected."""
        return self._event("station.online", station_id, utc_now())

    def station_offline(self, station_id: str) -> JsonObject:
        """A station has lost its connection."""
        return self._event("station.offline", station_id, utc_now())

    def limit_changed(
        self, station_id: str, connector_id: int, schedule: JsonObject | None, *, source: str = "CSO"
    ) -> JsonObject:
        """The CSMS has set (or, without a schedule, removed) a limit of its own; connector 0 is the whole station."""
        limit: JsonObject = {"source": source} if schedule is None else {"source": source, "schedule": schedule}
        active = self._books.active(station_id, connector_id) if connector_id else []
        return self._event(
            "charging_limit.changed",
            station_id,
            utc_now(),
            connector_id=connector_id or None,
            transaction_id=active[0].transaction_id if active else None,
            data={"limit": limit},
        )

    def said(self, kind: str, station_id: str, connector_id: int, data: JsonObject) -> JsonObject:
        """What the CSMS itself says of a station or, with its number, of one connector."""
        return self._event(kind, station_id, utc_now(), connector_id=connector_id or None, data=data)

    def from_call(self, station_id: str, call: Call, answer: JsonObject) -> JsonObject | None:
        """What a station's call means, once it is answered; None when it says nothing about a session."""
        match call.action:
            case "BootNotification":
                return self._event("station.booted", station_id, utc_now())
            case "StartTransaction":
                return self._started(answer)
            case "StopTransaction":
                return self._ended(call.payload)
            case "MeterValues":
                return self._metered(station_id, call.payload)
            case "StatusNotification":
                return self._status_changed(station_id, call.payload)
        return None

    def _started(self, answer: JsonObject) -> JsonObject | None:
        transaction = self._books.transaction(as_int(answer.get("transactionId")) or 0)
        if transaction is None:
            return None
        data: JsonObject = {
            "id_token": self._id_token(transaction.id_tag),
            "auth_method": "COMMAND" if transaction.started_remotely else "WHITELIST",
            "meter_wh": transaction.meter_start_wh,
        }
        state = CHARGING_STATES.get(self._books.status(transaction.station_id, transaction.connector_id) or "")
        if state is not None:
            data["charging_state"] = state
        return self._of_transaction("transaction.started", transaction, transaction.started_at, data)

    def _ended(self, payload: JsonObject) -> JsonObject | None:
        transaction = self._books.transaction(as_int(payload.get("transactionId")) or 0)
        if transaction is None or transaction.ended_at is None:
            return None
        data: JsonObject = {
            "id_token": self._id_token(transaction.id_tag),
            "meter_wh": transaction.meter_stop_wh,
            "stop_reason": transaction.stop_reason,
        }
        return self._of_transaction("transaction.ended", transaction, transaction.ended_at, data)

    def _metered(self, station_id: str, payload: JsonObject) -> JsonObject | None:
        transaction = self._active(station_id, payload)
        if transaction is None:
            return None
        reading = read_meter(payload)
        data = reading.data()
        state = CHARGING_STATES.get(self._books.status(station_id, transaction.connector_id) or "")
        if state is not None:
            data["charging_state"] = state
        return self._of_transaction("transaction.updated", transaction, reading.at, data)

    def _status_changed(self, station_id: str, payload: JsonObject) -> JsonObject | None:
        transaction = self._active(station_id, payload)
        state = CHARGING_STATES.get(as_text(payload.get("status")) or "")
        if transaction is None or state is None:
            return None
        at = read_time(payload.get("timestamp"))
        return self._of_transaction("transaction.updated", transaction, at, {"charging_state": state})

    def _active(self, station_id: str, payload: JsonObject) -> Transaction | None:
        wanted = as_int(payload.get("transactionId"))
        running = self._books.active(station_id, as_int(payload.get("connectorId")) or 0)
        return next((one for one in running if wanted in {None, one.transaction_id}), None)

    def _id_token(self, id_tag: str) -> JsonObject:
        token = self._books.tokens.get(id_tag, Token())
        known: JsonObject = {"uid": id_tag, "type": token.type}
        return known if token.contract_id is None else {**known, "contract_id": token.contract_id}

    def _of_transaction(self, kind: str, transaction: Transaction, at: datetime, data: JsonObject) -> JsonObject:
        return self._event(
            kind,
            transaction.station_id,
            at,
            connector_id=transaction.connector_id,
            transaction_id=transaction.transaction_id,
            data=data,
        )

    def _event(
        self,
        kind: str,
        station_id: str,
        at: datetime,
        *,
        connector_id: int | None = None,
        transaction_id: int | None = None,
        data: JsonObject | None = None,
    ) -> JsonObject:
        event: JsonObject = {
            "id": self._new_id(),
            "type": kind,
            "time": write_datetime(at),
            "csms": self._csms_id,
            "station_id": station_id,
        }
        if connector_id is not None:
            # OCPP 1.6 knows no EVSE: each connector is one of its own (OCPI 8, note on the EVSE object).
            event["connector_id"] = event["evse_id"] = connector_id
        if transaction_id is not None:
            event["transaction_id"] = str(transaction_id)
        return {**event, "data": as_object(data)}
