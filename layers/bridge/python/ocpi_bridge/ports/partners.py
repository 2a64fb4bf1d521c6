"""The partner as we call it."""

from typing import Protocol

from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject

_TIMEOUTS = frozenset({"timeout", "connect_timeout"})


@dataclass(frozen=True, slots=True)
class PartnerMessage:
    """One OCPI request to a partner. `body` is the bare object (OCPI wraps responses only).

    `from_party` and `to_party` become the routing headers (4.1.8.2). A new X-Request-ID is made for every attempt;
    `correlation_id` is sent as X-Correlation-ID.
    """

    method: str
    url: str
    body: JsonObject
    correlation_id: str
    from_party: Party
    to_party: Party


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. Delivered means HTTP 2xx and, where the answer has one, a 1xxx status code.

    `error` names the class of the failure for operators (`http_503`, `ocpi_2001`, `connect`, `timeout`,
    `connect_timeout`, `connection_lost`, `dns`, `tls`, `protocol`, `redirect`, `body_too_large`, `refused_host`,
    `refused_address`, `invalid_request`, `not_connected`, `no_token`, `no_client_secret`, `no_api_key`, and `oauth_...`
    for those of the partner's authorization server). `final`: trying again is of no use.
    `retry_after` (s) is what the partner asked for.
    """

    delivered: bool
    error: str | None = None
    final: bool = False
    http_status: int | None = None
    ocpi_status: int | None = None
    retry_after: int | None = None

    @property
    def timed_out(self) -> bool:
        """Whether the partner, or its authorization server, kept the caller waiting until the time was over."""
        return (self.error or "").removeprefix("oauth_") in _TIMEOUTS


class PartnerClient(Protocol):
    """Calls a partner's interfaces: the hosts of its endpoints and its callback hosts, and no other."""

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        """Sends once, within `budget` seconds in all. Never raises for what the partner or the network does."""
