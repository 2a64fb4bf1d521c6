"""The whole CSMS: OCPP 1.6J endpoint, HTTP surface, callbacks, events to the bridge, and an operator's commands."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, as_text
from tools.counterparts.ocpp_json import Call, OcppVersion
from tools.demo_csms.callbacks import CallbackSender
from tools.demo_csms.canonical_events import EventTranslator
from tools.demo_csms.central_system import CentralSystem
from tools.demo_csms.errors import OtherProtocolError
from tools.demo_csms.event_reporter import EventDoor, EventReporter
from tools.demo_csms.frame_feed import FeedingJournal, FrameFeed
from tools.demo_csms.http_surface import HttpSurface
from tools.demo_csms.records import Direction, PendingCall, ReceivedCommand, RecordedFrame
from tools.demo_csms.station_201 import FakeStation201
from tools.demo_csms.subscriptions import Subscriptions
from tools.demo_csms.transactions import Books, Token, Transaction

# CitrineOS caches a callback URL for 30 s unless told otherwise (maxCachingSeconds).
CALLBACK_CACHE_SECONDS = 30.0
# An unanswered CALL blocks its station this long.
CALL_SECONDS = 30.0
# How long the synchronous surface waits; below the 29 s after which an API Gateway would give up.
SYNC_SECONDS = 20.0
# A station on the loopback interface answers in milliseconds; this only ends a test that went wrong.
COMMAND_SECONDS = 15.0
HEARTBEAT_SECONDS = 300
# A limit starts this long ago, so that a station whose clock is slow applies it at once.
CLOCK_TOLERANCE = timedelta(minutes=2)
# Apart from the ids that a bridge reserves for itself (in OCPP 1.6 an id replaces whatever profile has it).
OWN_LIMIT_PROFILE_ID = 1


class Reports(StrEnum):
    """How a CSMS tells the bridge what happens at its stations."""

    EVENTS = "events"  # signed canonical events
    FRAMES = "frames"  # raw frames, to whoever subscribes to them


class DemoCsms:
    """A small CSMS with CitrineOS's HTTP surface, running in background threads on loopback ports.

    `csms_id` names it in events; with `door` they are reported to the bridge, without they are only kept in `events`.
    Raw frames go to whoever has subscribed to them, as from a CitrineOS; with `reports` FRAMES there are no events then.
    `ca_file` is trusted for callbacks and subscribers. Use as a context manager, or `start` and `stop`.
    """

    def __init__(
        self,
        csms_id: str = "demo",
        *,
        door: EventDoor | None = None,
        reports: Reports = Reports.EVENTS,
        ca_file: Path | None = None,
        api_token: str | None = None,
        tokens: Mapping[str, Token] | None = None,
        first_transaction_id: int | None = None,
        callback_cache_seconds: float = CALLBACK_CACHE_SECONDS,
        call_seconds: float = CALL_SECONDS,
        sync_seconds: float = SYNC_SECONDS,
        host: str = "localhost",
    ) -> None:
        self.csms_id = csms_id
        self.books = Books(tokens or {}, heartbeat_seconds=HEARTBEAT_SECONDS, first_transaction_id=first_transaction_id)
        self.events: Journal[JsonObject] = Journal()
        self.reporter = EventReporter(door) if door is not None and reports is Reports.EVENTS else None
        self.callbacks = CallbackSender(cache_seconds=callback_cache_seconds, ca_file=ca_file)
        self.subscriptions = Subscriptions()
        self.feed = FrameFeed(self.subscriptions, ca_file)
        self.central_system = CentralSystem(self, call_seconds=call_seconds, frames=FeedingJournal(self.feed))
        self.surface = HttpSurface(
            self,
            self.callbacks,
            api_token=api_token,
            sync_seconds=sync_seconds,
            subscriptions=self.subscriptions,
        )
        self.http = HttpService(self.surface.handle, name="demo-csms-http", host=host)
        self._translator = EventTranslator(csms_id, self.books)
        self._stations_201: dict[str, FakeStation201] = {}

    def start(self) -> Self:
        """Serve OCPP and HTTP in background threads."""
        self.central_system.start()
        self.http.start()
        return self

    def stop(self) -> None:
        """End every connection; events still queued get one more attempt."""
        self.http.stop()
        self.callbacks.stop()
        self.central_system.stop()
        self.feed.stop()
        if self.reporter is not None:
            self.reporter.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def ocpp_url(self) -> str:
        """WebSocket URL for charge points, without their name."""
        return self.central_system.url

    @property
    def http_url(self) -> str:
        """Base URL of the HTTP surface."""
        return self.http.url

    @property
    def commands(self) -> Journal[ReceivedCommand]:
        """The commands that came by HTTP and were sent to a station."""
        return self.surface.commands

    def before_http_answer(self, hook: Callable[[ReceivedCommand], None] | None) -> None:
        """Call `hook` after a command's frame was sent and before its HTTP answer; None removes the hook."""
        self.surface.before_http_answer = hook

    # Frames

    def frames(
        self,
        station_id: str | None = None,
        action: str | None = None,
        *,
        direction: Direction | None = None,
        calls_only: bool = False,
        since: int = 0,
    ) -> list[RecordedFrame]:
        """The recorded frames that match, oldest first."""
        return self.central_system.frames.matching(_selects(station_id, action, direction, calls_only), since)

    def wait_for_frame(
        self,
        station_id: str | None = None,
        action: str | None = None,
        *,
        timeout: float,
        direction: Direction | None = None,
        calls_only: bool = False,
        since: int = 0,
    ) -> RecordedFrame:
        """Return the first matching frame from position `since` on (see `mark`); raises NotObservedError."""
        return self.central_system.frames.wait_for(
            _selects(station_id, action, direction, calls_only),
            timeout,
            since=since,
            what=f"a frame of {station_id or 'any station'}, {action or 'any action'}",
        )

    def mark(self) -> int:
        """The position after the newest frame, for `since`."""
        return self.central_system.frames.mark()

    def wait_for_station(self, station_id: str, timeout: float) -> None:
        """Wait until the station has connected and booted at least once."""
        self.wait_for_frame(station_id, "BootNotification", timeout=timeout, direction=Direction.TO_STATION)

    # The operator's commands

    def call(self, station_id: str, action: str, payload: JsonObject, timeout: float = COMMAND_SECONDS) -> JsonObject:
        """Send a CALL of the CSMS's own and return the answer's payload.

        Waits for its turn when the station still owes an answer. Raises the errors of `tools.demo_csms.errors`, and
        PayloadError for a payload that its official schema refuses.
        """
        return self.central_system.call(station_id, action, payload, wait=timeout).answer(timeout)

    def remote_start(self, station_id: str, connector_id: int = 1, id_tag: str = "DEMO-TAG") -> str:
        """Send RemoteStartTransaction; the status that the station answers."""
        self.books.expect_remote_start(station_id, id_tag)
        payload: JsonObject = {"connectorId": connector_id, "idTag": id_tag}
        return _status(self.call(station_id, "RemoteStartTransaction", payload))

    def remote_stop(self, station_id: str, transaction_id: int) -> str:
        """Send RemoteStopTransaction; the status that the station answers."""
        return _status(self.call(station_id, "RemoteStopTransaction", {"transactionId": transaction_id}))

    def wait_for_transaction(self, station_id: str, connector_id: int | None = None, *, timeout: float) -> Transaction:
        """Return the running transaction of a station or connector, waiting for it to start."""
        return self.books.changes.wait_for(
            lambda change: change in self.books.active(station_id, connector_id),
            timeout,
            what=f"a running transaction of {station_id}",
        )

    def wait_for_transaction_end(self, transaction_id: int, timeout: float) -> Transaction:
        """Return the transaction once it has ended."""
        return self.books.changes.wait_for(
            lambda change: change.transaction_id == transaction_id and not change.is_active,
            timeout,
            what=f"the end of transaction {transaction_id}",
        )

    def set_limit(
        self,
        station_id: str,
        limit: Decimal,
        *,
        unit: str = "W",
        connector_id: int = 0,
        purpose: str = "ChargePointMaxProfile",
        stack_level: int = 0,
        profile_id: int = OWN_LIMIT_PROFILE_ID,
        report: bool = True,
    ) -> str:
        """Install a limit of the CSMS's own (W, or A per phase) and, once accepted, report `charging_limit.changed`."""
        schedule: JsonObject = {
            "startSchedule": write_datetime(utc_now() - CLOCK_TOLERANCE),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        }
        profile: JsonObject = {
            "chargingProfileId": profile_id,
            "stackLevel": stack_level,
            "chargingProfilePurpose": purpose,
            "chargingProfileKind": "Absolute",
            "chargingSchedule": schedule,
        }
        status = _status(
            self.call(station_id, "SetChargingProfile", {"connectorId": connector_id, "csChargingProfiles": profile})
        )
        if status == "Accepted" and report:
            self.report(self._translator.limit_changed(station_id, connector_id, schedule))
        return status

    def clear_limit(
        self, station_id: str, *, connector_id: int = 0, profile_id: int = OWN_LIMIT_PROFILE_ID, report: bool = True
    ) -> str:
        """Remove a limit by its profile id and, once accepted, report `charging_limit.changed` without a schedule."""
        status = _status(self.call(station_id, "ClearChargingProfile", {"id": profile_id}))
        if status == "Accepted" and report:
            self.report(self._translator.limit_changed(station_id, connector_id, None))
        return status

    # Events to the bridge

    def report(self, event: JsonObject) -> None:
        """Record an event and, with a door, queue it behind the station's earlier ones."""
        self.events.record(event)
        if self.reporter is not None:
            self.reporter.report(as_text(event.get("station_id")) or "", event)

    def tell(self, kind: str, station_id: str, *, connector_id: int = 0, data: JsonObject | None = None) -> None:
        """Report what no frame tells, such as `steering.suspended` or `cap.changed`; connector 0 is the whole station."""
        self.report(self._translator.said(kind, station_id, connector_id, data or {}))

    def flush_events(self, timeout: float) -> bool:
        """Wait until every event so far is delivered or given up; whether that came true in time."""
        return self.reporter.flush(timeout) if self.reporter is not None else True

    # OCPP 2.0.1

    def add_station_201(self, station: FakeStation201) -> FakeStation201:
        """Make an in-memory 2.0.1 station reachable by the HTTP surface."""
        self._stations_201[station.station_id] = station
        return station

    # What the OCPP endpoint and the HTTP surface need

    def dispatch(self, version: OcppVersion, station_id: str, action: str, payload: JsonObject) -> PendingCall:
        """Send a command that came by HTTP.

        Raises NoConnectionError, OtherProtocolError, CallInProgressError, CommandRefusedError; then nothing was sent.
        """
        station = self._stations_201.get(station_id)
        if station is None:
            connection = self.central_system.connection(station_id)
            if version is not OcppVersion.V16:
                raise OtherProtocolError(version, OcppVersion.V16)
            return connection.call(action, payload)
        if version is not OcppVersion.V201:
            raise OtherProtocolError(version, OcppVersion.V201)
        station.refuse(action, payload)
        return station.call(action, payload, self.central_system.frames)

    def connected(self, station_id: str) -> None:
        """A station has connected."""
        self.feed.connected(station_id)
        self.report(self._translator.station_online(station_id))

    def disconnected(self, station_id: str) -> None:
        """A station has lost its connection."""
        self.feed.closed(station_id)
        self.report(self._translator.station_offline(station_id))

    def answer(self, station_id: str, call: Call) -> JsonObject | None:
        """The payload that answers a station's call."""
        return self.books.answer(station_id, call)

    def answered(self, station_id: str, call: Call, answer: JsonObject) -> None:
        """A station's call was answered: report what it means."""
        event = self._translator.from_call(station_id, call, answer)
        if event is not None:
            self.report(event)


def _selects(
    station_id: str | None, action: str | None, direction: Direction | None, calls_only: bool
) -> Callable[[RecordedFrame], bool]:
    def selects(frame: RecordedFrame) -> bool:
        return (
            station_id in {None, frame.station_id}
            and action in {None, frame.action}
            and direction in {None, frame.direction}
            and (frame.is_call or not calls_only)
        )

    return selects


def _status(answer: JsonObject) -> str:
    return as_text(answer.get("status")) or ""
