"""What the Receiver can call: versions and credentials, results, sessions, active profiles, as an SCSP serves them."""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from urllib.parse import unquote, urlsplit

from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, NotJsonError, as_object, read_json
from tools.partner_simulator.transport import Party, envelope, read_token
from tools.rehearsal.pushed_sessions import PushedSessions

ROOT = "/ocpi"
VERSION = "2.2.1"
FUNCTIONAL = f"{ROOT}/{VERSION}"
SESSIONS = "sessions"
CHARGING_PROFILES = "chargingprofiles"
RESPONSE = f"{FUNCTIONAL}/{CHARGING_PROFILES}/response"
REDIRECTED = f"{FUNCTIONAL}/redirected"
MODULES = (("credentials", "SENDER"), (SESSIONS, "RECEIVER"), (CHARGING_PROFILES, "SENDER"))


class Shape(StrEnum):
    """How our versions look to who reads them during a handshake."""

    PROPER = "proper"
    UNUSABLE = "unusable"
    OUTDATED = "outdated"
    PARTIAL = "partial"


class Acknowledgement(Enum):
    """How a result is taken."""

    PROMPT = "at once"
    SLOW = "late"
    FAILING_ONCE = "the first time with HTTP 500"
    REDIRECTING = "with a redirect to another path of ours"


