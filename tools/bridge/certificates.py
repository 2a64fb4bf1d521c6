"""Until when the certificates of servers are good, as a client that connects to them sees it."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpcore
import httpx

from ocpi_bridge.adapters.bounded_http.network import (
    AddressRefused,
    NameNotResolved,
    Permission,
    Resolver,
    TlsFailed,
    VettedNetwork,
    system_resolver,
)

CONNECT_SECONDS = 8.0

ExpiryOf = Callable[[str, int], datetime]
"""Until when the certificate that a host shows at a port is good. Raises NoCertificate."""


class NoCertificate(Exception):
    """There is none that a client would take; the text says why."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Connects as the bridge would: to vetted addresses only, trusting the public authorities and `ca_file` (PEM)."""

    permitted: Permission
    ca_file: Path | None = None
    resolve: Resolver = system_resolver

    def __call__(self, host: str, port: int) -> datetime:
        """See ExpiryOf. No request is sent."""
        context = httpx.create_ssl_context(trust_env=False)
        if self.ca_file is not None:
            context.load_verify_locations(cafile=self.ca_file)
        deadline = time.monotonic() + CONNECT_SECONDS
        try:
            stream = VettedNetwork(self.permitted, self.resolve).connect_tcp(host, port, deadline)
            # It closes the connection where it fails, and takes it over where it does not.
            secured = stream.start_tls(context, host, deadline)
            try:
                return _end_of(secured.get_extra_info("socket"))
            finally:
                secured.close()
        except TlsFailed as error:
            raise NoCertificate(_why(error)) from error
        except AddressRefused as error:
            raise NoCertificate("the host name leads to an address that may not be called") from error
        except NameNotResolved as error:
            raise NoCertificate("the host name does not resolve") from error
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            raise NoCertificate("there is no connection") from error


def _end_of(tls: object) -> datetime:
    shown = tls.getpeercert() if isinstance(tls, ssl.SSLSocket) else None
    if not shown:
        raise NoCertificate("it shows none")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)


def _why(error: BaseException) -> str:
    """What OpenSSL says of the certificate, which stands at the bottom of the chain of errors."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause.verify_message
        cause = cause.__cause__
    return "the TLS handshake failed"
