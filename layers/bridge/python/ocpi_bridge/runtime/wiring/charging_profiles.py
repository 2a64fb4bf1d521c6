"""What the charging profiles endpoint is made of."""

import time

from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import Settings, variable
from ocpi_bridge.runtime.wiring.ocpi import OcpiModule
from ocpi_bridge.usecases.request_profile import RequestProfile


@dataclass(frozen=True, slots=True)
class ChargingProfiles(OcpiModule):
    """The charging profiles endpoint."""

    request_profile: RequestProfile


def charging_profiles() -> ChargingProfiles:
    """The charging profiles endpoint."""
    settings, clock = Settings(), SystemClock()
    intake = DynamoIntakeStore(
        client=clients.dynamodb(),
        sessions=variable("SESSIONS_TABLE"),
        requests=variable("REQUESTS_TABLE"),
        registry=variable("REGISTRY_TABLE"),
    )
    request_profile = RequestProfile(
        store=intake,
        clock=clock,
        result_timeout=settings.result_timeout,
        allow_loopback_http=settings.is_local,
        pause=time.sleep,
    )
    return ChargingProfiles(intake, clock, settings.party, request_profile)
