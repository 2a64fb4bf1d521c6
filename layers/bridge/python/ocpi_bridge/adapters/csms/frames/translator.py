"""From raw frames to canonical events: what each frame means, with what earlier ones told.

Frames come one by one, twice and in any order. Most speak for themselves. A start in OCPP 1.6 is two frames, and either
may be the second one: both halves are kept, and whoever finds both makes the event. What a station says of a connector
before its transaction has an id, or of a transaction whose start is still on its way, is kept as well.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ocpi_bridge.adapters.csms.frames import limits, posts, v16, v201
from ocpi_bridge.adapters.csms.frames.limits import LimitChange, ProfileChange
from ocpi_bridge.adapters.csms.frames.meter import TimedReading
from ocpi_bridge.adapters.csms.frames.posts import Call, Connection, Origin, Result
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import ChargingState, EventType, Reading, SessionStatus, StationEvent
from ocpi_bridge.domain.stations import Csms
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.frames import ExchangePart, FrameStore, KeptFrame, LiveTransactions
from ocpi_bridge.ports.json_values import JsonValue

# The namespace of event ids: the same frame makes the same ids, however often it comes.
EVENT_NAMESPACE = uuid.UUID("0d9e6f0e-6a53-4a43-9d0a-3f1c9a1b7e52")
# A station counts its messages anew after a start; a call and an answer further apart than this are none of one
# exchange. CitrineOS waits 20 s for an answer, unless told otherwise.
LONGEST_EXCHANGE = timedelta(minutes=2)

# A charging profile with the 1024 periods of 2.0.1 fits in; DynamoDB takes 400 KB.
MAX_KEPT_LENGTH = 100_000

# What stops a transaction that was never admitted (1.6, 6.49).
_DEAUTHORIZED = "DeAuthorized"
_COMMAND = "COMMAND"
_ACCEPTED = "Accepted"
_START = "StartTransaction"
_PROFILE_CALLS = {"SetChargingProfile": limits.profile_set, "ClearChargingProfile": limits.profile_cleared}


@dataclass(frozen=True, slots=True)
class RefusedFrame:
    """A post that means nothing, and why; no station where not even that can be read. Never what was posted."""

    csms_id: str
    station_id: str | None
    reason: str


class FrameTranslator:
    """Turns the posts of a CSMS into events. Idempotent: the same post gives the same events, or more when others came.

    `refused` is told of each frame that cannot be read; the others of its post are not kept from their turn by it.
    """

    def __init__(
        self,
        store: FrameStore,
        transactions: LiveTransactions,
        clock: Clock,
        refused: Callable[[RefusedFrame], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._transactions = transactions
        self._clock = clock
        self._refused = refused

    def events(self, csms: Csms, body: bytes, received_at: datetime | None = None) -> Iterator[StationEvent]:
        """The events of a post. Never raises for what was posted; errors of the stores are passed on.

        Frame by frame: what a later one means may depend on what became of the events before. `received_at` is when the
        post came, for frames that carry no time; now, where that is not known.
        """
        received = received_at or self._clock.now()
        try:
            content = posts.read_posts(body)
        except InvalidInput as error:
            self._refused(RefusedFrame(csms.csms_id, None, str(error)))
            return
        for post in content:
            try:
                events = self._events(csms, post, received)
            except InvalidInput as error:
                self._refused(RefusedFrame(csms.csms_id, posts.station_of(post), str(error)))
                continue
            yield from events

    def _events(self, csms: Csms, post: JsonValue, received_at: datetime) -> list[StationEvent]:
        match posts.read_post(post, received_at):
            case Connection(station_id, online, at):
                kind = EventType.STATION_ONLINE if online else EventType.STATION_OFFLINE
                return [_Source(csms.csms_id, station_id, at.isoformat()).event(kind, at)]
            case Call(origin=Origin.STATION) as call:
                return list(self._of_station(csms, call))
            case Call() as call:
                return list(self._of_csms(csms, call))
            case Result() as result:
                return list(self._of_result(csms, result))
        return []

    # --- Calls of the station ------------------------------------------------------------------------------------

    def _of_station(self, csms: Csms, call: Call) -> Iterator[StationEvent]:
        source = _Source(csms.csms_id, call.station_id, call.message_id)
        match call.action:
            case "BootNotification":
                yield source.event(EventType.STATION_BOOTED, call.at)
            case "StartTransaction":
                v16.started(call.payload)
                yield from self._exchanged(csms, call.station_id, ExchangePart.CALL, _kept(call))
            case "StopTransaction":
                # Its start may still be on its way, and only that knows the connector.
                stop = v16.stopped(call.payload)
                kept = _kept(replace(call, payload=v16.without_readings(call.payload)))
                self._store.keep(csms.csms_id, call.station_id, _stop_of(stop.transaction_id), kept)
                yield from _stopped(source, stop)
            case "MeterValues" if "evseId" in call.payload:
                metered = v201.metered(call.payload, call.at)
                yield from self._metered(source, None, metered.evse_id, None, metered.readings)
            case "MeterValues":
                said = v16.metered(call.payload, call.at)
                yield from self._metered(source, said.connector_id, None, said.transaction_id, said.readings)
            case "StatusNotification" if "connectorStatus" not in call.payload:
                yield from self._notified(source, call)
            case "TransactionEvent":
                yield from _transaction(source, v201.transaction(call.payload))
            case "NotifyChargingLimit":
                yield _limit(source, call.at, limits.notified_limit(call.payload, call.at))
            case "ClearedChargingLimit":
                yield _limit(source, call.at, limits.cleared_limit(call.payload))

    def _metered(
        self,
        source: "_Source",
        connector_id: int | None,
        evse_id: int | None,
        transaction_id: str | None,
        readings: Sequence[TimedReading],
    ) -> Iterator[StationEvent]:
        """The readings of a transaction: of the one that the station names, or of the one that runs there."""
        # Number 0 is the main meter, which measures no transaction.
        at_outlet = bool(connector_id or evse_id)
        for number, one in enumerate(readings):
            known = transaction_id
            if known is None and at_outlet:
                place = (source.csms_id, source.station_id, connector_id, evse_id)
                known = self._transactions.transaction_at(*place, one.at)
            if known is None:
                continue
            yield replace(
                source.event(EventType.TRANSACTION_UPDATED, one.at, str(number)),
                connector_id=connector_id or None,
                evse_id=evse_id or None,
                transaction_id=known,
                reading=one.reading,
            )

    def _notified(self, source: "_Source", call: Call) -> Iterator[StationEvent]:
        """A connector's status in 1.6: how its transaction fares, or how the next one begins.

        In 2.0.1 a status only tells whether a connector is occupied; a transaction's own events tell how it fares.
        """
        status = v16.notified(call.payload)
        if status.connector_id == 0 or status.state is None:
            return
        at = status.at or call.at
        place = (source.csms_id, source.station_id, status.connector_id, None)
        transaction_id = self._transactions.transaction_at(*place, at)
        if transaction_id is None:
            kept = replace(_kept(call), at=at)
            self._store.keep(source.csms_id, source.station_id, _status_of(status.connector_id), kept)
            return
        yield replace(
            source.event(EventType.TRANSACTION_UPDATED, at),
            connector_id=status.connector_id,
            transaction_id=transaction_id,
            charging_state=status.state,
        )

    # --- Calls of the CSMS, and answers ---------------------------------------------------------------------------

    def _of_csms(self, csms: Csms, call: Call) -> Iterator[StationEvent]:
        change = _foreign(csms, call.action, _kept(call))
        if change is not None:
            yield _limit(_Source(csms.csms_id, call.station_id, call.message_id), call.at, change.asked)
            yield from self._exchanged(csms, call.station_id, ExchangePart.CALL, _kept(call))

    def _of_result(self, csms: Csms, result: Result) -> Iterator[StationEvent]:
        """An answer that may matter: where its action is not told, by what it looks like."""
        if result.origin is Origin.CSMS:
            matters = result.action in {"", _START} and "transactionId" in result.payload
            if matters:
                v16.admitted(result.payload)
        else:
            matters = result.action in {"", *_PROFILE_CALLS} and result.payload.get("status") == _ACCEPTED
        if matters:
            yield from self._exchanged(csms, result.station_id, ExchangePart.RESULT, _kept(result))

    def _exchanged(self, csms: Csms, station_id: str, part: ExchangePart, frame: KeptFrame) -> Iterator[StationEvent]:
        both = self._store.exchange(csms.csms_id, station_id, part, frame)
        if both.call is None or both.result is None or abs(both.result.at - both.call.at) > LONGEST_EXCHANGE:
            return
        source = _Source(csms.csms_id, station_id, frame.message_id)
        if both.call.action == _START:
            yield from self._started(source, v16.started(both.call.payload), v16.admitted(both.result.payload))
            return
        change = _foreign(csms, both.call.action, both.call)
        accepted = change.accepted(both.result.at) if change else None
        if accepted is not None:
            yield _limit(source, both.result.at, accepted, "accepted")

    def _started(self, source: "_Source", start: v16.Start, admission: v16.Admission) -> Iterator[StationEvent]:
        opened = replace(
            source.event(EventType.TRANSACTION_STARTED, start.at),
            connector_id=start.connector_id,
            transaction_id=admission.transaction_id,
            id_token=start.token,
            reading=Reading(meter_wh=start.meter_wh),
        )
        if not admission.accepted:
            # It has an id, so meter values may follow: it must not become a session that could be steered.
            yield replace(
                opened,
                type=EventType.TRANSACTION_ENDED,
                told_status=SessionStatus.INVALID,
                stop_reason=_DEAUTHORIZED,
            )
            return
        yield replace(opened, charging_state=self._state_at(source, start.connector_id))
        kept = self._store.kept(source.csms_id, source.station_id, _stop_of(admission.transaction_id))
        # Ids start again with a new CSMS: an end before this start is another transaction's.
        if kept is not None and (stop := v16.stopped(kept.payload)).at >= start.at:
            ended = _stopped(replace(source, message_id=kept.message_id), stop)
            yield from (replace(event, connector_id=start.connector_id) for event in ended)

    def _state_at(self, source: "_Source", connector_id: int) -> ChargingState | None:
        kept = self._store.kept(source.csms_id, source.station_id, _status_of(connector_id))
        return v16.notified(kept.payload).state if kept is not None else None


@dataclass(frozen=True, slots=True)
class _Source:
    """The frame that events come from."""

    csms_id: str
    station_id: str
    message_id: str

    def event(self, kind: EventType, at: datetime, part: str = "") -> StationEvent:
        """An event of this frame; `part` tells it from others of its type."""
        identity = json.dumps([self.csms_id, self.station_id, self.message_id, kind, part])
        return StationEvent(
            event_id=str(uuid.uuid5(EVENT_NAMESPACE, identity)),
            type=kind,
            time=at,
            csms_id=self.csms_id,
            station_id=self.station_id,
        )


def _stopped(source: _Source, stop: v16.Stop) -> Iterator[StationEvent]:
    if stop.first is not None:
        # Of a start that was lost it is the only word on where the register stood.
        first = source.event(EventType.TRANSACTION_UPDATED, stop.first.at)
        yield replace(first, transaction_id=stop.transaction_id, reading=stop.first.reading)
    yield replace(
        source.event(EventType.TRANSACTION_ENDED, stop.at),
        transaction_id=stop.transaction_id,
        id_token=stop.token,
        reading=stop.reading,
        stop_reason=stop.reason,
    )


def _transaction(source: _Source, said: v201.Transaction) -> Iterator[StationEvent]:
    place = replace(
        source.event(said.type, said.at),
        transaction_id=said.transaction_id,
        evse_id=said.evse_id,
        connector_id=said.connector_id,
    )
    if said.first is not None:
        first = source.event(EventType.TRANSACTION_UPDATED, said.first.at)
        yield replace(place, event_id=first.event_id, type=first.type, time=first.time, reading=said.first.reading)
    yield replace(
        place,
        id_token=said.token,
        auth_method=_COMMAND if said.remote else None,
        reading=said.reading,
        charging_state=said.state,
        stop_reason=said.stop_reason,
    )
    if said.rate_changed:
        doubt = LimitChange(said.connector_id, said.evse_id)
        yield replace(_limit(source, said.at, doubt), transaction_id=said.transaction_id)


def _limit(source: _Source, at: datetime, change: LimitChange, part: str = "") -> StationEvent:
    return replace(
        source.event(EventType.CHARGING_LIMIT_CHANGED, at, part),
        connector_id=change.connector_id,
        evse_id=change.evse_id,
        limit=change.limit,
    )


def _foreign(csms: Csms, action: str, frame: KeptFrame) -> ProfileChange | None:
    """What the CSMS's own call does to profiles that are not ours; None for ours and for every other call."""
    read = _PROFILE_CALLS.get(action)
    if read is None:
        return None
    change, ours = read(frame.payload), csms.profile_ids
    is_ours = change.profile_id is not None and ours.first <= change.profile_id <= ours.last
    return None if is_ours else change


def _kept(frame: Call | Result) -> KeptFrame:
    """The frame as it is remembered. Raises InvalidInput where that is too much."""
    try:
        length = len(json.dumps(frame.payload, default=str))
    except RecursionError as error:
        raise InvalidInput("message", "is nested too deeply") from error
    if length > MAX_KEPT_LENGTH:
        raise InvalidInput("message", f"is longer than {MAX_KEPT_LENGTH} characters, and would have to be remembered")
    return KeptFrame(frame.message_id, frame.at, frame.payload, frame.action)


def _status_of(connector_id: int) -> str:
    return f"STATUS#{connector_id}"


def _stop_of(transaction_id: str) -> str:
    return f"STOP#{transaction_id}"
