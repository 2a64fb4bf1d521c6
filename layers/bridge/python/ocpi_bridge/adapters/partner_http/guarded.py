"""Builds what calls partners with the guarded network. The only way that a running bridge gets it."""

from pathlib import Path

from ocpi_bridge.adapters.bounded_http.client import bounded_client
from ocpi_bridge.adapters.bounded_http.network import Permission, Resolver, system_resolver
from ocpi_bridge.adapters.partner_http.client import PartnerHttpClient
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.domain.url_guard.addresses import is_loopback, is_public
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore


def guarded_partner_client(
    secrets: SecretStore,
    clock: Clock,
    *,
    allow_loopback: bool = False,
    extra_ca_file: Path | None = None,
    resolve: Resolver = system_resolver,
) -> PartnerHttpClient:
    """The client that dials public addresses only; with `allow_loopback` (stage `local`) this machine too.

    `extra_ca_file` (PEM) is trusted beside the public authorities.
    """
    http = bounded_client(permission(allow_loopback=allow_loopback), extra_ca_file=extra_ca_file, resolve=resolve)
    return PartnerHttpClient(secrets, clock, http, allow_loopback=allow_loopback)


def guarded_partner_platform(
    *, allow_loopback: bool = False, extra_ca_file: Path | None = None, resolve: Resolver = system_resolver
) -> HttpPartnerPlatform:
    """The client for configuration modules, with the same network as `guarded_partner_client`."""
    http = bounded_client(permission(allow_loopback=allow_loopback), extra_ca_file=extra_ca_file, resolve=resolve)
    return HttpPartnerPlatform(http)


def permission(*, allow_loopback: bool) -> Permission:
    """Which addresses may be dialled: public ones, and with `allow_loopback` this machine."""
    return _public_or_loopback if allow_loopback else is_public


def _public_or_loopback(address: str) -> bool:
    return is_public(address) or is_loopback(address)
