"""Builds the charge point driver with a real network."""

from pathlib import Path

from ocpi_bridge.adapters.bounded_http.client import bounded_client
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.ports import Clock, SecretStore


def http_charge_point_driver(
    secrets: SecretStore, clock: Clock, *, extra_ca_file: Path | None = None
) -> HttpChargePointDriver:
    """The driver, trusting the public authorities and those in a file of the operator's.

    A CSMS is addressed by the operator's own registry and often stands in a private network, so its addresses are not
    vetted; redirects are not followed all the same, because the credential goes along.
    """
    return HttpChargePointDriver(secrets, clock, bounded_client(_anywhere, extra_ca_file=extra_ca_file))


def _anywhere(_address: str) -> bool:
    return True
