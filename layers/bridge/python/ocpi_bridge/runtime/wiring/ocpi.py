"""What the doors for partners have in common, and those that are about no session."""

from ocpi_bridge.adapters.dynamodb.callers import DynamoCallers
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.ocpi_door import DoorStore
from ocpi_bridge.runtime.settings import Settings, variable


@dataclass(frozen=True, slots=True)
class OcpiModule:
    """What every OCPI endpoint has."""

    callers: DoorStore
    clock: Clock
    party: Party


@dataclass(frozen=True, slots=True)
class Versions(OcpiModule):
    """The versions endpoint; `api_url` is where partners reach this API."""

    api_url: str


def versions() -> Versions:
    """The versions endpoint."""
    return Versions(_callers(), SystemClock(), Settings().party, variable("OCPI_API_URL"))


def ocpi_module() -> OcpiModule:
    """An endpoint that only has to know who calls."""
    return OcpiModule(_callers(), SystemClock(), Settings().party)


def _callers() -> DynamoCallers:
    return DynamoCallers(clients.dynamodb(), variable("REGISTRY_TABLE"))
