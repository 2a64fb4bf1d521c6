"""The scripted bridge as a platform: its versions and credentials, and who may come in."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qs, urlencode

import httpx

from tools.counterparts.http_service import Request, Response
from tools.counterparts.json_types import JsonObject, as_list, as_object, as_text, read_json
from tools.partner_simulator import Party
from tools.partner_simulator.transport import authorization, envelope, new_message_ids, read_token

CPO = Party("NL", "CPO")
TOKEN_A = "registration-token"
VERSIONS = ("2.2.1", "2.3.0")
ROLES = {"credentials": "RECEIVER", "sessions": "SENDER", "chargingprofiles": "RECEIVER"}
PAGE = 10


class ScriptedPlatform:
    """Registers one partner and rotates with it; each argument is a duty that it neglects when False.

    `url` is the base of its own URLs; `presented` is the token that the partner has given last.
    """

    def __init__(self, *, calls_back: bool, ends_token_a: bool, ends_former_tokens: bool) -> None:
        self.url = ""
        self.presented = ""
        self._calls_back = calls_back
        self._ends_token_a = ends_token_a
        self._ends_former_tokens = ends_former_tokens
        self._token_a: str | None = TOKEN_A
        self._tokens: list[str] = []
        self._count = 0

    @property
    def versions_url(self) -> str:
        return f"{self.url}/ocpi/versions"

    def refuse(self, request: Request) -> Response | None:
        """401 for a token that opens nothing; the first use of a new one ends those before it."""
        token = read_token(request.header("Authorization") or "", plain=False)
        if token in self._tokens:
            if self._ends_former_tokens:
                self._tokens = self._tokens[self._tokens.index(token) :]
            return None
        if token is not None and token == self._token_a:
            return None
        return envelope(request, http_status=401, status_code=2001, message="unknown token")

    def answer(self, request: Request) -> Response | None:
        """The answer of a configuration module, None for any other request."""
        module = request.path.rpartition("/")[2]
        if module == "versions":
            return envelope(request, data=[{"version": one, "url": f"{self.url}/ocpi/{one}"} for one in VERSIONS])
        if module in VERSIONS:
            endpoints = [
                {"identifier": name, "role": role, "url": f"{self.url}/ocpi/{module}/{name}"}
                for name, role in ROLES.items()
            ]
            return envelope(request, data={"version": module, "endpoints": endpoints})
        return self._credentials(request) if module == "credentials" else None

    def _credentials(self, request: Request) -> Response:
        told = as_object(read_json(request.body))
        self.presented = str(told["token"])
        if self._calls_back:
            listed = as_list(self._read(str(told["url"])))
            version = request.path.split("/")[-2]
            self._read(next(str(as_object(one)["url"]) for one in listed if as_object(one)["version"] == version))
        if self._ends_token_a:
            self._token_a = None
        self._count += 1
        self._tokens.append(f"token-{self._count}-of-the-bridge")
        role = {"role": "CPO", "party_id": CPO.party_id, "country_code": CPO.country_code}
        roles = [{**role, "business_details": {"name": "Scripted CPO"}}]
        return envelope(request, data={"token": self._tokens[-1], "url": self.versions_url, "roles": roles})

    def _read(self, url: str) -> object:
        headers = {"Authorization": authorization(self.presented, plain=False), **new_message_ids()}
        return as_object(read_json(httpx.get(url, headers=headers).content)).get("data")


def page(request: Request, sessions: Sequence[JsonObject], *, links: bool) -> Response:
    """One page of sessions by offset and limit; without `links` none leads to the next."""
    query = {name: values[0] for name, values in parse_qs(request.query).items()}
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", PAGE))
    answer = envelope(request, data=sessions[offset : offset + limit])
    headers = {**answer.headers, "X-Total-Count": str(len(sessions)), "X-Limit": str(PAGE)}
    if links and offset + limit < len(sessions):
        following = urlencode({**query, "offset": offset + limit})
        host = as_text(request.header("Host")) or ""
        headers["Link"] = f'<http://{host}{request.path}?{following}>; rel="next"'
    return replace(answer, headers=headers)
