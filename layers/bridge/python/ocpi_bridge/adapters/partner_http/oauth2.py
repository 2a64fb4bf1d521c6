"""Access tokens by the client credentials grant (RFC 6749, 4.4), kept in memory until shortly before they expire.

The client secret goes to the host of `token_url` and to no other: that host is the operator's word, it need not be one
of the partner's, and a redirect is never followed.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.partner_http.authorization import is_bearer_token
from ocpi_bridge.adapters.partner_http.receipts import receipt_of
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import OAuth2Client
from ocpi_bridge.domain.url_guard.urls import check_public_url
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from ocpi_bridge.ports.partners import Receipt

# Longer than one call of ours may take, so that no token expires on its way.
MARGIN: Final = timedelta(seconds=30)
# Where the server does not say how long a token lives, or says what cannot be.
DEFAULT_LIFETIME: Final = timedelta(minutes=5)
# What is longer is an instant, a count of milliseconds or a mistake.
LONGEST_LIFETIME: Final = timedelta(days=31)

# The errors of 5.2, and one that authorization servers borrow from 4.1.2.1. No other text of a server is repeated.
_KNOWN_ERRORS: Final = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
    }
)
_REFUSALS: Final = frozenset({400, 401, 403})


class TokenRefused(Exception):
    """There is no access token; `receipt` is that of the call that needs it.

    `by_credentials`: the server does not like what we showed it, so asking again with the same is of no use.
    """

    def __init__(
        self, error: str, *, final: bool, by_credentials: bool = False, retry_after: int | None = None
    ) -> None:
        self.receipt = Receipt(delivered=False, error=f"oauth_{error}", final=final, retry_after=retry_after)
        self.by_credentials = by_credentials
        super().__init__(self.receipt.error)


@dataclass(frozen=True, slots=True)
class _Kept:
    client: OAuth2Client
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    until: datetime


class AccessTokens:
    """One access token for each partner. `http` must be guarded; `allow_loopback` is for the stage `local` only."""

    def __init__(self, http: HttpExchange, clock: Clock, *, allow_loopback: bool) -> None:
        self._http = http
        self._clock = clock
        self._allow_loopback = allow_loopback
        self._kept: dict[str, _Kept] = {}

    def get(self, partner_id: str, client: OAuth2Client, client_secret: str, end: datetime) -> str:
        """The partner's access token: the kept one while it is good for this client and secret, else a new one.

        A new one is asked for once, and not beyond `end`. Raises TokenRefused.
        """
        now = self._clock.now()
        kept = self._kept.get(partner_id)
        if kept is not None and (kept.client, kept.client_secret) == (client, client_secret) and now < kept.until:
            return kept.access_token
        access_token, lifetime = self._issued(client, client_secret, (end - now).total_seconds())
        until = now + lifetime - min(MARGIN, lifetime / 2)
        self._kept[partner_id] = _Kept(client, client_secret, access_token, until)
        return access_token

    def forget(self, partner_id: str) -> None:
        """Drops the kept token: the partner does not take it any more."""
        self._kept.pop(partner_id, None)

    def _issued(self, client: OAuth2Client, client_secret: str, budget: float) -> tuple[str, timedelta]:
        try:
            check_public_url(client.token_url, "token_url", allow_loopback_http=self._allow_loopback)
        except InvalidInput:
            raise TokenRefused("refused_host", final=True) from None
        answer = self._http.exchange(_request(client, client_secret), budget)
        if isinstance(answer, NoReply) or not 200 <= answer.status < 300:
            raise _refusal(answer, self._clock.now())
        if answer.truncated:
            raise TokenRefused("body_too_large", final=True)
        body = _json(answer)
        token, kind = body.get("access_token"), body.get("token_type", "Bearer")
        if not isinstance(kind, str) or kind.lower() != "bearer":
            raise TokenRefused("token_type", final=True)
        if not isinstance(token, str) or not is_bearer_token(token):
            raise TokenRefused("no_access_token", final=False)
        return token, _lifetime(body.get("expires_in"))


def _request(client: OAuth2Client, client_secret: str) -> HttpCall:
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client_secret,
        "audience": client.audience,
        "scope": client.scope,
    }
    return HttpCall(
        method="POST",
        url=client.token_url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode({name: value for name, value in form.items() if value is not None}).encode(),
    )


def _refusal(answer: Reply | NoReply, now: datetime) -> TokenRefused:
    receipt = receipt_of(answer, now)
    by_credentials = isinstance(answer, Reply) and answer.status in _REFUSALS
    error = _json(answer).get("error") if isinstance(answer, Reply) else None
    return TokenRefused(
        error if isinstance(error, str) and error in _KNOWN_ERRORS else str(receipt.error),
        final=receipt.final or by_credentials,
        by_credentials=by_credentials,
        retry_after=receipt.retry_after,
    )


def _json(answer: Reply) -> JsonObject:
    try:
        body = read_json(answer.body)
    except UnreadableJson:
        return {}
    return body if isinstance(body, Mapping) else {}


def _lifetime(expires_in: JsonValue) -> timedelta:
    """Seconds as a number (5.1), or as digits, which some servers send."""
    if isinstance(expires_in, str) and len(expires_in) <= 9 and expires_in.isascii() and expires_in.isdigit():
        expires_in = int(expires_in)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | Decimal):
        return DEFAULT_LIFETIME
    if not 0 < expires_in <= LONGEST_LIFETIME.total_seconds():
        return DEFAULT_LIFETIME
    return timedelta(seconds=float(expires_in))
