"""The CSMS's own books: transactions, connector statuses, tokens; and its answers to the stations' calls."""

import itertools
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, as_int, as_text
from tools.counterparts.ocpp_json import Call

# Room above the random start for a long test run, inside the 32 bits that charge points keep transaction ids in.
RANDOM_START_LIMIT = 1_500_000_000


@dataclass(frozen=True, slots=True)
class Token:
    """A token that the CSMS knows: who it belongs to. Unknown tokens are accepted too, unless `blocked`."""

    contract_id: str | None = None
    type: str = "RFID"
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as the CSMS knows it; meter registers in Wh."""

    transaction_id: int
    station_id: str
    connector_id: int
    id_tag: str
    started_at: datetime
    meter_start_wh: int
    started_remotely: bool
    ended_at: datetime | None = None
    meter_stop_wh: int | None = None
    stop_reason: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it still runs."""
        return self.ended_at is None


class Books:
    """Answers the calls of OCPP 1.6 stations and remembers what they said. Thread safe."""

    def __init__(
        self, tokens: Mapping[str, Token], *, heartbeat_seconds: int, first_transaction_id: int | None = None
    ) -> None:
        self.tokens = dict(tokens)
        self.changes: Journal[Transaction] = Journal()
        self._heartbeat_seconds = heartbeat_seconds
        # Random, so that two runs against one bridge never share a transaction id.
        self._ids = itertools.count(first_transaction_id or 1 + secrets.randbelow(RANDOM_START_LIMIT))
        self._transactions: dict[int, Transaction] = {}
        self._statuses: dict[tuple[str, int], str] = {}
        self._remote_starts: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def transaction(self, transaction_id: int) -> Transaction | None:
        """A transaction by its id, also an ended one."""
        with self._lock:
            return self._transactions.get(transaction_id)

    def active(self, station_id: str, connector_id: int | None = None) -> list[Transaction]:
        """The running transactions of a station or of one connector."""
        with self._lock:
            return [
                transaction
                for transaction in self._transactions.values()
                if transaction.is_active
                and transaction.station_id == station_id
                and connector_id in {None, transaction.connector_id}
            ]

    def status(self, station_id: str, connector_id: int) -> str | None:
        """The connector's ChargePointStatus as last notified."""
        with self._lock:
            return self._statuses.get((station_id, connector_id))

    def expect_remote_start(self, station_id: str, id_tag: str) -> None:
        """The next transaction with this token was started by the CSMS."""
        with self._lock:
            self._remote_starts.add((station_id, id_tag))

    def answer(self, station_id: str, call: Call) -> JsonObject | None:
        """The payload that answers a call; None for an action that this CSMS has no use for."""
        payload = call.payload
        match call.action:
            case "BootNotification":
                return {
                    "status": "Accepted",
                    "currentTime": write_datetime(utc_now()),
                    "interval": self._heartbeat_seconds,
                }
            case "Heartbeat":
                return {"currentTime": write_datetime(utc_now())}
            case "Authorize":
                return {"idTagInfo": self._token_info(as_text(payload.get("idTag")) or "")}
            case "StartTransaction":
                return self._start(station_id, payload)
            case "StopTransaction":
                return self._stop(payload)
            case "StatusNotification":
                key = (station_id, as_int(payload.get("connectorId")) or 0)
                with self._lock:
                    self._statuses[key] = as_text(payload.get("status")) or ""
                return {}
            case "MeterValues" | "DiagnosticsStatusNotification" | "FirmwareStatusNotification":
                return {}
        return None

    def _token_info(self, id_tag: str) -> JsonObject:
        return {"status": "Blocked" if self.tokens.get(id_tag, Token()).blocked else "Accepted"}

    def _start(self, station_id: str, payload: JsonObject) -> JsonObject:
        id_tag = as_text(payload.get("idTag")) or ""
        info = self._token_info(id_tag)
        with self._lock:
            transaction_id = next(self._ids)
            if info["status"] != "Accepted":
                return {"transactionId": transaction_id, "idTagInfo": info}
            remotely = (station_id, id_tag) in self._remote_starts
            self._remote_starts.discard((station_id, id_tag))
            transaction = Transaction(
                transaction_id=transaction_id,
                station_id=station_id,
                connector_id=as_int(payload.get("connectorId")) or 0,
                id_tag=id_tag,
                started_at=read_time(payload.get("timestamp")),
                meter_start_wh=as_int(payload.get("meterStart")) or 0,
                started_remotely=remotely,
            )
            self._transactions[transaction_id] = transaction
        self.changes.record(transaction)
        return {"transactionId": transaction_id, "idTagInfo": info}

    def _stop(self, payload: JsonObject) -> JsonObject:
        transaction_id = as_int(payload.get("transactionId")) or 0
        with self._lock:
            transaction = self._transactions.get(transaction_id)
            if transaction is None:
                return {}
            transaction = replace(
                transaction,
                ended_at=read_time(payload.get("timestamp")),
                meter_stop_wh=as_int(payload.get("meterStop")),
                # OCPP 1.6, 6.49: the reason may only be left out for Local.
                stop_reason=as_text(payload.get("reason")) or "Local",
            )
            self._transactions[transaction_id] = transaction
        self.changes.record(transaction)
        return {"idTagInfo": {"status": "Accepted"}} if "idTag" in payload else {}


def read_time(value: object) -> datetime:
    """An OCPP timestamp; the present time when there is none."""
    text = as_text(value)
    return utc_now() if text is None else datetime.fromisoformat(text)
