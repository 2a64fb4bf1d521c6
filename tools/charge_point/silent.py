"""A charge point of ours that answers smart charging as told: silence, refusals, late, empty or odd answers.

A real OCPP 1.6J WebSocket client. Everything but smart charging behaves, so that a session can be opened on it.
"""

import itertools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from decimal import ROUND_DOWN, Decimal
from enum import Enum
from types import TracebackType
from typing import Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tools.charge_point.errors import CallRefusedError, TransactionRefusedError
from tools.charge_point.meter import NOMINAL_VOLTAGE, MeterSample, meter_value
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, as_int, as_list, as_object, as_text
from tools.counterparts.ocpp_json import (
    SUBPROTOCOL_16,
    Call,
    CallError,
    CallResult,
    OcppVersion,
    check_request,
    read_frame,
    write_frame,
)

LOGGER = logging.getLogger(__name__)

SMART_CHARGING = ("SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule")
# A CSMS on the loopback interface answers at once; this only ends a test that went wrong.
CALL_SECONDS = 15.0
THREE_PHASES = 3


class Behaviour(Enum):
    """How smart-charging calls are answered."""

    SILENT = "no answer, ever"
    REJECTING = "status Rejected, and Unknown for a clear"
    NOT_SUPPORTED = "CALLERROR NotSupported"
    STATUS_NOT_SUPPORTED = "status NotSupported for a set, Rejected or Unknown for the rest"
    ACCEPTING = "status Accepted for everything, nothing is done, a composite has no schedule"
    EMPTY_COMPOSITE = "status Accepted; a composite has a schedule without periods"
    FOLLOWING = "status Accepted; a composite is the last profile set, under the charge point's own limit"
    OTHER_UNIT = "status Accepted; a composite is in the unit that was not asked for"
    OUT_OF_SCHEMA = "a status that OCPP does not have"


