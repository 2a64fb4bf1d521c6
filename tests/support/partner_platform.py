"""A partner's configuration modules without a network: versions, version details, credentials, as an HttpExchange."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.fake_http import reply

BASE = "https://ocpi.partner.example/ocpi"
VERSIONS_URL = f"{BASE}/versions"
# What a partner gives us to present to it.
TOKEN_B = "token-b-of-the-partner"
ROLES: list[dict[str, Any]] = [
    {"role": "EMSP", "country_code": "NL", "party_id": "EMS", "business_details": {"name": "Brand"}},
    {"role": "SCSP", "country_code": "NL", "party_id": "JED", "business_details": {"name": "Example SCSP"}},
]

Serve = Callable[[HttpCall], Reply | NoReply]


def enveloped(data: JsonValue, code: JsonValue = 1000) -> Reply:
    return reply(200, {"data": data, "status_code": code, "timestamp": "2026-01-15T17:00:00Z"})


def version_list(*versions: str) -> list[JsonValue]:
    return [{"version": version, "url": f"{BASE}/{version}"} for version in versions]


def details(version: str, *modules: tuple[str, str], base: str = BASE) -> dict[str, Any]:
    endpoints = [{"identifier": module, "role": role, "url": f"{base}/{version}/{module}"} for module, role in modules]
    return {"version": version, "endpoints": endpoints}


NEEDED = (("credentials", "SENDER"), ("sessions", "RECEIVER"), ("chargingprofiles", "SENDER"))


class PartnerServer:
    """Serves both versions to whoever has its `token`; `answers` replaces what it says at a path below `BASE`.

    `encodings` are those in which it takes the token. `calls` are all that came, as method and path; `before` runs at
    the start of each.
    """

    def __init__(self, token: str = TOKEN_B) -> None:
        self.token = token
        self.encodings = {"base64"}
        self.answers: dict[str, Reply | NoReply | Serve] = {
            "/versions": enveloped(version_list("2.1.1", "2.2.1", "2.3.0")),
            "/2.2.1": enveloped(details("2.2.1", *NEEDED)),
            "/2.3.0": enveloped(details("2.3.0", *NEEDED)),
        }
        self.calls: list[str] = []
        self.budgets: list[float] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[Any] = []
        self.before: Callable[[HttpCall], None] = lambda _: None

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        path = call.url.removeprefix(BASE)
        self.calls.append(f"{call.method} {path}")
        self.budgets.append(budget)
        self.headers.append(call.headers)
        self.bodies.append(json.loads(call.body) if call.body else None)
        self.before(call)
        if not self._lets_in(call.headers["Authorization"]):
            return reply(401, {"status_code": 2000, "timestamp": "2026-01-15T17:00:00Z"})
        answer = self.answers.get(path, reply(404))
        return answer(call) if callable(answer) else answer

    def close(self) -> None:
        """Nothing is kept open."""

    def _lets_in(self, authorization: str) -> bool:
        accepted = {"plain": self.token, "base64": base64.b64encode(self.token.encode()).decode()}
        return authorization in {f"Token {accepted[encoding]}" for encoding in self.encodings}
