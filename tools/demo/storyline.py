"""Who told whom what, and when: read from what the counterparts recorded, each by its own clock.

The bridge itself records nothing here, so what it says or hears is told by whoever it speaks with.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from urllib.parse import parse_qs

from tools.charge_point import ChargePoint
from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request
from tools.counterparts.json_types import JsonObject, as_text
from tools.counterparts.ocpp_json import Call, CallError, CallResult, Frame
from tools.demo.scene import Cast
from tools.demo.sequence import Message, Party
from tools.demo_csms import CallbackDelivery, DemoCsms, Direction, EventDelivery, RecordedFrame
from tools.demo_csms.callbacks import CallbackOutcome
from tools.partner_simulator import Exchange, SessionPush

PARTNER = "Partner"
BRIDGE = "Bridge"
CSMS = "CSMS"
# How the paths end where the partner tells what it serves.
VERSIONS, DETAILS = "/versions", "/details"

# Chatter that no step is about.
_LEFT_OUT = frozenset({"Heartbeat", "StatusNotification"})


def parties(station_id: str, kind: str) -> tuple[Party, ...]:
    """Who takes part in a charge point's story, from left to right."""
    return (
        Party(PARTNER, "Jedlix, simulated"),
        Party(BRIDGE, "this project, on the embedded AWS"),
        Party(CSMS, "demo, HTTP surface of CitrineOS"),
        Party(station_id, kind),
    )


def asked(text: str) -> Message:
    """What the partner says to the bridge now, where the counterparts keep no record of it."""
    return Message(utc_now(), PARTNER, BRIDGE, text)


def answered(text: str) -> Message:
    """What the bridge has answered to that."""
    return Message(utc_now(), BRIDGE, PARTNER, text, answer=True)


def charge_points_story(cast: Cast, notes: Sequence[Message]) -> list[Message]:
    """All that was said about the charge point and its session, and between the platforms; `notes` are a part of it.

    OCPP is as the charge point's own log has it.
    """
    others = [*notes, *_readings(cast), *_about(cast, cast.charge_point.station_id)]
    return in_order(others, list(_kirbys_log(cast.charge_point)))


def ampere_chargers_story(cast: Cast) -> list[Message]:
    """All that was said about the charger that takes only amperes and its session; OCPP from its own log."""
    charge_point = cast.in_amperes
    return in_order(_about(cast, charge_point.station_id), list(_kirbys_log(charge_point)))


def silent_chargers_story(cast: Cast) -> list[Message]:
    """All that was said about the silent charger and its session; OCPP as the CSMS recorded it."""
    station_id = cast.silent.station_id
    return in_order([*_about(cast, station_id), *_frames(cast.csms.frames(station_id))])


def in_order(exact: Iterable[Message], rounded: Sequence[Message] = ()) -> list[Message]:
    """All messages as they followed each other; `rounded` are in order, with times cut off to milliseconds.

    Within a millisecond what causes goes before what it causes, where the clock of one of the two does not tell.
    """
    timed = sorted(exact, key=lambda one: (one.at, _place(one)))
    return list(merge(timed, rounded, key=_millisecond_and_place))