class SilentChargePoint:
    """Station `station_id` at the CSMS `csms_url` (a WebSocket URL without the station's name), silent by default.

    `commands` records every CALL of the CSMS, `last_profile` the newest profile accepted. `own_limit_w` is a limit of the
    charge point's own (W), which a FOLLOWING one shows in composites. Blocking methods; end it with `stop` or as a
    context manager.
    """

    def __init__(
        self,
        csms_url: str,
        station_id: str,
        *,
        behaviour: Behaviour = Behaviour.SILENT,
        answer_delay: float = 0.0,
        vendor: str = "Loopback",
        model: str = "Silent-1",
    ) -> None:
        self.station_id = station_id
        self.commands: Journal[Call] = Journal()
        self.last_profile: JsonObject | None = None
        self.own_limit_w: Decimal | None = None
        self._url = f"{csms_url.rstrip('/')}/{station_id}"
        self._identity: JsonObject = {"chargePointVendor": vendor, "chargePointModel": model}
        self._behaviour: dict[str, tuple[Behaviour, float]] = {}
        self.behave(behaviour, delay=answer_delay)
        self._transactions: dict[int, int] = {}
        self._register_wh: dict[int, Decimal] = {}
        self._answers: dict[str, Future[CallResult | CallError]] = {}
        self._message_ids = itertools.count(1)
        # OCPP-J 4.1.1: one CALL of ours at a time.
        self._calling = threading.Lock()
        self._stopping = threading.Event()
        self._session = ExitStack()
        self._socket: ClientConnection | None = None
        self._receiver: threading.Thread | None = None

    def behave(self, behaviour: Behaviour, *, action: str | None = None, delay: float = 0.0) -> None:
        """Change the answers to one smart-charging action, or to all; each comes `delay` seconds late."""
        for name in SMART_CHARGING if action is None else (action,):
            self._behaviour[name] = (behaviour, delay)

    def start(self) -> Self:
        """Connect and boot; returns when the CSMS has accepted the BootNotification."""
        self._stopping.clear()
        self._socket = self._session.enter_context(
            connect(self._url, subprotocols=[Subprotocol(SUBPROTOCOL_16)], compression=None)
        )
        self._receiver = threading.Thread(
            target=self._receive, args=(self._socket,), name=f"silent-{self.station_id}", daemon=True
        )
        self._receiver.start()
        self.call("BootNotification", self._identity)
        return self

    def stop(self) -> None:
        """Close the connection; harmless when repeated."""
        self._stopping.set()
        self.disconnect()

    def disconnect(self) -> None:
        """Go offline; `start` connects again."""
        self._socket = None
        self._session.close()
        if self._receiver is not None:
            self._receiver.join(CALL_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def call(self, action: str, payload: JsonObject) -> JsonObject:
        """Send a CALL that is valid by the official schema and return the payload of its CALLRESULT.

        Raises TimeoutError without an answer, ConnectionError when offline, CallRefusedError for a CALLERROR.
        """
        check_request(OcppVersion.V16, action, payload)
        message_id = f"{self.station_id}-{next(self._message_ids)}"
        answer: Future[CallResult | CallError] = Future()
        with self._calling:
            self._answers[message_id] = answer
            try:
                self._send(Call(message_id, action, payload))
                frame = answer.result(CALL_SECONDS)
            finally:
                self._answers.pop(message_id, None)
        if isinstance(frame, CallError):
            raise CallRefusedError(f"{action}: CALLERROR {frame.code} {frame.description}")
        return frame.payload

    def start_transaction(self, connector_id: int = 1, id_tag: str = "DEMO-TAG") -> int:
        """Start a transaction, report Charging, and return the id that the CSMS allotted.

        Raises TransactionRefusedError when the CSMS does not accept the token.
        """
        self.send_status(connector_id, "Preparing")
        answer = self.call(
            "StartTransaction",
            {
                "connectorId": connector_id,
                "idTag": id_tag,
                "meterStart": int(self._register_wh.get(connector_id, Decimal(0))),
                "timestamp": write_datetime(utc_now()),
            },
        )
        status = as_text(as_object(answer.get("idTagInfo")).get("status"))
        if status != "Accepted":
            raise TransactionRefusedError(f"{self.station_id}: the CSMS answered {status} to the token")
        transaction_id = as_int(answer.get("transactionId")) or 0
        self._transactions[connector_id] = transaction_id
        self.send_status(connector_id, "Charging")
        return transaction_id

    def stop_transaction(self, connector_id: int = 1, *, reason: str = "Local") -> None:
        """Stop the connector's transaction; raises KeyError without one."""
        self.call(
            "StopTransaction",
            {
                "transactionId": self._transactions.pop(connector_id),
                "meterStop": int(self._register_wh.get(connector_id, Decimal(0))),
                "timestamp": write_datetime(utc_now()),
                "reason": reason,
            },
        )
        self.last_profile = None
        self.send_status(connector_id, "Available")

    def send_meter_values(self, sample: MeterSample, connector_id: int = 1) -> None:
        """Send MeterValues with chosen power and phases."""
        self._register_wh[connector_id] = sample.energy_wh
        payload: JsonObject = {"connectorId": connector_id, "meterValue": [meter_value(sample, utc_now())]}
        if connector_id in self._transactions:
            payload["transactionId"] = self._transactions[connector_id]
        self.call("MeterValues", payload)

    def send_status(self, connector_id: int, status: str) -> None:
        """Send a StatusNotification such as SuspendedEV."""
        self.call(
            "StatusNotification",
            {
                "connectorId": connector_id,
                "errorCode": "NoError",
                "status": status,
                "timestamp": write_datetime(utc_now()),
            },
        )

    def wait_for_command(self, action: str, timeout: float, *, since: int = 0) -> Call:
        """Return the first CALL of the CSMS with that action; raises NotObservedError."""
        return self.commands.wait_for(
            lambda call: call.action == action, timeout, since=since, what=f"{self.station_id}: {action}"
        )

    def _send(self, frame: Call | CallResult | CallError) -> None:
        socket = self._socket
        if socket is None:
            raise ConnectionError(f"{self.station_id} is offline")
        try:
            socket.send(write_frame(frame))
        except ConnectionClosed as error:
            raise ConnectionError(f"{self.station_id} lost its connection") from error

    def _receive(self, socket: ClientConnection) -> None:
        for text in socket:
            frame = read_frame(text)
            if isinstance(frame, Call):
                self.commands.record(frame)
                # In a thread of its own: a late answer must not hold up the answers to our own calls.
                threading.Thread(
                    target=self._respond, args=(frame,), name=f"silent-{self.station_id}-answer", daemon=True
                ).start()
            elif (answer := self._answers.get(frame.message_id)) is not None:
                answer.set_result(frame)

    def _respond(self, call: Call) -> None:
        try:
            if call.action in self._behaviour:
                self._respond_to_smart_charging(call)
            else:
                self._respond_to_others(call)
        except (ConnectionError, TimeoutError):
            # What it does for a command may itself need the CSMS, which may be gone by then.
            LOGGER.debug("%s went offline before it was done with %s", self.station_id, call.action)

    def _respond_to_smart_charging(self, call: Call) -> None:
        behaviour, delay = self._behaviour[call.action]
        if behaviour is Behaviour.SILENT or (delay and self._stopping.wait(delay)):
            return
        if behaviour is Behaviour.NOT_SUPPORTED:
            self._send(CallError(call.message_id, "NotSupported", "no smart charging here"))
            return
        status = _status(behaviour, call.action)
        answer: JsonObject = {"status": status}
        if status == "Accepted":
            if call.action == "SetChargingProfile":
                self.last_profile = as_object(call.payload.get("csChargingProfiles"))
            if call.action == "ClearChargingProfile" and behaviour is Behaviour.FOLLOWING:
                self.last_profile = None
            if call.action == "GetCompositeSchedule":
                answer.update(self._composite(behaviour, call.payload))
        self._send(CallResult(call.message_id, answer))

    def _composite(self, behaviour: Behaviour, asked: JsonObject) -> JsonObject:
        unit = as_text(asked.get("chargingRateUnit")) or "W"
        match behaviour:
            case Behaviour.EMPTY_COMPOSITE:
                schedule: JsonObject = {"chargingRateUnit": unit, "chargingSchedulePeriod": []}
            case Behaviour.OTHER_UNIT:
                schedule = self._schedule_in("A" if unit == "W" else "W")
            case Behaviour.FOLLOWING if self.last_profile is not None or self.own_limit_w is not None:
                schedule = self._followed(unit)
            case _:
                return {}
        now = write_datetime(utc_now())
        return {
            "connectorId": asked.get("connectorId"),
            "scheduleStart": now,
            "chargingSchedule": {"duration": asked.get("duration"), "startSchedule": now, **schedule},
        }

    def _followed(self, unit: str) -> JsonObject:
        schedule = self._schedule_in(unit)
        own = self.own_limit_w
        if own is None:
            return schedule
        limit = own if unit == "W" else _to_ampere(own)
        periods = [as_object(period) for period in as_list(schedule["chargingSchedulePeriod"])]
        lowered = [{**period, "limit": min(limit, Decimal(str(period["limit"])))} for period in periods]
        return {**schedule, "chargingSchedulePeriod": lowered or [{"startPeriod": 0, "limit": limit}]}

    def _schedule_in(self, unit: str) -> JsonObject:
        known = as_object((self.last_profile or {}).get("chargingSchedule"))
        periods = [as_object(period) for period in as_list(known.get("chargingSchedulePeriod"))]
        convert = _same if known.get("chargingRateUnit") == unit else _TO_UNIT[unit]
        return {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [
                {**period, "limit": convert(Decimal(str(period.get("limit", 0))))} for period in periods
            ],
        }

    def _respond_to_others(self, call: Call) -> None:
        match call.action:
            case "RemoteStartTransaction":
                connector_id = as_int(call.payload.get("connectorId")) or 1
                busy = connector_id in self._transactions
                self._send(CallResult(call.message_id, {"status": "Rejected" if busy else "Accepted"}))
                if not busy:
                    self.start_transaction(connector_id, as_text(call.payload.get("idTag")) or "")
            case "RemoteStopTransaction":
                wanted = as_int(call.payload.get("transactionId"))
                connector = next((key for key, value in self._transactions.items() if value == wanted), None)
                self._send(CallResult(call.message_id, {"status": "Rejected" if connector is None else "Accepted"}))
                if connector is not None:
                    self.stop_transaction(connector, reason="Remote")
            case "GetConfiguration":
                self._send(CallResult(call.message_id, {"configurationKey": [], "unknownKey": []}))
            case _:
                self._send(CallError(call.message_id, "NotImplemented", f"{call.action} is not implemented"))


def _status(behaviour: Behaviour, action: str) -> str:
    refusal = "Unknown" if action == "ClearChargingProfile" else "Rejected"
    match behaviour:
        case Behaviour.REJECTING:
            return refusal
        case Behaviour.STATUS_NOT_SUPPORTED:
            return "NotSupported" if action == "SetChargingProfile" else refusal
        case Behaviour.OUT_OF_SCHEMA:
            return "NotImplemented"
        case _:
            return "Accepted"


def _same(limit: Decimal) -> Decimal:
    return limit


def _to_ampere(limit: Decimal) -> Decimal:
    return (limit / (NOMINAL_VOLTAGE * THREE_PHASES)).quantize(Decimal("0.1"), ROUND_DOWN)


def _to_watt(limit: Decimal) -> Decimal:
    return limit * NOMINAL_VOLTAGE * THREE_PHASES


_TO_UNIT: dict[str, Callable[[Decimal], Decimal]] = {"A": _to_ampere, "W": _to_watt}
