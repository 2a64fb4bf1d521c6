"""An httpx transport over a httpcore pool with a network of our own: public interfaces of both, nothing patched.

It also serves `httpx.Client(transport=...)`; a client adds redirects and cookies, so those who send tokens call the
transport itself.
"""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx

from ocpi_bridge.adapters.bounded_http.network import KEEP_ALIVE

# OCPI answers and OCPP payloads are a few KB; whatever is longer is no answer to our call.
MAX_BODY_BYTES = 65_536
# To connect, TLS included: a peer that takes longer will not answer within any timeout that we announced.
CONNECT_SECONDS = 3.0
# For callers that set no deadline of their own.
DEFAULT_SECONDS = 20.0
# More than one function ever has open at once; the least recently used idle one is closed first.
MAX_CONNECTIONS = 10

DEADLINE = "deadline"
"""Request extension: the instant of the monotonic clock at which the whole exchange ends."""

TRUNCATED = "truncated"
"""Response extension, True where the body was longer than `MAX_BODY_BYTES` and the rest was not read."""

_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
)


class BoundedTransport(httpx.BaseTransport):
    """Reads whole answers up to a cap, before one deadline for everything; keeps connections for the next call.

    No redirects, no proxies, HTTP/1.1 only. Raises httpx.TransportError.
    """

    def __init__(self, network: httpcore.NetworkBackend, tls: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            network_backend=network,
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEEP_ALIVE,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Makes the exchange until `request.extensions["deadline"]`."""
        now = time.monotonic()
        deadline = request.extensions.get(DEADLINE, now + DEFAULT_SECONDS)
        timeouts = {
            "connect": min(deadline, now + CONNECT_SECONDS),
            "read": deadline,
            "write": deadline,
            "pool": max(deadline - now, 0.0),  # the one that never reaches our streams, so a duration
        }
        url = request.url
        call = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions={**request.extensions, "timeout": timeouts},
        )
        with _as_httpx_errors():
            answer = self._pool.handle_request(call)
            try:
                body, truncated = _read_capped(answer)
            finally:
                answer.close()
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=httpx.ByteStream(body),
            extensions={TRUNCATED: truncated},
        )

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()


def _read_capped(answer: httpcore.Response) -> tuple[bytes, bool]:
    body = bytearray()
    for part in answer.iter_stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            return bytes(body[:MAX_BODY_BYTES]), True
    return bytes(body), False


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    try:
        yield
    except tuple(known for known, _ in _ERRORS) as error:
        raise next(ours for known, ours in _ERRORS if isinstance(error, known))(str(error)) from error
