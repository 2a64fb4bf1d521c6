"""One call to a partner: the host is checked before any secret is read, and what we show goes nowhere else."""

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange
from ocpi_bridge.adapters.partner_http.authenticator import Authenticator, NotAuthenticated
from ocpi_bridge.adapters.partner_http.oauth2 import AccessTokens
from ocpi_bridge.adapters.partner_http.receipts import receipt_of
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.url_guard.urls import check_partner_url, partner_hosts
from ocpi_bridge.ocpi.transport import dumps, routing_headers
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.secrets import SecretStore

_UNAUTHORIZED = 401
_PRINTABLE = re.compile(r"[!-~]{1,128}")


def new_request_id() -> str:
    """A new X-Request-ID (4.2: GUID advised)."""
    return str(uuid.uuid4())


class PartnerHttpClient:
    """Implements PartnerClient. One attempt for each call, at-most-once but for the one repetition after a 401.

    Access tokens live as long as the client does, so that a warm function seldom asks for one.

    `http` must be guarded (see `guarded`). `allow_loopback` is for the stage `local` only.
    """

    def __init__(
        self,
        secrets: SecretStore,
        clock: Clock,
        http: HttpExchange,
        *,
        allow_loopback: bool = False,
        new_id: Callable[[], str] = new_request_id,
    ) -> None:
        self._authenticator = Authenticator(secrets, AccessTokens(http, clock, allow_loopback=allow_loopback))
        self._clock = clock
        self._http = http
        self._allow_loopback = allow_loopback
        self._new_id = new_id

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        """Sends once, within `budget` seconds in all. Never raises for what the partner or the network does.

        A partner that is not connected is not called. A 401 renews what we show, once: the secret is read again, and
        with OAuth 2.0 another access token is fetched. Only if that changed something the message is sent once more, in
        what is left of the budget. No receipt, log line or error repeats the URL, a secret or a body.
        """
        end = self._clock.now() + timedelta(seconds=budget)
        if not partner.connected:
            return Receipt(delivered=False, error="not_connected", final=True)
        try:
            check_partner_url(message.url, partner_hosts(partner), allow_loopback_http=self._allow_loopback)
        except InvalidInput:
            return Receipt(delivered=False, error="refused_host", final=True)
        try:
            shown = self._authenticator.headers(partner, end)
            receipt = self._attempt(message, shown, self._left(end))
            if receipt.http_status != _UNAUTHORIZED:
                return receipt
            renewed = self._authenticator.headers(partner, end, renew=True)
        except NotAuthenticated as error:
            return error.receipt
        left = self._left(end)
        return receipt if renewed == shown or left <= 0 else self._attempt(message, renewed, left)

    def close(self) -> None:
        """Closes the connections that are kept for further calls."""
        self._http.close()

    def _left(self, end: datetime) -> float:
        return (end - self._clock.now()).total_seconds()

    def _attempt(self, message: PartnerMessage, shown: Mapping[str, str], budget: float) -> Receipt:
        call = HttpCall(
            method=message.method,
            url=message.url,
            headers={**shown, **self._headers(message)},
            body=dumps(message.body).encode(),
        )
        return receipt_of(self._http.exchange(call, budget), self._clock.now())

    def _headers(self, message: PartnerMessage) -> Mapping[str, str]:
        request_id = self._new_id()
        # It once came in a partner's header and stands in our items; what cannot stand in a header is replaced.
        correlation_id = message.correlation_id if _PRINTABLE.fullmatch(message.correlation_id) else request_id
        return {
            "Content-Type": "application/json",
            "X-Request-ID": request_id,
            "X-Correlation-ID": correlation_id,
            **routing_headers(message.from_party, message.to_party),
        }
