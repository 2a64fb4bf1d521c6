"""One call to a partner: the host is checked before the token is read, the token goes nowhere else."""

import base64
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange
from ocpi_bridge.adapters.partner_http.receipts import receipt_of
from ocpi_bridge.domain.callback_urls import check_partner_url, partner_hosts
from ocpi_bridge.domain.errors import InvalidInput, UnknownEntity
from ocpi_bridge.domain.partners import Partner, TokenEncoding
from ocpi_bridge.ocpi.transport import dumps, routing_headers
from ocpi_bridge.ports import Clock, PartnerMessage, Receipt, SecretStore

_UNAUTHORIZED = 401
_PRINTABLE = re.compile(r"[!-~]{1,128}")


def new_request_id() -> str:
    """A new X-Request-ID (4.2: GUID advised)."""
    return str(uuid.uuid4())


class PartnerHttpClient:
    """Implements PartnerClient. One attempt for each call, at-most-once but for the one repetition after a 401.

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
        self._secrets = secrets
        self._clock = clock
        self._http = http
        self._allow_loopback = allow_loopback
        self._new_id = new_id

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        """Sends once, within `budget` seconds in all. Never raises for what the partner or the network does.

        A 401 reads our token again, and only if it changed the message is sent once more in what is left of the budget.
        No receipt, log line or error repeats the URL, the token or a body.
        """
        end = self._clock.now() + timedelta(seconds=budget)
        try:
            check_partner_url(message.url, partner_hosts(partner), allow_loopback_http=self._allow_loopback)
        except InvalidInput:
            return Receipt(delivered=False, error="refused_host", final=True)
        try:
            token = self._secrets.partner_token(partner.partner_id)
            receipt = self._attempt(partner, message, token, (end - self._clock.now()).total_seconds())
            if receipt.http_status != _UNAUTHORIZED:
                return receipt
            renewed = self._secrets.partner_token(partner.partner_id, fresh=True)
        except UnknownEntity:
            return Receipt(delivered=False, error="no_token")
        left = (end - self._clock.now()).total_seconds()
        return receipt if renewed == token or left <= 0 else self._attempt(partner, message, renewed, left)

    def close(self) -> None:
        """Closes the connections that are kept for further calls."""
        self._http.close()

    def _attempt(self, partner: Partner, message: PartnerMessage, token: str, budget: float) -> Receipt:
        call = HttpCall(
            method=message.method,
            url=message.url,
            headers=self._headers(partner, message, token),
            body=dumps(message.body).encode(),
        )
        return receipt_of(self._http.exchange(call, budget), self._clock.now())

    def _headers(self, partner: Partner, message: PartnerMessage, token: str) -> Mapping[str, str]:
        request_id = self._new_id()
        # It once came in a partner's header and stands in our items; what cannot stand in a header is replaced.
        correlation_id = message.correlation_id if _PRINTABLE.fullmatch(message.correlation_id) else request_id
        return {
            "Authorization": authorization(token, partner.token_encoding),
            "Content-Type": "application/json",
            "X-Request-ID": request_id,
            "X-Correlation-ID": correlation_id,
            **routing_headers(message.from_party, message.to_party),
        }


def authorization(token: str, encoding: TokenEncoding) -> str:
    """The Authorization header for a credentials token (4.1.2): Base64 of its UTF-8 bytes, or plain for older peers."""
    if encoding is TokenEncoding.PLAIN:
        return f"Token {token}"
    return f"Token {base64.b64encode(token.encode()).decode('ascii')}"
