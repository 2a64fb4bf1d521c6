"""A door of ours with one partner before it, for answers as they leave the bridge."""

import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.tokens import AcceptedToken, token_hash
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.ocpi_door import DoorStore, Endpoint, PartnerCall, ocpi_endpoint
from tests.support.clocks import ManualClock
from tests.support.lambda_events import proxy_event

US = Party("NL", "CPO")
THEM = Party("NL", "JED")
ROUTING = MappingProxyType(
    {
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "JED",
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "CPO",
    }
)


@dataclass(frozen=True)
class OnePartner:
    """A service that knows one token, and tables of which nothing is asked."""

    party: Party = US
    clock: Clock = field(default_factory=ManualClock)

    @property
    def callers(self) -> DoorStore:
        return self  # type: ignore[return-value]

    def caller(self, hashes: object, session_id: str | None = None) -> Caller:
        return Caller("jedlix", THEM, AcceptedToken(token_hash("t"), "jedlix", THEM, self.clock.now()))

    def note_refused_host(self, partner_id: str, host: str, reason: str, at: object) -> None:
        """Nothing is asked of it."""


def answered(
    endpoint: Endpoint, *, body: str = "", configuration_module: bool = False
) -> tuple[int, Any, dict[str, str]]:
    """What a partner gets of an endpoint: the HTTP status, the body, the headers."""
    door = ocpi_endpoint(OnePartner(), configuration_module=configuration_module)
    headers = {"Authorization": "Token dA==", "X-Request-ID": "req-1", "X-Correlation-ID": "corr-1", **ROUTING}
    answer: Any = door(endpoint)(proxy_event("PUT", "/", headers=headers, body=body), None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def refusing(error: Exception) -> Endpoint:
    def endpoint(_: PartnerCall) -> JsonValue:
        raise error

    return endpoint
