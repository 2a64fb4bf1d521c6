"""A small OCPI 2.2.1 Receiver in this process that does everything right, but for the faults that it is given."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from pydantic import ValidationError

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.json_types import JsonObject, NotJsonError, as_list, as_object, read_json, write_json
from tools.partner_simulator.datatypes import read_datetime
from tools.partner_simulator.models import ChargingProfile
from tools.partner_simulator.transport import Party, authorization, envelope, new_message_ids, read_token, routing

CPO = Party("NL", "CPO")
TOKEN_A = "Registration-Token-Of-The-Receiver"
VERSION = "2.2.1"
MOST = 10
TIMEOUT = 5
MAXIMUM = 22_080
RETRY_SECONDS = 0.02
# After a timeout of a second and the second by which clocks may differ.
LATE = 2.3
# Longer than an acknowledgement takes on a busy machine, shorter than the slow one of a rehearsal in tests.
IMPATIENT_SECONDS = 0.5


class Fault(Enum):
    """What a Receiver can do wrong; each is one thing."""

    NO_CONTENT_TYPE = auto()
    NO_STATUS_CODE = auto()
    BARE_HTTP_ERRORS = auto()
    LOCAL_TIMESTAMP = auto()
    NO_REQUEST_ID = auto()
    OTHER_CORRELATION_ID = auto()
    NO_IDS_ON_ERRORS = auto()
    ROUTING_NOT_SWAPPED = auto()
    ROUTED_VERSIONS = auto()
    EMPTY_INSTEAD_OF_404 = auto()
    INVALID_JSON_IS_200 = auto()
    WRONG_FIELDS_ARE_400 = auto()
    NO_405 = auto()
    NO_TRAILING_SLASH = auto()
    IDS_REQUIRED = auto()
    ANY_PARTY = auto()
    NO_ANSWER_TO_DELETE = auto()
    UNKNOWN_TOKEN_IS_400 = auto()
    NO_TOKEN_NEEDED = auto()
    TOKENS_WITHOUT_CASE = auto()
    NO_CHALLENGE = auto()
    LINE_FEED_REFUSED = auto()
    REGISTRATION_TOKEN_OPENS_ALL = auto()
    REGISTRATION_TOKEN_REFUSED = auto()
    PLAIN_HTTP = auto()
    NO_VERSION_221 = auto()
    NO_PROFILES_ENDPOINT = auto()
    RELATIVE_VERSION_URL = auto()
    VERSION_TWICE = auto()
    DETAILS_WITHOUT_VERSION = auto()
    CREDENTIALS_TWICE = auto()
    PUT_UNREGISTERED = auto()
    DELETE_UNREGISTERED_IS_401 = auto()
    INCOMPLETE_CREDENTIALS_ARE_3000 = auto()
    UNUSABLE_CLIENT_IS_2000 = auto()
    MISSING_ENDPOINT_IS_FINE = auto()
    MISSING_VERSION_IS_3001 = auto()
    NO_CALL_BACK = auto()
    ROUTED_CALL_BACK = auto()
    SAME_TOKEN_AGAIN = auto()
    NEW_TOKEN_OPENS_NO_SESSIONS = auto()
    REGISTRATION_TOKEN_STAYS = auto()
    CREDENTIALS_WITHOUT_ROLES = auto()
    NO_CPO = auto()
    GET_SHOWS_THEIR_TOKEN = auto()
    POST_TWICE = auto()
    PUT_DOES_NOT_READ = auto()
    PUT_KEEPS_TOKEN = auto()
    OLD_TOKEN_STAYS = auto()
    PATCH_OF_CREDENTIALS = auto()
    UNREGISTERED_TOKEN_STAYS = auto()
    SESSIONS_IN_AN_OBJECT = auto()
    DATE_FROM_OPTIONAL = auto()
    BAD_DATE_IGNORED = auto()
    NEGATIVE_LIMIT_IGNORED = auto()
    DATE_FROM_EXCLUSIVE = auto()
    DATE_TO_INCLUSIVE = auto()
    NO_TOTAL = auto()
    LIMIT_OF_THE_PAGE = auto()
    LIMIT_IGNORED = auto()
    OFFSET_IGNORED = auto()
    NO_LINK = auto()
    LINK_WITHOUT_FILTERS = auto()
    LINK_ON_THE_LAST_PAGE = auto()
    EMPTY_IS_404 = auto()
    SESSION_WITHOUT_CURRENCY = auto()
    KWH_AS_TEXT = auto()
    SESSION_WITH_OFFSET_TIME = auto()
    SAME_SESSION_TWICE = auto()
    ENERGY_IN_WH = auto()
    PERIODS_REVERSED = auto()
    ANONYMOUS_TOKEN = auto()
    PREFERENCES_AS_OBJECT = auto()
    ANY_PREFERENCES = auto()
    RESULT_IN_LOWER_CASE = auto()
    NO_TIMEOUT = auto()
    UNKNOWN_SESSION_IS_404 = auto()
    DURATION_OPTIONAL = auto()
    GET_WITHOUT_URL = auto()
    DELETE_WITHOUT_URL = auto()
    PUT_WITHOUT_UNIT = auto()
    LIMIT_AS_TEXT = auto()
    DURATION_AS_WORD = auto()
    UNKNOWN_FIELDS_REFUSED = auto()
    NULLS_REFUSED = auto()
    Z_REQUIRED = auto()
    EMPTY_PERIODS_ARE_2001 = auto()
    EMPTY_PERIODS_ACCEPTED = auto()
    PAST_ACCEPTED = auto()
    ANY_FIRST_PERIOD = auto()
    ANY_ORDER = auto()
    ANY_LENGTH = auto()
    ANY_RESPONSE_URL = auto()
    SESSION_ID_WITH_CASE = auto()
    QUERY_CUT_AT_AMPERSAND = auto()
    NEVER_ACCEPTS_GET = auto()
    NEVER_ACCEPTS_PUT = auto()
    NEVER_ACCEPTS_DELETE = auto()
    NO_RESULTS = auto()
    RESULTS_TWICE = auto()
    LATE_RESULTS = auto()
    RESULTS_AFTER_REJECTED = auto()
    WRAPPED_RESULTS = auto()
    RESULT_TIMEOUT = auto()
    RESPONSE_URL_CHANGED = auto()
    ACCEPTED_WITHOUT_PROFILE = auto()
    IMPATIENT = auto()
    RETRIES_AFTER_TIMEOUT = auto()
    FOLLOWS_REDIRECTS = auto()
    SECOND_DELETE_REJECTED = auto()
    NO_PERIODS = auto()
    LATE_FIRST_PERIOD = auto()
    ACTIVE_PERIODS_REVERSED = auto()
    ACTIVE_SINCE_YESTERDAY = auto()
    DURATION_NOT_KEPT = auto()
    IN_AMPERES = auto()
    ABOVE_THE_LIMIT = auto()
    CALLS_WITH_TOKEN_A = auto()
    CALLS_WITH_REPLACED_TOKEN = auto()
    CALLS_WITH_PLAIN_TOKEN = auto()
    CALLS_WITHOUT_IDS = auto()
    CALLS_WITH_ONE_ID = auto()
    CALLS_AS_TEXT = auto()
    CALLS_UNROUTED = auto()
    PATCH_FIRST = auto()
    PUSH_WITHOUT_KWH = auto()
    WRAPPED_PUSHES = auto()
    PUSH_TO_ANOTHER_PARTY = auto()
    PATCH_WITHOUT_LAST_UPDATED = auto()
    ALL_PERIODS_AGAIN = auto()
    STATUS_GOES_BACK = auto()
    PUSHED_IS_NOT_LISTED = auto()
    UPDATE_BEFORE_PUT = auto()
    NO_UPDATES = auto()
    WRAPPED_UPDATES = auto()
    UPDATE_FOR_A_DAY = auto()
    OLDER_UPDATE_FOLLOWS = auto()


class RefusedError(Exception):
    """A request that is answered with an error of HTTP or OCPI."""

    def __init__(self, http: int, code: int, message: str = "refused", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.http, self.code, self.headers = http, code, headers or {}


@dataclass(frozen=True, slots=True)
class Client:
    """The registered partner: its token, where its sessions and charging profiles are, and the host of its own."""

    token: str = field(repr=False)
    sessions: str
    charging_profiles: str
    party: Party
    host: str


@dataclass(slots=True)
class _Plan:
    watts: int = MAXIMUM
    own: int | None = None
    was_put: bool = False

    @property
    def limit(self) -> int:
        return min(self.watts, MAXIMUM if self.own is None else self.own)


class RehearsedReceiver:
    """A Receiver with two sessions, of which one runs; also the car that a rehearsal can direct."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = frozenset(faults)
        self.http = HttpService(self._serve, name="receiver")
        self.tokens: list[str] = []
        self.client: Client | None = None
        self.sessions: list[JsonObject] = []
        self.plans: dict[str, _Plan] = {}
        self.too_often = 0
        self.timeout = (
            1 if {Fault.LATE_RESULTS, Fault.RETRIES_AFTER_TIMEOUT, Fault.NO_RESULTS} & self.faults else TIMEOUT
        )
        self.further_party: str | None = None
        self._registration_ended = False
        self._work = ThreadPoolExecutor(max_workers=8, thread_name_prefix="receiver")
        self._stopping = threading.Event()
        self._numbers = itertools.count(1)
        self._calls = httpx.Client(trust_env=False, verify=False)

    @property
    def versions_url(self) -> str:
        return f"{self.http.url}/ocpi/versions"

    def __enter__(self) -> Self:
        self.http.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._work.shutdown(wait=True)
        self._calls.close()
        self.http.stop()

    def _has(self, fault: Fault) -> bool:
        return fault in self.faults

    # The car

    def arrive(self) -> str:
        """One session that is over, and one that runs; the EVSE of that."""
        over = self._session("Over-Before-0001", utc_now() - timedelta(hours=2), "COMPLETED")
        self.sessions.append(over)
        if self._has(Fault.SAME_SESSION_TWICE):
            self.sessions.append({**over, "id": "OVER-before-0001"})
        running = self._session("Running-Now-0002", utc_now() - timedelta(seconds=5), "ACTIVE")
        self.sessions.append(running)
        self.plans["running-now-0002"] = _Plan()
        if self._has(Fault.PATCH_FIRST):
            self._push("PATCH", running, {"kwh": 0, "last_updated": running["last_updated"]})
        whole = {
            name: value for name, value in running.items() if not (name == "kwh" and self._has(Fault.PUSH_WITHOUT_KWH))
        }
        self._push("PUT", running, whole)
        self.limit(9000)
        self.limit(None)
        return str(running["evse_uid"])

    def charge(self) -> None:
        """The meter moves: a new period and a new total."""
        running = self.sessions[-1]
        period = _period(utc_now(), Decimal("0.6"))
        periods = [*as_list(running["charging_periods"]), period]
        change: JsonObject = {"kwh": Decimal("1.1"), "last_updated": write_datetime(utc_now())}
        running |= {**change, "charging_periods": periods}
        change["charging_periods"] = periods if self._has(Fault.ALL_PERIODS_AGAIN) else [period]
        if self._has(Fault.PATCH_WITHOUT_LAST_UPDATED):
            del change["last_updated"]
        if self._has(Fault.STATUS_GOES_BACK):
            change["status"] = "PENDING"
        self._push("PATCH", running, change)

    def limit(self, watts: int | None) -> None:
        """A limit of the charge point's own begins or ends."""
        plan = self.plans["running-now-0002"]
        plan.own = watts
        if (plan.was_put and not self._has(Fault.NO_UPDATES)) or self._has(Fault.UPDATE_BEFORE_PUT):
            self._update(utc_now())
            if self._has(Fault.OLDER_UPDATE_FOLLOWS):
                self._update(utc_now() - timedelta(minutes=1))

    def leave(self) -> None:
        """The session ends."""
        now = write_datetime(utc_now())
        change: JsonObject = {"status": "COMPLETED", "end_date_time": now, "last_updated": now}
        self.sessions[-1] |= change
        self._push("PATCH", self.sessions[-1], change)

    # What it calls

    def _push(self, method: str, session: JsonObject, body: JsonObject) -> None:
        assert self.client is not None
        party = "XXX" if self._has(Fault.PUSH_TO_ANOTHER_PARTY) else CPO.party_id
        url = f"{self.client.sessions}/{CPO.country_code}/{party}/{session['id']}"
        self._call(method, url, _wrapped(body) if self._has(Fault.WRAPPED_PUSHES) else body)

    def _update(self, start: datetime) -> None:
        assert self.client is not None
        active = self._active(86_400 if self._has(Fault.UPDATE_FOR_A_DAY) else 900, start)
        body = _wrapped(active) if self._has(Fault.WRAPPED_UPDATES) else active
        self._call("PUT", f"{self.client.charging_profiles}/Running-Now-0002", body)

    def _call(
        self, method: str, url: str, body: JsonObject | None = None, *, token: str | None = None
    ) -> httpx.Response:
        assert self.client is not None or token is not None
        is_functional = token is None
        presented = token or (
            TOKEN_A if self._has(Fault.CALLS_WITH_TOKEN_A) else self.client.token if self.client else ""
        )
        headers = {
            "Authorization": authorization(presented, plain=self._has(Fault.CALLS_WITH_PLAIN_TOKEN)),
            **new_message_ids(),
        }
        if self._has(Fault.CALLS_WITH_ONE_ID):
            headers["X-Request-ID"] = "always-the-same"
        if self._has(Fault.CALLS_WITHOUT_IDS):
            del headers["X-Correlation-ID"]
        if is_functional and self.client is not None and not self._has(Fault.CALLS_UNROUTED):
            headers |= routing(to=self.client.party, sender=CPO)
        if not is_functional and self._has(Fault.ROUTED_CALL_BACK):
            headers |= routing(to=Party("NL", "RHS"), sender=CPO)
        content = None if body is None else write_json(body)
        if content is not None:
            headers["Content-Type"] = "text/plain" if self._has(Fault.CALLS_AS_TEXT) else "application/json"
        follow = self._has(Fault.FOLLOWS_REDIRECTS)
        return self._calls.request(method, url, content=content, headers=headers, follow_redirects=follow, timeout=10)

    def _deliver(self, url: str, body: JsonObject, answered: datetime) -> None:
        if self._has(Fault.LATE_RESULTS):
            self._stopping.wait(LATE)
        content = _wrapped(body) if self._has(Fault.WRAPPED_RESULTS) else body
        url = url.replace("request_id", "requestId") if self._has(Fault.RESPONSE_URL_CHANGED) else url
        for _ in range(2 if self._has(Fault.RESULTS_TWICE) else 1):
            got = self._post(url, content)
            if got == 500 and not self._stopping.wait(
                LATE if self._has(Fault.RETRIES_AFTER_TIMEOUT) else RETRY_SECONDS
            ):
                self._post(url, content)

    def _post(self, url: str, content: JsonObject) -> int:
        if self._has(Fault.IMPATIENT):
            began = time.monotonic()
            status = self._call("POST", url, content).status_code
            return 500 if time.monotonic() - began > IMPATIENT_SECONDS else status
        return self._call("POST", url, content).status_code

    # What it serves

    def _serve(self, request: Request) -> Response:
        if self._has(Fault.NO_ANSWER_TO_DELETE) and request.method == "DELETE" and "chargingprofiles" in request.path:
            return Response(502)
        try:
            response = self._answer(request)
        except RefusedError as error:
            refusal = envelope(request, http_status=error.http, status_code=error.code, message=str(error))
            response = replace(refusal, headers={**refusal.headers, **error.headers})
        return self._spoiled(request, _routed(request, response))

    def _answer(self, request: Request) -> Response:
        token, path = self._authenticated(request), request.path
        if self._has(Fault.IDS_REQUIRED) and request.header("X-Request-ID") is None:
            raise RefusedError(200, 2001)
        if path.endswith("/") and not self._has(Fault.NO_TRAILING_SLASH):
            path = path.rstrip("/")
        match path.removeprefix("/ocpi/").split("/"):
            case ["versions"]:
                return envelope(request, data=self._versions())
            case ["2.2.1"]:
                return envelope(request, data=self._details())
            case ["2.2.1", "credentials"]:
                return self._credentials(request, token)
        if token == TOKEN_A and not self._has(Fault.REGISTRATION_TOKEN_OPENS_ALL):
            raise RefusedError(401, 2000)
        to = request.header("OCPI-to-party-id")
        if to is not None and to != CPO.party_id and not self._has(Fault.ANY_PARTY):
            raise RefusedError(200, 2001)
        match path.removeprefix("/ocpi/2.2.1/").split("/"):
            case ["sessions"]:
                return self._page(request)
            case ["sessions", _, "charging_preferences"]:
                return self._preferences(request)
            case ["chargingprofiles", session_id]:
                return self._profile(request, session_id)
        if self._has(Fault.EMPTY_INSTEAD_OF_404):
            return envelope(request)
        raise RefusedError(404, 2000)

    def _authenticated(self, request: Request) -> str:
        written = request.header("Authorization") or ""
        if self._has(Fault.NO_TOKEN_NEEDED) and not written:
            return self.tokens[-1] if self.tokens else TOKEN_A
        token = read_token(written, plain=False) or ""
        token = token if self._has(Fault.LINE_FEED_REFUSED) else token.rstrip("\n")
        is_open = not self._registration_ended or self._has(Fault.REGISTRATION_TOKEN_STAYS)
        is_open = is_open and not self._has(Fault.REGISTRATION_TOKEN_REFUSED)
        for known in (*([TOKEN_A] if is_open else []), *self.tokens):
            if token == known or (self._has(Fault.TOKENS_WITHOUT_CASE) and token.casefold() == known.casefold()):
                self._settle(known)
                return known
        challenge = {} if self._has(Fault.NO_CHALLENGE) else {"WWW-Authenticate": "Token"}
        raise RefusedError(400 if self._has(Fault.UNKNOWN_TOKEN_IS_400) and written else 401, 2000, headers=challenge)

    def _settle(self, token: str) -> None:
        if token in self.tokens:
            self._registration_ended = True
            if not self._has(Fault.OLD_TOKEN_STAYS):
                self.tokens = self.tokens[self.tokens.index(token) :]

    def _versions(self) -> list[object]:
        base = "" if self._has(Fault.RELATIVE_VERSION_URL) else self.http.url
        entries: list[object] = [{"version": "2.1.1", "url": f"{base}/ocpi/2.1.1"}]
        times = 0 if self._has(Fault.NO_VERSION_221) else 2 if self._has(Fault.VERSION_TWICE) else 1
        return entries + [{"version": VERSION, "url": f"{self.http.url}/ocpi/{VERSION}"}] * times

    def _details(self) -> JsonObject:
        base = f"{self.http.url}/ocpi/{VERSION}"
        roles = [("credentials", "SENDER"), ("sessions", "SENDER"), ("chargingprofiles", "RECEIVER")]
        if self._has(Fault.NO_PROFILES_ENDPOINT):
            roles.pop()
        if self._has(Fault.CREDENTIALS_TWICE):
            roles.append(("credentials", "RECEIVER"))
        endpoints = [{"identifier": module, "role": role, "url": f"{base}/{module}"} for module, role in roles]
        if self._has(Fault.PLAIN_HTTP):
            url = "http://cpo.example/locations"
            endpoints.append({"identifier": "locations", "role": "SENDER", "url": url})
        details: JsonObject = {"version": VERSION, "endpoints": endpoints}
        if self._has(Fault.DETAILS_WITHOUT_VERSION):
            del details["version"]
        return details

    # Credentials

    def _credentials(self, request: Request, token: str) -> Response:
        is_registered = token != TOKEN_A
        match request.method:
            case "GET":
                shown = "theirs" if self._has(Fault.GET_SHOWS_THEIR_TOKEN) else token
                return envelope(request, data=self._own(shown))
            case "POST" if not is_registered or self._has(Fault.POST_TWICE):
                return self._register(request, rule_reads=not self._has(Fault.NO_CALL_BACK))
            case "PUT" if is_registered or self._has(Fault.PUT_UNREGISTERED):
                if not is_registered:
                    return envelope(request)
                return self._register(request, rule_reads=not self._has(Fault.PUT_DOES_NOT_READ))
            case "DELETE" if is_registered:
                if not self._has(Fault.UNREGISTERED_TOKEN_STAYS):
                    self.tokens, self.client = [], None
                return envelope(request)
            case "DELETE" if self._has(Fault.DELETE_UNREGISTERED_IS_401):
                raise RefusedError(401, 2000)
            case "PATCH" if self._has(Fault.PATCH_OF_CREDENTIALS):
                return envelope(request)
        raise RefusedError(405, 2000, headers={"Allow": "GET"})

    def _register(self, request: Request, *, rule_reads: bool) -> Response:
        told = self._body(request)
        if not {"token", "url", "roles"} <= told.keys():
            raise RefusedError(200, 3000 if self._has(Fault.INCOMPLETE_CREDENTIALS_ARE_3000) else 2001)
        role = as_object(as_list(told["roles"])[0])
        party = Party(str(role["country_code"]), str(role["party_id"]))
        url, token = str(told["url"]), str(told["token"])
        if rule_reads:
            endpoints = self._read(url, token)
        else:
            base = url.removesuffix("/proper/versions") + "/2.2.1"
            endpoints = {name: f"{base}/{name}" for name in ("sessions", "chargingprofiles")}
        # Without its own copy of the partner, a Receiver that does not read cannot refuse either.
        if self._has(Fault.CALLS_WITH_REPLACED_TOKEN) and self.client is not None:
            token = self.client.token
        self.client = Client(token, endpoints["sessions"], endpoints["chargingprofiles"], party, urlsplit(url).netloc)
        if self._has(Fault.SAME_TOKEN_AGAIN) and request.method == "POST":
            self.tokens = [token]
        elif not (self._has(Fault.PUT_KEEPS_TOKEN) and request.method == "PUT"):
            self.tokens.append(f"Token-Of-The-Receiver-{next(self._numbers)}")
        return envelope(request, data=self._own(self.tokens[-1]))

    def _read(self, url: str, token: str) -> dict[str, str]:
        listed = self._call("GET", url, token=token)
        if listed.status_code != 200:
            raise RefusedError(200, 2000 if self._has(Fault.UNUSABLE_CLIENT_IS_2000) else 3001)
        urls = {str(as_object(one)["version"]): str(as_object(one)["url"]) for one in as_list(listed.json()["data"])}
        if VERSION not in urls:
            raise RefusedError(200, 3001 if self._has(Fault.MISSING_VERSION_IS_3001) else 3002)
        details = self._call("GET", urls[VERSION], token=token).json()["data"]
        found = {str(one["identifier"]): str(one["url"]) for one in details["endpoints"]}
        if not {"sessions", "chargingprofiles"} <= found.keys():
            if not self._has(Fault.MISSING_ENDPOINT_IS_FINE):
                raise RefusedError(200, 3003)
            raise RefusedError(200, 2000)
        return found

    def _own(self, token: str) -> JsonObject:
        role = {
            "role": "EMSP" if self._has(Fault.NO_CPO) else "CPO",
            "party_id": CPO.party_id,
            "country_code": CPO.country_code,
            "business_details": {"name": "Example CPO"},
        }
        further = [] if self.further_party is None else [{**role, "party_id": self.further_party}]
        credentials: JsonObject = {"token": token, "url": self.versions_url, "roles": [*further, role]}
        if self._has(Fault.CREDENTIALS_WITHOUT_ROLES):
            credentials["roles"] = []
        return credentials

    def _body(self, request: Request) -> JsonObject:
        try:
            return as_object(read_json(request.body))
        except NotJsonError as error:
            raise RefusedError(200 if self._has(Fault.INVALID_JSON_IS_200) else 400, 2001) from error

    # Sessions

    def _page(self, request: Request) -> Response:
        if request.method != "GET":
            raise RefusedError(405, 2000, headers={"Allow": "GET"})
        if self._has(Fault.NEW_TOKEN_OPENS_NO_SESSIONS) and not self.sessions:
            raise RefusedError(401, 2000)
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        since = self._since(query)
        until = read_datetime(query["date_to"]) if "date_to" in query else None
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", MOST))
        if limit < 1 or offset < 0:
            if not self._has(Fault.NEGATIVE_LIMIT_IGNORED):
                raise RefusedError(200, 2001)
            offset, limit = max(offset, 0), MOST
        chosen = [one for one in self.sessions if self._in_window(one, since, until)]
        if self._has(Fault.PUSHED_IS_NOT_LISTED):
            chosen = [one for one in chosen if one["status"] != "COMPLETED" or one["id"] != "Running-Now-0002"]
        if not chosen and self._has(Fault.EMPTY_IS_404):
            raise RefusedError(404, 2000)
        offset = 0 if self._has(Fault.OFFSET_IGNORED) and offset >= len(chosen) else offset
        limit = MOST if self._has(Fault.LIMIT_IGNORED) else min(limit, MOST)
        page = chosen[offset : offset + limit]
        told = [self._told(one) for one in page]
        is_object = self._has(Fault.SESSIONS_IN_AN_OBJECT) and bool(told)
        response = envelope(request, data={"sessions": told} if is_object else told)
        headers = {**response.headers, "X-Total-Count": str(len(chosen)), "X-Limit": str(MOST)}
        if self._has(Fault.LIMIT_OF_THE_PAGE):
            headers["X-Limit"] = str(len(page))
        if self._has(Fault.NO_TOTAL):
            del headers["X-Total-Count"]
        is_last = offset + limit >= len(chosen)
        if (not is_last and not self._has(Fault.NO_LINK)) or (is_last and self._has(Fault.LINK_ON_THE_LAST_PAGE)):
            kept = {} if self._has(Fault.LINK_WITHOUT_FILTERS) else query
            following = urlencode({**kept, "date_from": query["date_from"], "offset": offset + limit})
            headers["Link"] = f'<{self.http.url}{request.path}?{following}>; rel="next"'
        return replace(response, headers=headers)

    def _since(self, query: dict[str, str]) -> datetime:
        try:
            return read_datetime(query["date_from"])
        except KeyError:
            is_lenient = self._has(Fault.DATE_FROM_OPTIONAL)
        except ValueError:
            is_lenient = self._has(Fault.BAD_DATE_IGNORED)
        if not is_lenient:
            raise RefusedError(200, 2001)
        return utc_now() - timedelta(days=365)

    def _in_window(self, session: JsonObject, since: datetime, until: datetime | None) -> bool:
        at = read_datetime(session["last_updated"])
        begins = at > since if self._has(Fault.DATE_FROM_EXCLUSIVE) else at >= since
        if until is None:
            return begins
        return begins and (at <= until if self._has(Fault.DATE_TO_INCLUSIVE) else at < until)

    def _told(self, session: JsonObject) -> JsonObject:
        told = dict(session)
        if self._has(Fault.SESSION_WITHOUT_CURRENCY):
            del told["currency"]
        if self._has(Fault.KWH_AS_TEXT):
            told["kwh"] = str(told["kwh"])
        if self._has(Fault.SESSION_WITH_OFFSET_TIME):
            told["start_date_time"] = str(told["start_date_time"]).replace("Z", "+00:00")
        return told

    def _session(self, session_id: str, start: datetime, status: str) -> JsonObject:
        energy = Decimal(500) if self._has(Fault.ENERGY_IN_WH) else Decimal("0.25")
        periods = [_period(start, energy), _period(start + timedelta(seconds=2), energy)]
        uid = "#NA" if self._has(Fault.ANONYMOUS_TOKEN) else "pseudonym-1"
        token = {"country_code": "NL", "party_id": "MSP", "uid": uid, "type": "RFID", "contract_id": "pseudonym-2"}
        updated = start + timedelta(seconds=4)
        session: JsonObject = {
            "country_code": CPO.country_code,
            "party_id": CPO.party_id,
            "id": session_id,
            "start_date_time": write_datetime(start),
            "kwh": Decimal("0.5"),
            "cdr_token": token,
            "auth_method": "WHITELIST",
            "location_id": "LOC1",
            "evse_uid": "3256",
            "connector_id": "1",
            "currency": "EUR",
            "charging_periods": periods[::-1] if self._has(Fault.PERIODS_REVERSED) else periods,
            "status": status,
            "last_updated": write_datetime(updated),
        }
        return {**session, "end_date_time": write_datetime(updated)} if status == "COMPLETED" else session

    def _preferences(self, request: Request) -> Response:
        if request.method != "PUT":
            raise RefusedError(405, 2000, headers={"Allow": "PUT"})
        kinds = {"CHEAP", "FAST", "GREEN", "REGULAR"}
        if self._body(request).get("profile_type") not in kinds and not self._has(Fault.ANY_PREFERENCES):
            raise RefusedError(200, 2001)
        return envelope(request, data={"result": "ACCEPTED"} if self._has(Fault.PREFERENCES_AS_OBJECT) else "ACCEPTED")

    # Charging profiles

    def _profile(self, request: Request, session_id: str) -> Response:
        profile: ChargingProfile | None = None
        match request.method:
            case "PUT":
                url, profile = self._set_profile(request)
            case "GET":
                url = self._get_query(request)
            case "DELETE":
                url = self._delete_query(request)
            case _ if self._has(Fault.NO_405):
                raise RefusedError(200, 2000)
            case _:
                raise RefusedError(405, 2000, headers={"Allow": "GET, PUT, DELETE"})
        duration = dict(parse_qsl(request.query)).get("duration", "900")
        result, said = self._decide(request.method, session_id, profile, int(duration) if duration.isdigit() else 900)
        promised = self.timeout if result == "ACCEPTED" else 0
        data: JsonObject = {"result": result, "timeout": promised}
        if self._has(Fault.RESULT_IN_LOWER_CASE) and result == "UNKNOWN_SESSION":
            data["result"] = "unknown_session"
        if self._has(Fault.NO_TIMEOUT):
            data["timeout"] = None
        is_told = result == "ACCEPTED" or (result == "REJECTED" and self._has(Fault.RESULTS_AFTER_REJECTED))
        if is_told and not self._has(Fault.NO_RESULTS):
            self._work.submit(self._deliver, url, said, utc_now())
        return envelope(request, data=data)

    def _decide(
        self, method: str, session_id: str, profile: ChargingProfile | None, duration: int
    ) -> tuple[str, JsonObject]:
        plan = self.plans.get(session_id.casefold())
        if plan is None or (self._has(Fault.SESSION_ID_WITH_CASE) and session_id != "Running-Now-0002"):
            if self._has(Fault.UNKNOWN_SESSION_IS_404):
                raise RefusedError(404, 2000)
            return "UNKNOWN_SESSION", {}
        if self.too_often > 0:
            self.too_often -= 1
            return "TOO_OFTEN", {}
        answer: JsonObject = {"result": "TIMEOUT" if self._has(Fault.RESULT_TIMEOUT) else "ACCEPTED"}
        if method == "GET":
            if self._has(Fault.NEVER_ACCEPTS_GET):
                return "NOT_SUPPORTED", {}
            if not self._has(Fault.ACCEPTED_WITHOUT_PROFILE):
                answer["profile"] = self._active(duration, utc_now())
            return "ACCEPTED", answer if not self._has(Fault.RESULT_TIMEOUT) else {"result": "TIMEOUT"}
        if profile is None:
            return self._cleared(plan, answer)
        if self._has(Fault.NEVER_ACCEPTS_PUT):
            return "NOT_SUPPORTED", {}
        periods = profile.charging_profile_period or []
        if not periods and not self._has(Fault.EMPTY_PERIODS_ACCEPTED):
            return "REJECTED", {"result": "REJECTED"}
        start, length = profile.start_date_time, profile.duration
        is_over = start is not None and length is not None and start + timedelta(seconds=length) < utc_now()
        if is_over and not self._has(Fault.PAST_ACCEPTED):
            return "REJECTED", {"result": "REJECTED"}
        plan.was_put = True
        plan.watts = int(periods[0].limit) if periods and not is_over else MAXIMUM
        return "ACCEPTED", answer

    def _cleared(self, plan: _Plan, answer: JsonObject) -> tuple[str, JsonObject]:
        if self._has(Fault.NEVER_ACCEPTS_DELETE):
            return "NOT_SUPPORTED", {}
        if plan.watts == MAXIMUM:
            return "ACCEPTED", {"result": "REJECTED" if self._has(Fault.SECOND_DELETE_REJECTED) else "UNKNOWN"}
        plan.watts = MAXIMUM
        return "ACCEPTED", answer

    def _active(self, duration: int, start: datetime) -> JsonObject:
        limit = self.plans["running-now-0002"].limit
        limit = MAXIMUM if self._has(Fault.ABOVE_THE_LIMIT) else limit
        first = 60 if self._has(Fault.LATE_FIRST_PERIOD) else 0
        periods: list[object] = [{"start_period": first, "limit": limit}, {"start_period": 120, "limit": limit}]
        if self._has(Fault.ACTIVE_PERIODS_REVERSED):
            periods.append({"start_period": 90, "limit": limit})
        at = write_datetime(start - timedelta(days=1) if self._has(Fault.ACTIVE_SINCE_YESTERDAY) else start)
        profile: JsonObject = {
            "start_date_time": at,
            "duration": 3600 if self._has(Fault.DURATION_NOT_KEPT) else duration,
            "charging_rate_unit": "A" if self._has(Fault.IN_AMPERES) else "W",
            "charging_profile_period": [] if self._has(Fault.NO_PERIODS) else periods,
        }
        return {"start_date_time": at, "charging_profile": profile}

    def _set_profile(self, request: Request) -> tuple[str, ChargingProfile]:
        body = self._body(request)
        wire = as_object(body.get("charging_profile"))
        if "charging_profile" not in body:
            raise self._wrong()
        url = self._checked(str(body["response_url"]) if "response_url" in body else None)
        if self._has(Fault.PUT_WITHOUT_UNIT):
            wire.setdefault("charging_rate_unit", "W")
        if self._has(Fault.LIMIT_AS_TEXT):
            wire = _with_numbers(wire)
        if self._has(Fault.NULLS_REFUSED) and None in (wire.get("duration", 0), wire.get("min_charging_rate", 0)):
            raise self._wrong()
        if self._has(Fault.Z_REQUIRED) and not str(wire.get("start_date_time", "Z")).endswith("Z"):
            raise self._wrong()
        try:
            is_strict = self._has(Fault.UNKNOWN_FIELDS_REFUSED)
            profile = ChargingProfile.model_validate(wire, extra="forbid" if is_strict else "ignore")
        except ValidationError as error:
            raise self._wrong() from error
        starts = [period.start_period for period in profile.charging_profile_period or []]
        if not starts and self._has(Fault.EMPTY_PERIODS_ARE_2001):
            raise self._wrong()
        if starts and starts[0] != 0 and not self._has(Fault.ANY_FIRST_PERIOD):
            raise self._wrong()
        if starts != sorted(set(starts)) and not self._has(Fault.ANY_ORDER):
            raise self._wrong()
        return url, profile

    def _get_query(self, request: Request) -> str:
        query = dict(parse_qsl(request.query))
        duration = query.get("duration")
        if duration is None and not self._has(Fault.DURATION_OPTIONAL):
            raise self._wrong()
        if duration is not None and not duration.isdigit() and not self._has(Fault.DURATION_AS_WORD):
            raise self._wrong()
        url = self._response_url(request)
        if url is None and self._has(Fault.GET_WITHOUT_URL):
            return ""
        return self._checked(url)

    def _delete_query(self, request: Request) -> str:
        url = self._response_url(request)
        return "" if url is None and self._has(Fault.DELETE_WITHOUT_URL) else self._checked(url)

    def _response_url(self, request: Request) -> str | None:
        pairs = parse_qsl(request.query)
        url = dict(pairs).get("response_url")
        if url is None or self._has(Fault.QUERY_CUT_AT_AMPERSAND):
            return url
        more = [f"{name}={value}" for name, value in pairs if name not in {"duration", "response_url"}]
        return "&".join([url, *more])

    def _checked(self, url: str | None) -> str:
        if url is None:
            raise self._wrong()
        if len(url) > 255 and not self._has(Fault.ANY_LENGTH):
            raise self._wrong()
        parts = urlsplit(url)
        is_own = self.client is not None and parts.netloc == self.client.host and parts.scheme == "http"
        if not is_own and not self._has(Fault.ANY_RESPONSE_URL):
            raise self._wrong()
        return url

    def _wrong(self) -> RefusedError:
        return RefusedError(400 if self._has(Fault.WRONG_FIELDS_ARE_400) else 200, 2001)

    # Faults of every answer

    def _spoiled(self, request: Request, response: Response) -> Response:
        headers, body = dict(response.headers), as_object(read_json(response.body))
        is_error = response.status >= 400 or int(str(body.get("status_code", 0))) >= 2000
        is_configuration = "versions" in request.path or request.path.endswith(("2.2.1", "credentials"))
        if self._has(Fault.NO_CONTENT_TYPE):
            headers["Content-Type"] = "text/html"
        if self._has(Fault.NO_REQUEST_ID) and not is_error:
            headers.pop("X-Request-ID", None)
        if self._has(Fault.OTHER_CORRELATION_ID) and not is_error:
            headers["X-Correlation-ID"] = "another"
        if self._has(Fault.NO_IDS_ON_ERRORS) and is_error:
            headers.pop("X-Request-ID", None)
        if self._has(Fault.ROUTED_VERSIONS) and is_configuration:
            headers |= routing(to=Party("NL", "RHS"), sender=CPO)
        if self._has(Fault.ROUTING_NOT_SWAPPED) and not is_configuration:
            headers |= routing(to=CPO, sender=Party("NL", "RHS"))
        if self._has(Fault.LOCAL_TIMESTAMP):
            body["timestamp"] = "2026-01-15T17:00:00+01:00"
        if self._has(Fault.NO_STATUS_CODE) and request.method == "GET" and request.path.endswith("/credentials"):
            body["status_code"] = "1000"
        content = write_json(body).encode()
        if self._has(Fault.BARE_HTTP_ERRORS) and response.status >= 400:
            content = b"error"
        return Response(response.status, content, headers)


def _routed(request: Request, response: Response) -> Response:
    """The ids of a request that has none, and the routing headers of an answer that comes from us."""
    headers = dict(response.headers)
    for name, value in new_message_ids().items():
        headers.setdefault(name, value)
    is_functional = "/sessions" in request.path or "/chargingprofiles/" in request.path
    if is_functional and request.header("OCPI-from-party-id") is not None:
        sender = Party(request.header("OCPI-from-country-code") or "", request.header("OCPI-from-party-id") or "")
        headers |= routing(to=sender, sender=CPO)
    return replace(response, headers=headers)


def _period(start: datetime, energy: Decimal) -> JsonObject:
    return {"start_date_time": write_datetime(start), "dimensions": [{"type": "ENERGY", "volume": energy}]}


def _wrapped(body: JsonObject) -> JsonObject:
    return {"data": body, "status_code": 1000, "timestamp": write_datetime(utc_now())}


def _with_numbers(wire: JsonObject) -> JsonObject:
    periods = [dict(as_object(one)) for one in as_list(wire.get("charging_profile_period"))]
    for period in periods:
        if isinstance(period.get("limit"), str):
            period["limit"] = Decimal(str(period["limit"]))
    return {**wire, "charging_profile_period": periods}
