"""What the doors for partners are made of."""

import time
from dataclasses import dataclass

from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.ports import Clock
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import Settings, optional, variable
from ocpi_bridge.usecases.request_profile import RequestProfile


@dataclass(frozen=True, slots=True)
class OcpiModule:
    """What every OCPI endpoint has."""

    intake: DynamoIntakeStore
    clock: Clock
    party: Party


@dataclass(frozen=True, slots=True)
class ChargingProfiles(OcpiModule):
    """The charging profiles endpoint."""

    request_profile: RequestProfile


@dataclass(frozen=True, slots=True)
class Versions(OcpiModule):
    """The versions endpoint; `api_url` is where partners reach this API."""

    api_url: str


def versions() -> Versions:
    """The versions endpoint."""
    return Versions(_intake(), SystemClock(), Settings().party, variable("OCPI_API_URL"))


def ocpi_module() -> OcpiModule:
    """An endpoint that only has to know who calls."""
    return OcpiModule(_intake(), SystemClock(), Settings().party)


def charging_profiles() -> ChargingProfiles:
    """The charging profiles endpoint."""
    settings, intake, clock = Settings(), _intake(), SystemClock()
    request_profile = RequestProfile(
        store=intake,
        clock=clock,
        result_timeout=settings.result_timeout,
        allow_loopback_http=settings.is_local,
        pause=time.sleep,
    )
    return ChargingProfiles(intake, clock, settings.party, request_profile)


def _intake() -> DynamoIntakeStore:
    return DynamoIntakeStore(
        client=clients.dynamodb(),
        sessions=optional("SESSIONS_TABLE"),
        requests=optional("REQUESTS_TABLE"),
        registry=variable("REGISTRY_TABLE"),
    )
