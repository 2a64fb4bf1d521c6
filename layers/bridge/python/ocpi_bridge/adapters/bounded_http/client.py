"""The bounded client: one call in, a reply or the reason for none out."""

import re
import time
from pathlib import Path

import httpx

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.adapters.bounded_http.network import (
    AddressRefused,
    NameNotResolved,
    Permission,
    Resolver,
    TlsFailed,
    VettedNetwork,
    system_resolver,
)
from ocpi_bridge.adapters.bounded_http.transport import DEADLINE, TRUNCATED, BoundedTransport

_PRINTABLE = re.compile(r"[!-~]+")
_URL = re.compile(r"(?P<origin>https?://[^/?#]+)(?P<target>(?:[/?][^#]*)?)", re.IGNORECASE)

# The first that fits; `sent` tells whether the peer may have got something.
_REASONS: tuple[tuple[type[Exception], NoReply], ...] = (
    (AddressRefused, NoReply("refused_address", sent=False)),
    (NameNotResolved, NoReply("dns", sent=False)),
    (TlsFailed, NoReply("tls", sent=False)),
    (httpx.ConnectError, NoReply("connect", sent=False)),
    (httpx.ConnectTimeout, NoReply("connect_timeout", sent=False)),
    (httpx.PoolTimeout, NoReply("connect_timeout", sent=False)),
    (httpx.TimeoutException, NoReply("timeout", sent=True)),
    (httpx.NetworkError, NoReply("connection_lost", sent=True)),
    (httpx.RemoteProtocolError, NoReply("protocol", sent=True)),
)
_INVALID = NoReply("invalid_request", sent=False)


class BoundedClient:
    """Implements HttpExchange over a transport of its own; it lives as long as the function that owns it.

    No cookies are kept, and nothing logs a URL: httpx sees the origin only, the rest goes beside it, byte for byte.
    """

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        """Makes one call within `budget` seconds in all, name resolution included. Never raises for the network."""
        deadline = time.monotonic() + budget
        try:
            request = _request(call, deadline)
        except (httpx.InvalidURL, ValueError):
            return _INVALID
        if budget <= 0:
            return NoReply("timeout", sent=False)
        try:
            response = self._transport.handle_request(request)
        except httpx.TransportError as error:
            return next((reason for kind, reason in _REASONS if isinstance(error, kind)), _INVALID)
        return Reply(
            status=response.status_code,
            headers=dict(response.headers),
            body=b"".join(response.iter_raw()),
            truncated=response.extensions.get(TRUNCATED, False),
        )

    def close(self) -> None:
        """Closes all connections."""
        self._transport.close()


def bounded_client(
    permitted: Permission, *, extra_ca_file: Path | None = None, resolve: Resolver = system_resolver
) -> BoundedClient:
    """A client that dials permitted addresses only and trusts the public authorities, and those in a file of ours."""
    # Not from the environment: what a partner's certificate is checked against is no setting of the runtime.
    tls = httpx.create_ssl_context(trust_env=False)
    if extra_ca_file is not None:
        tls.load_verify_locations(cafile=extra_ca_file)
    return BoundedClient(BoundedTransport(VettedNetwork(permitted, resolve), tls))


def _request(call: HttpCall, deadline: float) -> httpx.Request:
    match = _URL.fullmatch(call.url)
    if match is None or not _PRINTABLE.fullmatch(call.url):
        raise ValueError("not an absolute URL of printable characters")
    target = match["target"] if match["target"].startswith("/") else "/" + match["target"]
    return httpx.Request(
        call.method,
        f"{match['origin']}/",
        # What is not asked for need not be unpacked: a small body can unpack to a very large one.
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "ocpi-charging-profile-bridge",
            **call.headers,
        },
        content=call.body,
        extensions={DEADLINE: deadline, "target": target.encode("ascii")},
    )
