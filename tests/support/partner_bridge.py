"""A bridge by script for the tests of the partner: does the handshake, serves pages, and breaks one rule on demand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlencode

import httpx

from tools.counterparts.clock import write_datetime
from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text, read_json, write_json
from tools.partner_simulator import PartnerSimulator, Party
from tools.partner_simulator.transport import (
    authorization,
    envelope,
    new_message_ids,
    read_token,
    routing,
)

CPO = Party("NL", "CPO")
TOKEN_A = "registration-token"
START = datetime(2026, 1, 15, 16, 0, tzinfo=UTC)
MOST = 10
SESSION: JsonObject = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "session-1",
    "start_date_time": "2026-01-15T15:58:12Z",
    "kwh": 0,
    "cdr_token": {"country_code": "NL", "party_id": "MSP", "uid": "p-1", "type": "RFID", "contract_id": "p-2"},
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "3256",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T16:00:00Z",
}

Edit = Callable[[JsonObject, dict[str, str]], None]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call of the bridge got."""

    status: int
    body: JsonObject
    headers: httpx.Headers
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Change:
    path: str
    method: str | None
    edit: Edit


class ScriptedBridge:
    """Serves OCPI for one partner as it should, except for what `change` edits in its answers."""

    def __init__(self, partner: PartnerSimulator) -> None:
        self.partner = partner
        self.http = HttpService(self._serve, name="scripted-bridge")
        self.token_a: str | None = TOKEN_A
        self.tokens: list[str] = []
        self.presented = ""
        self.partner_url = ""
        self.sessions: list[JsonObject] = []
        self.reads_back = True
        self.on_post: Callable[[], None] = lambda: None
        self._changes: list[_Change] = []
        self._count = 0

    @property
    def versions_url(self) -> str:
        return f"{self.http.url}/here/versions"

    def change(self, path: str, edit: Edit, *, method: str | None = None) -> None:
        """Edit body and headers of every proper answer to a path that contains `path`."""
        self._changes.append(_Change(path, method, edit))

    def add_sessions(self, count: int, **changes: object) -> None:
        """Sessions one second apart, the first at START."""
        for number in range(count):
            at = write_datetime(START + timedelta(seconds=number))
            self.sessions.append({**SESSION, "id": f"session-{number}", "last_updated": at, **changes})

    # Calls to the partner

    def call(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        token: str | None = None,
        functional: bool = True,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """A proper request; `headers` (lower case) add or replace one, None leaves one out."""
        complete: dict[str, str | None] = {
            "authorization": authorization(self.presented if token is None else token, plain=False),
            **{name.lower(): value for name, value in new_message_ids().items()},
        }
        if functional:
            complete |= {name.lower(): value for name, value in routing(to=self.partner.party, sender=CPO).items()}
        if body is not None:
            complete["content-type"] = "application/json"
        complete |= headers or {}
        got = httpx.request(
            method,
            url,
            content=None if body is None else write_json(body),
            headers={name: value for name, value in complete.items() if value is not None},
        )
        parsed = as_object(read_json(got.content)) if got.content.startswith(b"{") else {}
        return Reply(got.status_code, parsed, got.headers, got.content)

    def read_partner(self, versions_url: str, token: str, version: str = "2.2.1") -> JsonObject:
        """The partner's endpoints by module, as a registering platform finds them."""
        listed = self.call("GET", versions_url, token=token, functional=False)
        urls = {as_object(one)["version"]: as_object(one)["url"] for one in as_list(listed.body.get("data"))}
        details = self.call("GET", str(urls[version]), token=token, functional=False)
        endpoints = as_list(as_object(details.body.get("data")).get("endpoints"))
        return {str(as_object(one)["identifier"]): as_object(one)["url"] for one in endpoints}

    def credentials(self, token: str) -> JsonObject:
        role = {"role": "CPO", "party_id": "CPO", "country_code": "NL", "business_details": {"name": "Example CPO"}}
        return {"token": token, "url": self.versions_url, "roles": [role]}

    # What it serves

    def _serve(self, request: Request) -> Response:
        response = self._proper(request)
        for change in self._changes:
            if change.path in request.path and change.method in {None, request.method}:
                body, headers = as_object(read_json(response.body)), dict(response.headers)
                change.edit(body, headers)
                status = body.pop("http_status", response.status)
                response = Response(int(str(status)), write_json(body).encode(), headers)
        return response

    def _proper(self, request: Request) -> Response:
        token = read_token(request.header("Authorization") or "", plain=False)
        module = request.path.rstrip("/").rpartition("/")[2]
        if token is None or token not in {self.token_a, *self.tokens}:
            return envelope(request, http_status=401, status_code=2000)
        match module:
            case "versions":
                urls = [{"version": one, "url": f"{self.http.url}/here/{one}"} for one in ("2.2.1", "2.3.0")]
                return envelope(request, data=[{"version": "2.1.1", "url": f"{self.http.url}/old"}, *urls])
            case "2.2.1" | "2.3.0":
                return envelope(request, data=self._details(module))
            case "credentials":
                return self._credentials(request, token)
            case "sessions":
                return self._page(request)
            case "charging_preferences":
                return envelope(request, data="ACCEPTED")
        return envelope(request, data={"result": "ACCEPTED", "timeout": 30})

    def _details(self, version: str) -> JsonObject:
        roles = {"credentials": "RECEIVER", "sessions": "SENDER", "chargingprofiles": "RECEIVER"}
        endpoints = [
            {"identifier": module, "role": role, "url": f"{self.http.url}/there/{version}/{module}"}
            for module, role in roles.items()
        ]
        return {"version": version, "endpoints": endpoints}

    def _credentials(self, request: Request, token: str) -> Response:
        is_registered = token in self.tokens
        if request.method not in ({"GET", "PUT", "DELETE"} if is_registered else {"GET", "POST"}):
            return envelope(request, http_status=405, status_code=2000, message="not now")
        if request.method == "GET":
            return envelope(request, data=self.credentials(token))
        if request.method == "DELETE":
            self.tokens.clear()
            return envelope(request)
        told = as_object(read_json(request.body))
        version = "2.3.0" if "/2.3.0/" in request.path else "2.2.1"
        self.on_post()
        if self.reads_back:
            self.read_partner(str(told["url"]), str(told["token"]), version)
        self.presented, self.partner_url = str(told["token"]), str(told["url"])
        self._count += 1
        self.tokens = [*self.tokens[-1:], f"token-of-the-bridge-{self._count}"]
        return envelope(request, data=self.credentials(self.tokens[-1]))

    def _page(self, request: Request) -> Response:
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        if "date_from" not in query:
            return envelope(request, status_code=2001, message="date_from is missing")
        chosen = [one for one in self.sessions if _in_window(one, query)]
        offset, limit = int(query.get("offset", 0)), min(int(query.get("limit", MOST)), MOST)
        page = envelope(request, data=chosen[offset : offset + limit])
        headers = {**page.headers, "X-Total-Count": str(len(chosen)), "X-Limit": str(MOST)}
        if offset + limit < len(chosen):
            following = urlencode({**query, "offset": offset + limit, "limit": limit})
            headers["Link"] = f'<{self.http.url}{request.path}?{following}>; rel="next"'
        return replace(page, headers=headers)


def _in_window(session: JsonObject, query: Mapping[str, str]) -> bool:
    # All times of a script are written alike, so that their texts compare as they do.
    at = as_text(session["last_updated"]) or ""
    return query["date_from"] <= at and ("date_to" not in query or at < query["date_to"])


def put(key: str, value: object) -> Edit:
    """Replace a field of the envelope."""

    def edit(body: JsonObject, _: dict[str, str]) -> None:
        body[key] = value

    return edit


def put_in_data(**changes: object) -> Edit:
    """Replace fields of `data`."""

    def edit(body: JsonObject, _: dict[str, str]) -> None:
        body["data"] = {**as_object(body.get("data")), **changes}

    return edit


def put_header(name: str, value: str | None) -> Edit:
    """Replace a header, or leave it out."""

    def edit(_: JsonObject, headers: dict[str, str]) -> None:
        headers.pop(name, None)
        if value is not None:
            headers[name] = value

    return edit