def _millisecond_and_place(message: Message) -> tuple[datetime, int]:
    return message.at.replace(microsecond=message.at.microsecond // 1000 * 1000), _place(message)


def _place(message: Message) -> int:
    """The place of a message on the way from the partner to the charge point and back."""
    match message.source, message.target:
        case "Partner", _:
            return 0
        case "Bridge", "CSMS":
            return 1
        case "CSMS", "Bridge":
            return 5
        case "Bridge", "Partner":
            return 6
        case "CSMS", _:
            return 4 if message.answer else 2
    return 3


def _about(cast: Cast, station_id: str) -> Iterator[Message]:
    pushes = [push for push in cast.partner.session_pushes.entries() if _is_at(push.session.evse_uid, station_id)]
    for push in pushes:
        yield Message(push.at, BRIDGE, PARTNER, _pushed(push))
    sessions = {push.session.id for push in pushes}
    for profile in cast.partner.active_profiles.matching(lambda one: one.session_id in sessions):
        yield Message(profile.at, BRIDGE, PARTNER, "PUT active charging profile")
    for exchange in cast.partner.exchanges.journal.matching(lambda one: one.session_id in sessions):
        yield from _exchange(exchange)
    yield from _csms_http(cast.csms, station_id)


def _pushed(push: SessionPush) -> str:
    """A session's push: the status it tells, or the energy where it tells nothing of a status."""
    if "status" in push.body:
        return f"{push.method} session {push.session.status}"
    return f"{push.method} session, {push.session.kwh.normalize():f} kWh"


def _readings(cast: Cast) -> Iterator[Message]:
    """The bridge reads where the partner serves what."""
    for request in cast.partner.http.requests.matching(lambda one: one.method == "GET"):
        for ending, what in ((VERSIONS, "versions"), (DETAILS, "version details")):
            if request.path.endswith(ending):
                yield Message(request.at, BRIDGE, PARTNER, f"GET {what}")


def _csms_http(csms: DemoCsms, station_id: str) -> Iterator[Message]:
    for request in csms.http.requests.matching(lambda one: parse_qs(one.query).get("identifier") == [station_id]):
        yield _command(request)
    for callback in csms.callbacks.deliveries.matching(lambda one: one.command.station_id == station_id):
        yield _callback(callback)
    if csms.reporter is not None:
        for delivery in csms.reporter.deliveries.matching(lambda one: one.station_id == station_id):
            yield _events(delivery)


def _is_at(evse_uid: str, station_id: str) -> bool:
    return evse_uid.startswith(f"{station_id}-")


def _exchange(exchange: Exchange) -> Iterator[Message]:
    what = "active charging profile" if exchange.method == "GET" else "charging profile"
    yield Message(exchange.sent_at, PARTNER, BRIDGE, f"{exchange.method} {what}")
    answer = exchange.answer
    if answer is not None:
        said = f"{exchange.result}, timeout {exchange.timeout} s" if exchange.result else f"OCPI {exchange.status_code}"
        yield Message(answer.at, BRIDGE, PARTNER, f"{answer.status} {said}", answer=True)
    for result in exchange.results():
        with_profile = ", with profile" if result.profile is not None else ""
        yield Message(result.at, BRIDGE, PARTNER, f"POST result {result.result}{with_profile}")


def _command(request: Request) -> Message:
    # The query holds the callback URL, which is a secret: only the end of the path is told.
    return Message(request.at, BRIDGE, CSMS, f"POST {request.path.rsplit('/', 1)[-1]}")


def _callback(callback: CallbackDelivery) -> Message:
    posted = callback.outcome is CallbackOutcome.POSTED
    end = f"callback: HTTP {callback.status}" if posted else f"no callback: {callback.outcome}"
    return Message(callback.at, CSMS, BRIDGE, end)


def _events(delivery: EventDelivery) -> Message:
    kinds = ", ".join(as_text(event.get("type")) or "event" for event in delivery.events)
    trouble = "" if delivery.delivered else f": {delivery.error or f'HTTP {delivery.status}'}"
    return Message(delivery.at, CSMS, BRIDGE, f"{kinds}{trouble}")


def _kirbys_log(charge_point: ChargePoint) -> Iterator[Message]:
    name, actions = charge_point.station_id, dict[str, str]()
    for event in charge_point.events.entries():
        if event.frame is None:
            continue
        if isinstance(event.frame, Call):
            actions[event.frame.message_id] = event.frame.action
        source, target = (CSMS, name) if event.level == "in" else (name, CSMS)
        yield from _ocpp(event.at, source, target, event.frame, actions.get(event.frame.message_id, ""))


def _frames(frames: list[RecordedFrame]) -> Iterator[Message]:
    for one in frames:
        to_station = one.direction is Direction.TO_STATION
        source, target = (CSMS, one.station_id) if to_station else (one.station_id, CSMS)
        yield from _ocpp(one.at, source, target, one.frame, one.action)


def _ocpp(at: datetime, source: str, target: str, frame: Frame, action: str) -> Iterator[Message]:
    """An OCPP frame as a message; chatter, and an answer without content, says nothing."""
    if action in _LEFT_OUT:
        return
    match frame:
        case Call():
            yield Message(at, source, target, action)
        case CallError():
            yield Message(at, source, target, f"CALLERROR {frame.code}", answer=True)
        case CallResult():
            if said := _answer(frame.payload):
                yield Message(at, source, target, said, answer=True)


def _answer(payload: JsonObject) -> str:
    status = as_text(payload.get("status"))
    if status is not None:
        return f"{status} with a schedule" if "chargingSchedule" in payload else status
    if "transactionId" in payload:
        return f"transaction {payload['transactionId']}"
    return ""
