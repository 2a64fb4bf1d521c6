"""What a message of csms-events says, and what becomes of it.

A door's message names its CSMS and its form: `events` (or none), `frames`, `sessions`. What EventBridge brings has no
attributes of ours: it is the whole envelope, and who sent it is the account in it, which EventBridge itself writes.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from ocpi_bridge.adapters.csms.command_results import COMMAND_RESULT, CommandResult
from ocpi_bridge.adapters.csms.events import RefusedEvent, read_each
from ocpi_bridge.adapters.dynamodb.reported_places import DynamoReportedPlaces
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced
from ocpi_bridge.domain.csms_ids import can_be_csms_id
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import StationEvent
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.runtime.queue_door import NotYet, QueueMessage
from ocpi_bridge.runtime.worker_logs import log_ingested, log_refused, log_result
from ocpi_bridge.usecases.ingest_event import IngestEvent
from ocpi_bridge.usecases.ingested import Ingested

if TYPE_CHECKING:
    # Loaded where a message needs them: most have events, and a worker's start is the first event's delay.
    from ocpi_bridge.adapters.csms.frames.translator import FrameTranslator, RefusedFrame
    from ocpi_bridge.usecases.record_result import RecordResult

# Events on the bus of the stage that are for the bridge.
DETAIL_TYPE = "csms.events"
# What the bridge itself puts on the bus is for CSMSs.
OWN_SOURCE = "ocpi-bridge"

# A PATCH may overtake the PUT before it. Tried so often, some minutes in all, it is about nothing that will come; one
# less than the queue tries, so that no message of a CSMS ends among the bridge's own faults.
SESSION_TRIES = 4


class SessionNotThere(NotYet):
    """The PATCH of a session that is not known, or not yet; the message comes again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What was not taken, and why. `reason` is one word for the operator's list, `detail` the rest."""

    csms_id: str
    reason: str
    detail: str
    station_id: str = ""
    event_id: str = ""
    event_type: str = ""


Report = StationEvent | CommandResult | Refused


