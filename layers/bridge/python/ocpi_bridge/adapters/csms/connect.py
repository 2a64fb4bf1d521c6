"""Builds the charge point driver with a real network and a real bus."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.adapters.eventbridge.commands import BusChargePointDriver
from ocpi_bridge.domain.stations import Csms, CsmsDriver
from ocpi_bridge.domain.url_guard.addresses import is_loopback, is_private, is_public
from ocpi_bridge.ports.bus import CsmsBus
from ocpi_bridge.ports.charge_points import ChargePointDriver, ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore

if TYPE_CHECKING:
    from ocpi_bridge.adapters.bounded_http.network import Permission


class ChargePointDrivers:
    """Implements ChargePointDriver for all CSMSs: each command goes by the driver of its CSMS's entry.

    The one over HTTP is made when a CSMS first needs it: a fleet on the bus never loads an HTTP client.
    """

    def __init__(self, bus: BusChargePointDriver, http: Callable[[], ChargePointDriver]) -> None:
        self._bus = bus
        self._make_http = http
        self._http: ChargePointDriver | None = None

    def submit(self, csms: Csms, command: ChargerCommand) -> Done | Pending | Failed:
        """See ChargePointDriver."""
        if csms.driver is CsmsDriver.BUS:
            return self._bus.submit(csms, command)
        if self._http is None:
            self._http = self._make_http()
        return self._http.submit(csms, command)


def charge_point_drivers(
    secrets: SecretStore, clock: Clock, bus: CsmsBus, *, allow_loopback: bool = False
) -> ChargePointDrivers:
    """The drivers of a deployment. `allow_loopback` is for the stage `local` only."""
    return ChargePointDrivers(
        BusChargePointDriver(bus, clock),
        lambda: http_charge_point_driver(secrets, clock, allow_loopback=allow_loopback),
    )


def http_charge_point_driver(
    secrets: SecretStore, clock: Clock, *, allow_loopback: bool = False, extra_ca_file: Path | None = None
) -> HttpChargePointDriver:
    """The driver over HTTP, trusting the public authorities and those in a file of the operator's.

    A CSMS is addressed by the operator's own registry and often stands in a private network, so private addresses are
    dialled too. What a name must not lead to is this machine, or the cloud's own services at link-local addresses;
    redirects are not followed, because the credential goes along.
    """
    # httpx takes a tenth of a second to load, which only the first call over HTTP should pay.
    from ocpi_bridge.adapters.bounded_http.client import bounded_client  # noqa: PLC0415

    http = bounded_client(permission(allow_loopback=allow_loopback), extra_ca_file=extra_ca_file)
    return HttpChargePointDriver(secrets, clock, http, allow_loopback=allow_loopback)


def permission(*, allow_loopback: bool) -> "Permission":
    """Which addresses a CSMS may have: public and private ones, and with `allow_loopback` this machine's."""
    return _in_a_network_or_here if allow_loopback else _in_a_network


def _in_a_network(address: str) -> bool:
    return is_public(address) or is_private(address)


def _in_a_network_or_here(address: str) -> bool:
    return _in_a_network(address) or is_loopback(address)
