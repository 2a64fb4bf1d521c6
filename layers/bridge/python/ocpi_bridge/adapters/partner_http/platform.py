"""The configuration modules of the other side (OCPI 6, 7): one call in, the `data` of its answer or the reason out."""

from collections.abc import Callable, Mapping
from typing import Final

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, HttpExchange, NoReply, Reply
from ocpi_bridge.adapters.partner_http.authorization import authorization
from ocpi_bridge.adapters.partner_http.client import new_request_id
from ocpi_bridge.adapters.partner_http.receipts import status_code
from ocpi_bridge.domain.errors import PlatformUnusable, TokenRefused, UrlRefused
from ocpi_bridge.domain.url_guard.urls import host_of
from ocpi_bridge.ocpi.bounded_json import UnreadableJson, read_json
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.credentials import PlatformCall
from ocpi_bridge.ports.json_values import JsonValue

# What went wrong on the way, in words for the other side: it reads them as `status_message`.
_REASONS: Final[Mapping[str, str]] = {
    "refused_address": "the host has no public address",
    "dns": "the host name does not resolve",
    "tls": "no TLS connection; is the certificate valid?",
    "connect": "no connection",
    "connect_timeout": "no connection in time",
    "timeout": "no answer in time",
    "connection_lost": "the connection broke",
    "protocol": "the answer is no HTTP",
    "invalid_request": "the URL cannot be called",
}


class HttpPartnerPlatform:
    """Implements PartnerPlatform over an exchange, which must be guarded (see `guarded`)."""

    def __init__(self, http: HttpExchange, *, new_id: Callable[[], str] = new_request_id) -> None:
        self._http = http
        self._new_id = new_id

    def call(self, call: PlatformCall, budget: float) -> JsonValue:
        """See PartnerPlatform. No error repeats the URL, the token or what the other side said."""
        headers = {
            "Authorization": authorization(call.key.token, call.key.encoding),
            "X-Request-ID": self._new_id(),
            "X-Correlation-ID": self._new_id(),
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        body = b"" if call.body is None else dumps(call.body).encode()
        return _data(call, self._http.exchange(HttpCall(call.method, call.url, headers, body), budget))

    def close(self) -> None:
        """Closes the connections that are kept for further calls."""
        self._http.close()


def _data(call: PlatformCall, answer: Reply | NoReply) -> JsonValue:
    what = f"{call.method} {call.module}"
    # Reading changes nothing over there, so there is nothing to be unclear about.
    may_have_changed = call.method != "GET"
    if isinstance(answer, NoReply):
        reason = _REASONS.get(answer.error, answer.error)
        unusable = PlatformUnusable(f"{what}: {reason}", unclear=may_have_changed and answer.sent)
        if answer.error == "refused_address":
            raise unusable from UrlRefused("url", "has an address that is not public", host_of(call.url))
        raise unusable
    if answer.status == 401:
        raise TokenRefused(f"{what}: HTTP 401, the token is refused")
    if 300 <= answer.status < 400:
        # Not followed: the token goes along, and the next host was not checked.
        raise PlatformUnusable(f"{what}: HTTP {answer.status}, a redirect")
    if not 200 <= answer.status < 300:
        raise PlatformUnusable(f"{what}: HTTP {answer.status}", unclear=may_have_changed and answer.status >= 500)
    if call.method == "DELETE" and not answer.body:
        # Its answer has no data (7.2.4), and some partners leave the envelope out too.
        return None
    envelope = _envelope(answer)
    if isinstance(envelope, str):
        raise PlatformUnusable(f"{what}: the answer {envelope}", unclear=may_have_changed)
    code = status_code(envelope)
    if code is None:
        raise PlatformUnusable(f"{what}: the answer has no OCPI envelope", unclear=may_have_changed)
    if not 1000 <= code < 2000:
        raise PlatformUnusable(f"{what}: status_code {code}")
    return envelope.get("data")


def _envelope(answer: Reply) -> Mapping[str, JsonValue] | str:
    """The object of a 2xx answer, or what is wrong with it."""
    if answer.truncated:
        return "is too long"
    try:
        value = read_json(answer.body)
    except UnreadableJson:
        return "is not JSON"
    return value if isinstance(value, Mapping) else "has no OCPI envelope"
