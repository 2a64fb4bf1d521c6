"""What CitrineOS posts to a subscriber: `{"stationId", "event", "origin", "message", "info"}`, or a list of such.

`event` is `connected`, `closed` or `message`; `message` is one OCPP-J frame as text, of the station (`cs`) or of the
CSMS itself (`csms`). Newer versions name the station `ocppConnectionName`. Connections carry no time at all.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from ocpi_bridge.adapters.csms.frames.plain_fields import MAX_ID_LENGTH, MAX_MESSAGE_ID_LENGTH, is_id, read_instant
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# CitrineOS posts frame by frame; a list is for whoever gathers them on the way. A queue message takes 256 KB.
MAX_FRAMES = 100
MAX_BODY_BYTES = 200_000

# A CSMS's clock is a server's; one that is further off says nothing, and ours is taken.
MAX_CLOCK_DIFFERENCE = timedelta(days=1)

_CALL, _CALLRESULT, _CALLERROR = 2, 3, 4


class Origin(StrEnum):
    """Who sent a frame, in CitrineOS's words."""

    STATION = "cs"
    CSMS = "csms"


@dataclass(frozen=True, slots=True)
class Connection:
    """A station came or went. `at` is by the CSMS's clock, or ours."""

    station_id: str
    online: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Call:
    """A request of one side."""

    station_id: str
    origin: Origin
    message_id: str
    action: str
    payload: JsonObject
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """An answer of one side; `action` is what it answers, empty where the CSMS does not say."""

    station_id: str
    origin: Origin
    message_id: str
    action: str
    payload: JsonObject
    at: datetime


def read_posts(body: bytes) -> Sequence[JsonValue]:
    """The frames of a body, unread. Raises InvalidInput where it is none, or beyond a bound."""
    if len(body) > MAX_BODY_BYTES:
        raise InvalidInput("body", f"is longer than {MAX_BODY_BYTES} bytes; send fewer frames at once")
    try:
        # By its name: the reader would guess UTF-16 as well, which no queue takes.
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("body", "is not UTF-8 text") from error
    content = _json(text, "body")
    if isinstance(content, Mapping):
        return [content]
    if not isinstance(content, list):
        raise InvalidInput("body", "is neither a frame nor a list of frames")
    if not 0 < len(content) <= MAX_FRAMES:
        raise InvalidInput("body", f"has {len(content)} frames instead of 1 to {MAX_FRAMES}")
    return content


def count_frames(body: bytes) -> int:
    """How many frames a body has. Raises InvalidInput as reading it would, but for its frames."""
    return len(read_posts(body))


def station_of(post: JsonValue) -> str | None:
    """The station that a post names, or None: for whoever has to say where a bad frame came from."""
    named = (post.get("stationId") or post.get("ocppConnectionName")) if isinstance(post, Mapping) else None
    return named if isinstance(named, str) and is_id(named, MAX_ID_LENGTH) else None


def read_post(post: JsonValue, received_at: datetime) -> Connection | Call | Result | None:
    """One post; None for a CALLERROR, from which nothing follows. Raises InvalidInput naming the field."""
    station_id = station_of(post)
    if not isinstance(post, Mapping) or station_id is None:
        raise InvalidInput("stationId", "is missing, or nothing that a station can be called")
    info = post.get("info")
    info = info if isinstance(info, Mapping) else {}
    at = _sent_at(info, received_at)
    match post.get("event"):
        case "connected" | "closed" as event:
            return Connection(station_id, event == "connected", at)
        case "message":
            return _read_message(station_id, _origin(post, info), post.get("message"), info, at)
    raise InvalidInput("event", "is none of connected, closed and message")


def _read_message(
    station_id: str, origin: Origin, message: JsonValue, info: JsonObject, at: datetime
) -> Call | Result | None:
    frame = _json(message, "message") if isinstance(message, str) else message
    if not isinstance(frame, list) or len(frame) < 3:
        raise InvalidInput("message", "is no OCPP-J frame")
    kind, message_id = frame[0], frame[1]
    if not isinstance(message_id, str) or not is_id(message_id, MAX_MESSAGE_ID_LENGTH):
        raise InvalidInput("message.1", "is no message id")
    if kind == _CALL and isinstance(frame[2], str) and len(frame) > 3 and isinstance(frame[3], Mapping):
        return Call(station_id, origin, message_id, frame[2], frame[3], at)
    if kind == _CALLRESULT and isinstance(frame[2], Mapping):
        action = info.get("action")
        return Result(station_id, origin, message_id, action if isinstance(action, str) else "", frame[2], at)
    if kind == _CALLERROR:
        return None
    raise InvalidInput("message", "is neither CALL nor CALLRESULT nor CALLERROR")


def _origin(post: JsonObject, info: JsonObject) -> Origin:
    told = post.get("origin") or info.get("origin")
    if isinstance(told, str) and told in set(Origin):
        return Origin(told)
    raise InvalidInput("origin", "is neither cs nor csms")


def _sent_at(info: JsonObject, received_at: datetime) -> datetime:
    told = read_instant(info.get("timestamp"))
    return told if told is not None and abs(told - received_at) <= MAX_CLOCK_DIFFERENCE else received_at


def _json(text: str, field: str) -> JsonValue:
    try:
        return read_json(text)
    except UnreadableJson as error:
        raise InvalidInput(field, str(error)) from error
