"""How an operator's machine reaches the APIs and servers that a deployment is about."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ocpi_bridge.adapters.bounded_http.client import bounded_client
from ocpi_bridge.adapters.bounded_http.exchange import HttpExchange
from ocpi_bridge.adapters.csms import connect
from ocpi_bridge.adapters.partner_http import guarded
from tools.bridge.certificates import Certificates, ExpiryOf


@dataclass(frozen=True, slots=True)
class Network:
    """Opens connections, which are to be closed: `to_partners` dials public addresses only, as the functions do.

    `to_all` dials private addresses too: our own APIs and CSMSs may stand in a private network.
    """

    to_all: Callable[[], HttpExchange]
    to_partners: Callable[[], HttpExchange]
    expiry_of: ExpiryOf

    @classmethod
    def real(cls, *, allow_loopback: bool, ca_file: Path | None) -> Self:
        """The real one. `allow_loopback` is for the stage `local` only; `ca_file` (PEM) is trusted, too."""
        everywhere = connect.permission(allow_loopback=allow_loopback)
        public = guarded.permission(allow_loopback=allow_loopback)
        return cls(
            lambda: bounded_client(everywhere, extra_ca_file=ca_file),
            lambda: bounded_client(public, extra_ca_file=ca_file),
            Certificates(everywhere, ca_file),
        )
