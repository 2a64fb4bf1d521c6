"""The third-party charge point kirby-ocpp (npm, MIT) as a child process with blocking methods.

It speaks OCPP 1.6J with stateful smart charging. Its meter is made up: 6.8 to 7.4 kW on phase L1 while charging,
whatever the charging profile says; with a `Car` of ours it shows what that car draws under the limits in force. Two
things it does otherwise than OCPP 1.6 has it: a TxProfile does not overrule a TxDefaultProfile (3.13.1), the lower limit
counts; and a profile replaces another one only by its id, never by stack level and purpose (5.16.3).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.charge_point.car import Car
from tools.charge_point.errors import ChargePointError, TransactionRefusedError
from tools.charge_point.kirby_process import COMMAND_SECONDS, KirbyProcess
from tools.counterparts.journal import Journal, JournalClosedError
from tools.counterparts.json_types import JsonObject, as_int, as_list, as_object, as_text, write_json
from tools.counterparts.ocpp_json import Call, CallError, CallResult, Frame, FrameError, read_frame

# Node starts in under a second; two cores busy with a stack deployment take longer.
BOOT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One log entry of kirby-ocpp; `frame` is set for level `in` (from the CSMS) and `out` (to it)."""

    at: datetime
    level: str
    message: str
    frame: Frame | None = None

    def is_call(self, action: str) -> bool:
        """Whether this is a CALL with that action, in either direction."""
        return isinstance(self.frame, Call) and self.frame.action == action

    def received(self, action: str) -> bool:
        """Whether the CSMS sent this CALL."""
        return self.level == "in" and self.is_call(action)


@dataclass(frozen=True, slots=True)
class ConnectorState:
    """A connector as the charge point sees it; `meter_wh` is its register in Wh."""

    connector_id: int
    status: str
    ev_connected: bool
    meter_wh: float
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class StationState:
    """The whole station as it sees itself. `booted` stays true while kirby is told to disconnect."""

    connected: bool = False
    booted: bool = False
    connectors: dict[int, ConnectorState] = field(default_factory=dict)