@dataclass(frozen=True, slots=True)
class EventIngestion:
    """Takes messages of csms-events; each of them may come again, in any order.

    `results` and `translator` are made when a message needs them; `account` is the AWS account of the bridge.
    """

    ingest: IngestEvent
    results: "Callable[[], RecordResult]"
    translator: "Callable[[Callable[[RefusedFrame], None]], FrameTranslator]"
    places: DynamoReportedPlaces
    unplaced: DynamoUnplaced
    clock: Clock
    account: str

    def take(self, message: QueueMessage) -> None:
        """Takes all that a message says. What raises comes again with its message; the rest of it is not held up."""
        failures: list[Exception] = []
        for report in self._reports(message):
            try:
                self._take(report)
            except Exception as error:  # noqa: BLE001 - raised below, when the others of the message had their turn
                failures.append(error)
        if failures:
            raise ExceptionGroup("events that are to come again", failures)

    def _take(self, report: Report) -> None:
        match report:
            case StationEvent():
                done = self.ingest(report)
                log_ingested(report, done)
                if done.lost:
                    self._note(report, done.value, place=_place(report), detail=f"its time: {report.time.isoformat()}")
            case CommandResult():
                reported = self.results()(report.command_id, report.body, report.csms_id)
                log_result(reported, report)
                if reported.outcome.refused:
                    self._note(report, reported.outcome.value)
            case Refused():
                log_refused(report.csms_id, report.station_id, report.event_id, report.reason, report.detail)
                self.unplaced.note(
                    report.csms_id,
                    report.reason,
                    self.clock.now(),
                    station_id=report.station_id,
                    event_id=report.event_id,
                    event_type=report.event_type,
                    detail=report.detail,
                )

    def _note(self, report: StationEvent | CommandResult, reason: str, *, place: str = "", detail: str = "") -> None:
        self.unplaced.note(
            report.csms_id,
            reason,
            self.clock.now(),
            station_id=report.station_id,
            place=place,
            event_id=report.event_id,
            event_type=report.type.value if isinstance(report, StationEvent) else COMMAND_RESULT,
            detail=detail,
        )

    def _reports(self, message: QueueMessage) -> Iterator[Report]:
        csms_id = message.attributes.get("csms_id")
        if csms_id is None:
            yield from self._of_the_bus(message.text)
            return
        match message.attributes.get("form", "events"):
            case "events":
                yield from _events(csms_id, _object(message.text)["events"])
            case "frames":
                yield from self._of_frames(csms_id, message)
            case "sessions":
                yield from self._of_session(csms_id, message)
            case form:
                raise ValueError(f"no door writes messages of the form {form!r}")

    def _of_the_bus(self, text: str) -> Iterator[Report]:
        """The events of an EventBridge envelope, if whoever sent it may report for the CSMS that it names."""
        try:
            envelope = _object(text)
        except UnreadableJson as error:
            # No door has vetted it, and whom it is from cannot be read either; tried again it would be the same.
            log_refused("", "", "", "bus", f"an envelope that {error}")
            return
        account, event_id = (str(envelope.get(key, "")) for key in ("account", "id"))
        content = envelope.get("detail")
        said = content if isinstance(content, Mapping) else {}
        csms_id, listed = said.get("csms_id"), said.get("events")
        csms = self.places.csms(csms_id) if isinstance(csms_id, str) and can_be_csms_id(csms_id) else None
        if csms is None or envelope.get("detail-type") != DETAIL_TYPE or envelope.get("source") == OWN_SOURCE:
            # On nobody's list: what is named may be anything.
            log_refused("", "", event_id, "bus", f"of account {account}: not what a known CSMS reports")
        elif account not in {self.account, *csms.bus_accounts}:
            problem = f"account {account} is not among its bus_accounts"
            yield Refused(csms.csms_id, "foreign_account", problem, event_id=event_id)
        elif not isinstance(listed, list):
            yield Refused(csms.csms_id, "unreadable", "detail.events: is no list", event_id=event_id)
        else:
            yield from _events(csms.csms_id, listed)

    def _of_frames(self, csms_id: str, message: QueueMessage) -> Iterator[Report]:
        csms = self.places.csms(csms_id)
        if csms is None:
            yield Refused(csms_id, "unknown_csms", "the CSMS is not in the registry")
            return
        refused: list[RefusedFrame] = []
        received_at = datetime.fromisoformat(message.attributes["received_at"])
        yield from self.translator(refused.append).events(csms, message.text.encode(), received_at)
        for frame in refused:
            yield Refused(csms_id, "unreadable", frame.reason, frame.station_id or "")

    def _of_session(self, csms_id: str, message: QueueMessage) -> Iterator[Report]:
        # Loaded here, as frames are: few CSMSs speak OCPI.
        from ocpi_bridge.adapters.csms.ocpi_sessions import Change, events_of, parse_session  # noqa: PLC0415

        told = message.attributes
        session_id = told["session_id"]
        csms, known = self.places.around(csms_id, session_id)

        def refused(reason: str, detail: str) -> Refused:
            return Refused(csms_id, reason, detail, told.get("station_id", ""), session_id, f"session {told['change']}")

        if csms is None:
            yield refused("unknown_csms", "the CSMS is not in the registry")
            return
        if known is not None and known.csms_id != csms_id:
            yield refused(Ingested.SESSION_ID_TAKEN.value, "a session of this id is another CSMS's")
            return
        station_id = told.get("station_id") or (known.station_id if known else None)
        if station_id is None:
            if message.receipts < SESSION_TRIES:
                raise SessionNotThere(f"the session of this PATCH is not known: {session_id!r}")
            yield refused(Ingested.UNKNOWN_SESSION.value, "a PATCH without an EVSE, of a session that was never PUT")
            return
        try:
            session = parse_session(csms, Change(told["change"]), session_id, _object(message.text))
        except InvalidInput as error:
            yield refused("unreadable", str(error))
            return
        yield from events_of(session, csms_id, station_id, known)


def _events(csms_id: str, listed: list[Any]) -> Iterator[Report]:
    for read in read_each(csms_id, listed):
        if isinstance(read, RefusedEvent):
            yield Refused(csms_id, "unreadable", read.problem, read.station_id, read.event_id, read.event_type)
        else:
            yield read


def _object(text: str) -> Mapping[str, Any]:
    """A message's content. Raises UnreadableJson; what a door let in is within the same bounds."""
    return cast("Mapping[str, Any]", read_json(text))


def _place(event: StationEvent) -> str:
    """The place that an event names, as people call it; empty where it names none."""
    if event.evse_uid is not None:
        return f"EVSE {event.evse_uid}"
    numbers = (("EVSE", event.evse_id), ("connector", event.connector_id))
    return ", ".join(f"{kind} {number}" for kind, number in numbers if number is not None)
