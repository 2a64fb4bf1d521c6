"""Resolving, vetting and dialling, and streams that end when the whole call has to end.

A name is resolved once per connection; if any answer is forbidden nothing is dialled (a name that resolves to both a
public and an inner address is an attack, or a mistake to be mended), and what is dialled is a vetted address, so that
no second resolution can give another one. Certificate and SNI still go by the name.

httpcore hands every operation the number that the request's `timeout` extension holds for it, unchanged. Here that
number is not a duration but an instant of the monotonic clock, the call's deadline: a duration per read would start
again with each byte of a peer that sends one byte a second.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence

import httpcore
import httpx

# How long a connection is kept without use. Shorter than the idle times of common servers (5 s and more), so that no
# call is lost on a connection that the peer gave up meanwhile: whether such a call was processed is not known.
KEEP_ALIVE = 4.0
# Written at once; the deadline is looked at in between.
_WRITE_BYTES = 16_384

Resolver = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host name, the preferred first. Raises OSError where there are none."""

Permission = Callable[[str], bool]
"""Says whether an address may be dialled."""


class AddressRefused(httpx.ConnectError):
    """The host has an address that must not be dialled."""


class NameNotResolved(httpx.ConnectError):
    """The host has no address."""


class TlsFailed(httpx.ConnectError):
    """No TLS connection: the certificate is not for this name or of no known authority, or the handshake broke."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses that the operating system gives for a host."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))


class VettedNetwork(httpcore.NetworkBackend):
    """Dials vetted addresses only. Every `timeout` is a deadline (see the module)."""

    def __init__(self, permitted: Permission, resolve: Resolver = system_resolver) -> None:
        self._permitted = permitted
        self._resolve = resolve
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first vetted address that answers; each has its share of the time left."""
        addresses = self._vetted_addresses(host, port, _time_left(timeout, httpcore.ConnectTimeout))
        failure: Exception = httpcore.ConnectError()
        for number, address in enumerate(addresses):
            share = _time_left(timeout, httpcore.ConnectTimeout) / (len(addresses) - number)
            try:
                stream = self._sockets.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream)
        raise failure

    def _vetted_addresses(self, host: str, port: int, seconds: float) -> Sequence[str]:
        addresses = _resolve_within(self._resolve, host, port, seconds)
        if not addresses:
            raise NameNotResolved("no address")
        if not all(self._permitted(address) for address in addresses):
            raise AddressRefused("an address that must not be dialled")
        return addresses


class DeadlineStream(httpcore.NetworkStream):
    """A stream whose every `timeout` is a deadline (see the module)."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._used_at = time.time()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Reads what is there, at most until the deadline."""
        data = self._stream.read(max_bytes, _time_left(timeout, httpcore.ReadTimeout))
        self._used_at = time.time()
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes all, at most until the deadline."""
        for start in range(0, len(buffer), _WRITE_BYTES):
            self._stream.write(buffer[start : start + _WRITE_BYTES], _time_left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Makes the handshake, at most until the deadline. Raises TlsFailed."""
        left = _time_left(timeout, httpcore.ConnectTimeout)
        try:
            return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left))
        except httpcore.ConnectError as error:
            # Told apart here, because the pool above drops the cause.
            if isinstance(error.__cause__, ssl.SSLError):
                raise TlsFailed("no TLS connection") from error
            raise

    def get_extra_info(self, info: str) -> object:
        """As the stream below; a connection that idled too long counts as closed by the peer (`is_readable`).

        The pool's own expiry goes by the monotonic clock, which may stand still while a Lambda is frozen.
        """
        if info == "is_readable" and time.time() - self._used_at > KEEP_ALIVE:
            return True
        extra: object = self._stream.get_extra_info(info)
        return extra


def _time_left(deadline: float | None, late: type[Exception]) -> float:
    left = 0.0 if deadline is None else deadline - time.monotonic()
    if left <= 0:
        raise late("the call's time is over")
    return left


def _resolve_within(resolve: Resolver, host: str, port: int, seconds: float) -> Sequence[str]:
    """Resolves in a thread of its own: the system's resolver knows no timeout, and a slow one can hold for half a minute."""
    answers: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolve(host, port))
        except (OSError, UnicodeError):
            answers.put(None)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        addresses = answers.get(timeout=seconds)
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name was not resolved in time") from None
    if addresses is None:
        raise NameNotResolved("the name does not resolve")
    return addresses