class Subject(Enum):
    """What a call of the Receiver is about."""

    CONFIGURATION = "versions and details"
    RESULT = "a result"
    SESSION = "a session"
    UPDATE = "an active profile"
    REDIRECTED = "a redirect that was followed"
    HOSTILE = "a result at a response URL that should have been refused"
    CUT = "a result at a response URL that lost its end"
    NOTHING = "nothing that is served"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call of the Receiver. `body` is None where it is no JSON object; `taken`: it got HTTP 200 with 1000.

    `key` is that of the response URL, or the session's id; empty for a response URL that nobody gave.
    """

    at: datetime
    subject: Subject
    request: Request = field(repr=False)
    body: JsonObject | None = field(repr=False)
    key: str = ""
    owner: Party | None = None
    taken: bool = True


class Inbox:
    """Serves the Receiver's calls below `public_url` and keeps them; `slow_seconds` is how late a slow one is taken.

    `judge` is told of each call before it is answered. The token that it has to present is told by `expect_token`; one that
    is offered in a handshake opens this side too, until it is known whether the handshake led to anything.
    """

    def __init__(
        self,
        public_url: str | None,
        listen: tuple[str, int],
        *,
        slow_seconds: float,
        judge: Callable[[Request, Subject], None],
    ) -> None:
        self.arrivals: Journal[Arrival] = Journal()
        self.sessions = PushedSessions()
        self._tokens: list[str] = []
        self._offered: list[str] = []
        self.http = HttpService(self._serve, name="rehearsal", listen=listen)
        self.public_url = (public_url or self.http.url).rstrip("/")
        self._slow_seconds = slow_seconds
        self._judge = judge
        self._lock = threading.Lock()
        self._given: dict[str, tuple[Subject, str]] = {}
        self._manners: dict[str, Acknowledgement] = {}
        self._failed: set[str] = set()
        self._closing = threading.Event()

    def close(self) -> None:
        """Serve no longer."""
        self._closing.set()
        self.http.stop()

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens that the Receiver may present now."""
        return (*self._tokens[-1:], *self._offered)

    def offer_token(self, token: str) -> None:
        """A handshake begins with this token for the Receiver; others that led to nothing are forgotten."""
        self._offered = [token]

    def expect_token(self, token: str) -> None:
        """The Receiver has this token and presents it from now on. One that it replaces is still let in, to be judged."""
        self._tokens, self._offered = [*self._tokens[-1:], token], []

    def versions_url(self, shape: Shape = Shape.PROPER) -> str:
        """Our versions endpoint."""
        return f"{self.public_url}{ROOT}/{shape}/versions"

    def expect_result(
        self, how: Acknowledgement = Acknowledgement.PROMPT, *, more: str = "", base: str | None = None
    ) -> tuple[str, str]:
        """A response URL that nobody was given before, and its key.

        `more` is added to its query; with another `base` than ours it is one that should be refused.
        """
        key = uuid.uuid4().hex[:12]
        target = f"{RESPONSE}?request_id={key}{more}"
        with self._lock:
            self._given[target] = Subject.RESULT if base is None else Subject.HOSTILE, key
            if more:
                self._given[target.removesuffix(more)] = Subject.CUT, key
            self._manners[key] = how
        return f"{base or self.public_url}{target}", key

    def of(self, subject: Subject, since: int = 0) -> list[Arrival]:
        """The calls about something, in order."""
        return self.arrivals.matching(lambda one: one.subject is subject, since)

    def results(self, key: str) -> list[Arrival]:
        """The calls at one response URL, in order."""
        return self.arrivals.matching(lambda one: one.subject is Subject.RESULT and one.key == key)

    def how(self, key: str) -> Acknowledgement | None:
        """How results at the response URL with this key are taken."""
        with self._lock:
            return self._manners.get(key)

    def _serve(self, request: Request) -> Response:
        subject, key, owner = self._find(request)
        self._judge(request, subject)
        response = self._answer(request, subject, key, owner)
        is_taken = response.status == 200
        body = _json_object(request.body)
        self.arrivals.record(Arrival(request.at, subject, request, body, key, owner, is_taken))
        if subject is Subject.RESULT and self.how(key) is Acknowledgement.SLOW:
            self._closing.wait(self._slow_seconds)
        return response

    def _find(self, request: Request) -> tuple[Subject, str, Party | None]:
        path = _own_path(request.path)
        parts = [unquote(part) for part in path.removeprefix(f"{FUNCTIONAL}/").split("/")]
        match request.method, parts:
            case "GET", ["", "ocpi", shape, "versions" | "2.2.1"] if shape in list(Shape):
                return Subject.CONFIGURATION, shape, None
            case "POST", ["chargingprofiles", "response"]:
                subject, key = self._given.get(_own_target(request), (Subject.RESULT, ""))
                return subject, key, None
            case _, ["redirected"]:
                return Subject.REDIRECTED, "", None
            case "PUT" | "PATCH" | "GET", ["sessions", country_code, party_id, session_id]:
                return Subject.SESSION, session_id, Party(country_code, party_id)
            case "PUT", ["chargingprofiles", session_id]:
                return Subject.UPDATE, session_id, None
        return Subject.NOTHING, "", None

    def _answer(self, request: Request, subject: Subject, key: str, owner: Party | None) -> Response:
        written = request.header("Authorization") or ""
        if not {read_token(written, plain=False), read_token(written, plain=True)} & {*self._tokens, *self._offered}:
            return envelope(request, http_status=401, status_code=2000, message="unknown token")
        match subject:
            case Subject.CONFIGURATION:
                return self._configuration(request, Shape(key))
            case Subject.RESULT:
                return self._take_result(request, key)
            case Subject.SESSION if owner is not None:
                return self._session(request, owner, key)
            case Subject.UPDATE | Subject.REDIRECTED | Subject.HOSTILE | Subject.CUT:
                return envelope(request)
        return envelope(request, http_status=404, status_code=2000, message="nothing is served here")

    def _configuration(self, request: Request, shape: Shape) -> Response:
        base = f"{self.public_url}{ROOT}/{shape}"
        if shape is Shape.UNUSABLE:
            return envelope(request, http_status=500, status_code=3000, message="rehearsal: out of order")
        if request.path.endswith("/versions"):
            version = "2.1.1" if shape is Shape.OUTDATED else VERSION
            return envelope(request, data=[{"version": version, "url": f"{base}/{version}"}])
        endpoints = [
            {"identifier": module, "role": role, "url": f"{self.public_url}{FUNCTIONAL}/{module}"}
            for module, role in MODULES
            if shape is not Shape.PARTIAL or module != SESSIONS
        ]
        return envelope(request, data={"version": VERSION, "endpoints": endpoints})

    def _take_result(self, request: Request, key: str) -> Response:
        if not key:
            return envelope(request, http_status=404, status_code=2000, message="nobody gave this response_url")
        how = self.how(key)
        if how is Acknowledgement.REDIRECTING:
            away = {"Location": f"{self.public_url}{REDIRECTED}"}
            return Response(307, b"", away)
        with self._lock:
            is_first = key not in self._failed
            self._failed.add(key)
        if how is Acknowledgement.FAILING_ONCE and is_first:
            return envelope(request, http_status=500, status_code=3000, message="rehearsal: fails once")
        return envelope(request)

    def _session(self, request: Request, owner: Party, session_id: str) -> Response:
        if request.method == "GET":
            known = self.sessions.get(owner, session_id)
            if known is None:
                return envelope(request, http_status=404, status_code=2000, message="unknown session")
            return envelope(request, data=known)
        body = _json_object(request.body)
        if body is None:
            return envelope(request, http_status=400, status_code=2001, message="no JSON object")
        if not self.sessions.take(request.method, owner, session_id, body):
            return envelope(request, http_status=404, status_code=2000, message="unknown session")
        return envelope(request)


def bare(body: Mapping[str, object] | None) -> bool:
    """Whether a body is the object itself and not an envelope around it (4.1.7)."""
    return body is not None and not {"data", "status_code"} & body.keys()


def _own_path(path: str) -> str:
    # Whatever a tunnel or a proxy puts before it is its own affair.
    return path[max(path.find(f"{ROOT}/"), 0) :]


def _own_target(request: Request) -> str:
    query = urlsplit(request.target).query
    return _own_path(request.path) + (f"?{query}" if query else "")


def _json_object(body: bytes) -> JsonObject | None:
    try:
        read = read_json(body)
    except NotJsonError:
        return None
    return as_object(read) if isinstance(read, dict) else None
