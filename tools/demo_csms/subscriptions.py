"""Who wants a station's raw frames, as CitrineOS keeps it: `/data/ocpprouter/subscription`.

`POST` makes one and answers its id, `GET ?stationId=` lists those of a station, `DELETE ?id=` removes one; `tenantId`
stands in the query. CitrineOS looks at them when a station connects and every three minutes; here they hold at once.
"""

import itertools
import re
import threading
from dataclasses import dataclass
from urllib.parse import parse_qs

from tools.counterparts.http_service import Request, Response
from tools.counterparts.json_types import JsonObject, NotJsonError, as_int, as_object, as_text, read_json

PATH = "/data/ocpprouter/subscription"
# Its database keeps texts of this length.
MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscriber of one station; `pattern` is searched in the text of each frame, None takes all."""

    number: int
    tenant_id: int
    station_id: str
    on_connect: bool
    on_close: bool
    on_message: bool
    sent_message: bool
    pattern: str | None
    url: str

    def wants(self, text: str) -> bool:
        """Whether the pattern lets a frame pass."""
        return self.pattern is None or re.search(self.pattern, text) is not None

    def document(self) -> JsonObject:
        """The subscription as CitrineOS shows it."""
        return {
            "id": self.number,
            "tenantId": self.tenant_id,
            "stationId": self.station_id,
            "onConnect": self.on_connect,
            "onClose": self.on_close,
            "onMessage": self.on_message,
            "sentMessage": self.sent_message,
            "messageRegexFilter": self.pattern,
            "url": self.url,
        }


class Subscriptions:
    """The subscriptions and their HTTP surface. Thread safe."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._known: dict[int, Subscription] = {}
        self._lock = threading.Lock()

    def of(self, station_id: str) -> list[Subscription]:
        """The subscriptions of a station, oldest first."""
        with self._lock:
            return [one for one in self._known.values() if one.station_id == station_id]

    def handle(self, request: Request) -> Response | None:
        """Answers a request; None for one that is for another path."""
        if request.path != PATH:
            return None
        query = parse_qs(request.query)
        match request.method:
            case "POST":
                return self._add(request.body)
            case "GET":
                return self._list(query)
            case "DELETE":
                return self._remove(query)
        return Response.json(404, {"statusCode": 404, "message": f"Route {request.method}:{PATH} not found"})

    def _add(self, body: bytes) -> Response:
        try:
            said = as_object(read_json(body))
        except NotJsonError:
            return _invalid("body must be object")
        station_id, url, pattern = (as_text(said.get(name)) for name in ("stationId", "url", "messageRegexFilter"))
        if not station_id or not url or max(len(station_id), len(url), len(pattern or "")) > MAX_TEXT:
            return _invalid(f"body must have stationId and url of at most {MAX_TEXT} characters")
        connect, close, message, sent = (
            said.get(name) is True for name in ("onConnect", "onClose", "onMessage", "sentMessage")
        )
        if not (connect or close or message or sent):
            return _invalid("Must specify at least one of onConnect, onClose, onMessage, sentMessage to true.")
        with self._lock:
            number = next(self._numbers)
            self._known[number] = Subscription(
                number=number,
                tenant_id=as_int(said.get("tenantId")) or 1,
                station_id=station_id,
                on_connect=connect,
                on_close=close,
                on_message=message,
                sent_message=sent,
                pattern=pattern,
                url=url,
            )
        return Response.json(200, number)

    def _list(self, query: dict[str, list[str]]) -> Response:
        if "stationId" not in query:
            return _invalid("querystring must have required property 'stationId'")
        tenant = int(query.get("tenantId", ["1"])[0])
        found = [one.document() for one in self.of(query["stationId"][0]) if one.tenant_id == tenant]
        return Response.json(200, found)

    def _remove(self, query: dict[str, list[str]]) -> Response:
        number = query.get("id", [""])[0]
        if not number.isdigit():
            return _invalid("querystring must have required property 'id'")
        with self._lock:
            self._known.pop(int(number), None)
        return Response(200, b"true", {"Content-Type": "application/json"})


def _invalid(message: str) -> Response:
    return Response.json(400, {"statusCode": 400, "code": "FST_ERR_VALIDATION", "message": message})