class ChargePoint:
    """kirby-ocpp as station `station_id` of the CSMS at `csms_url` (a WebSocket URL without the station's name).

    Blocking methods for one test thread or several. `events` records its log, with every frame it sent or received.
    `units` are those that it takes limits in (`W`, `A`; None: both), which its configuration then says. What it keeps
    over a power cycle is in `state_directory`; without one it keeps nothing.
    Raises NodeNotFoundError on start when there is no Node.js.
    """

    def __init__(
        self,
        csms_url: str,
        station_id: str,
        *,
        connectors: int = 1,
        heartbeat_seconds: int = 300,
        reconnect_seconds: float = 1.0,
        call_seconds: float = 30.0,
        units: Sequence[str] | None = None,
        state_directory: Path | None = None,
    ) -> None:
        self.station_id = station_id
        self.events: Journal[LogEvent] = Journal()
        self._states: Journal[StationState] = Journal()
        self._states.record(StationState())
        self._config: JsonObject = {
            "centralSystemUrl": csms_url,
            "chargePointId": station_id,
            "connectorCount": connectors,
            "heartbeatIntervalSeconds": heartbeat_seconds,
            "persistState": state_directory is not None,
            "stateDirectory": None if state_directory is None else str(state_directory),
            "webSocketReconnectInitialDelayMs": int(reconnect_seconds * 1000),
            "callTimeoutMs": int(call_seconds * 1000),
        }
        self._options: JsonObject = {"units": units}
        self._process: KirbyProcess | None = None

    def start(self) -> Self:
        """Start the process; the station connects and boots by itself."""
        self._process = KirbyProcess(
            self.station_id, self._config, self._options, take=self._take_event, ended=self._ended
        )
        return self

    def stop(self) -> None:
        """Disconnect and end the process; harmless when repeated."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id; raises ChargePointError when it does not run."""
        return self._running().pid

    # What the driver and the car do

    def plug_in(self, connector_id: int = 1, car: Car | None = None) -> None:
        """Plug the car in (StatusNotification Preparing); with a `car` the connector's meter shows what that draws."""
        if car is not None:
            self._do("putCar", connector_id, car.as_json())
        self._do("plugIn", connector_id)

    def unplug(self, connector_id: int = 1) -> None:
        """Unplug the car; a running transaction stops with reason EVDisconnected."""
        self._do("unplug", connector_id)

    def authorize(self, id_tag: str) -> bool:
        """Present a token (Authorize); whether the CSMS accepts it."""
        return as_object(self._do("authorize", id_tag)).get("accepted") is True

    def start_transaction(self, connector_id: int = 1, id_tag: str = "DEMO-TAG") -> int:
        """Start a transaction and return the id that the CSMS allotted.

        Raises TransactionRefusedError when the connector or the CSMS does not allow it.
        """
        transaction_id = as_int(self._do("startTransaction", connector_id, id_tag))
        if transaction_id is None:
            last = self.events.matching(lambda event: event.level == "warn")[-1:]
            raise TransactionRefusedError(last[0].message if last else "kirby-ocpp gave no reason")
        return transaction_id

    def stop_transaction(self, connector_id: int = 1, *, reason: str = "Local", id_tag: str | None = None) -> None:
        """Stop the connector's transaction; nothing happens without one."""
        self._do("stopTransaction", connector_id, reason, id_tag)

    def send_meter_values(self, connector_id: int = 1, *, energy_wh: int = 120, measurands: str | None = None) -> None:
        """Advance the register by `energy_wh` and send MeterValues; `measurands` is a comma separated list."""
        self._do("meterValues", connector_id, energy_wh, measurands)

    def set_status(self, connector_id: int, status: str) -> None:
        """Set and notify a ChargePointStatus such as SuspendedEV; the transaction is not touched."""
        self._do("setStatus", connector_id, status)

    def set_fault(self, connector_id: int = 1, *, error_code: str = "OtherError") -> None:
        """Fault a connector; its transaction stops with reason Other."""
        self._do("setFault", connector_id, error_code)

    def clear_fault(self, connector_id: int = 1) -> None:
        """End a fault."""
        self._do("clearFault", connector_id)

    def move_clock(self, ahead: timedelta) -> None:
        """Move its clock, and do what its profiles say at that time; nothing is waited for, no timer runs faster."""
        self._do("moveClock", ahead.total_seconds())

    def power_cycle(self, *, loses_profiles: bool = False) -> None:
        """Lose power and come back; returns when the CSMS has answered the BootNotification.

        What is in the state directory comes back: transactions, meters and profiles, the last unless it `loses_profiles`.
        """
        mark = self.mark()
        self._do("powerCycle", loses_profiles)
        self._wait_for_boot(mark)

    def disconnect(self) -> None:
        """Close the connection and stay offline until `connect`; profiles and transactions are kept."""
        self._do("disconnect")
        # kirby drops its listeners before it closes, so it never reports this by an event of its own.
        self.wait_for_state(lambda state: not state.connected, COMMAND_SECONDS, what="disconnected")

    def connect(self) -> None:
        """Connect again and wait until the CSMS has answered the BootNotification."""
        mark = self.mark()
        self._do("connect")
        self._wait_for_boot(mark)

    def _wait_for_boot(self, mark: int) -> None:
        # Its own `booted` is still true from before, so only the frames tell.
        boot = self.wait_for(
            lambda event: event.level == "out" and event.is_call("BootNotification"), BOOT_SECONDS, since=mark
        )
        self.answer_to(boot)

    # What can be observed

    def mark(self) -> int:
        """A position in `events` for `since`."""
        return self.events.mark()

    def wait_until_booted(self, timeout: float = BOOT_SECONDS) -> None:
        """Wait until the CSMS has accepted the BootNotification."""
        self.wait_for_state(lambda state: state.booted, timeout, what="booted")

    def wait_for(self, what: str | Callable[[LogEvent], bool], timeout: float, *, since: int = 0) -> LogEvent:
        """Return the first event from `since` on that matches; a string means a CALL received with that action.

        Raises NotObservedError when time is up, ChargePointError when the process ends before.
        """
        predicate = (lambda event: event.received(what)) if isinstance(what, str) else what
        name = f"{self.station_id}: {what if isinstance(what, str) else 'an event'}"
        try:
            return self.events.wait_for(predicate, timeout, since=since, what=name)
        except JournalClosedError as error:
            raise ChargePointError(str(error)) from error

    def answer_to(self, call: LogEvent, timeout: float = COMMAND_SECONDS) -> JsonObject | CallError:
        """The payload (or CALLERROR) with which a CALL was answered, whoever called."""
        if not isinstance(call.frame, Call):
            raise TypeError("the event is no CALL")
        message_id = call.frame.message_id
        answer = self.wait_for(
            lambda event: (
                isinstance(event.frame, CallResult | CallError)
                and event.frame.message_id == message_id
                and event.level != call.level
            ),
            timeout,
        ).frame
        if isinstance(answer, CallError):
            return answer
        return answer.payload if isinstance(answer, CallResult) else {}

    def connector(self, connector_id: int = 1) -> ConnectorState:
        """The connector as it is now; raises KeyError for one that does not exist."""
        return self._states.entries()[-1].connectors[connector_id]

    def wait_for_connector(
        self, connector_id: int, predicate: Callable[[ConnectorState], bool], timeout: float
    ) -> ConnectorState:
        """Wait until the connector's present state satisfies the predicate and return it."""
        state = self.wait_for_state(
            lambda state: connector_id in state.connectors and predicate(state.connectors[connector_id]),
            timeout,
            what=f"connector {connector_id}",
        )
        return state.connectors[connector_id]

    def wait_for_state(self, predicate: Callable[[StationState], bool], timeout: float, *, what: str) -> StationState:
        """Wait until the present or a later state satisfies the predicate and return it."""
        try:
            return self._states.wait_for(
                predicate, timeout, since=self._states.mark() - 1, what=f"{self.station_id}: {what}"
            )
        except JournalClosedError as error:
            raise ChargePointError(str(error)) from error

    # The child process

    def _running(self) -> KirbyProcess:
        if self._process is None:
            raise ChargePointError(f"{self.station_id} is not running")
        return self._process

    def _do(self, method: str, *args: object) -> object:
        return self._running().do(method, *args)

    def _take_event(self, event: JsonObject) -> None:
        if event.get("type") == "log":
            self.events.record(_log_event(event))
        else:
            self._states.record(_station_state(as_object(event.get("state"))))

    def _ended(self, reason: str) -> None:
        self.events.close(reason)
        self._states.close(reason)


def _log_event(event: JsonObject) -> LogEvent:
    frame: Frame | None = None
    if event.get("frame") is not None:
        try:
            frame = read_frame(write_json(event["frame"]))
        except FrameError:
            frame = None
    return LogEvent(
        at=datetime.fromisoformat(as_text(event.get("at")) or ""),
        level=as_text(event.get("level")) or "",
        message=as_text(event.get("message")) or "",
        frame=frame,
    )


def _station_state(state: JsonObject) -> StationState:
    connectors = [_connector_state(as_object(connector)) for connector in as_list(state.get("connectors"))]
    return StationState(
        connected=state.get("connected") is True,
        booted=state.get("booted") is True,
        connectors={connector.connector_id: connector for connector in connectors},
    )


def _connector_state(connector: JsonObject) -> ConnectorState:
    return ConnectorState(
        connector_id=as_int(connector.get("id")) or 0,
        status=as_text(connector.get("status")) or "",
        ev_connected=connector.get("evConnected") is True,
        meter_wh=float(str(connector.get("meterWh", 0))),
        transaction_id=as_int(connector.get("transactionId")),
    )
