"""One HTTP exchange, seen from the caller: a call goes in, a reply or the reason for none comes out.

Nothing here shows a URL, a header or a body in its `repr`: those carry tokens, one-time signatures and personal data.
"""

from collections.abc import Mapping
from dataclasses import field
from typing import Protocol

from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request. The URL is sent byte for byte as given; it is absolute and printable ASCII."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the peer answered. Header names are lower case; `truncated`: the body was longer than the cap."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class NoReply:
    """Why there is no answer. `sent`: the peer may have got the request, in part or whole.

    `error` is one of: refused_address, dns, tls, connect, connect_timeout, timeout, connection_lost, protocol,
    invalid_request.
    """

    error: str
    sent: bool


class HttpExchange(Protocol):
    """Makes calls."""

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        """Makes one call within `budget` seconds in all, name resolution included. Never raises for the network."""

    def close(self) -> None:
        """Closes the connections that are kept for further calls."""
