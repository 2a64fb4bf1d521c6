"""What the sessions endpoint is made of."""

from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.adapters.dynamodb.preferences import DynamoPreferencesStore
from ocpi_bridge.adapters.dynamodb.session_feed import DynamoSessionFeed
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.versions import SESSIONS, VERSIONS, version_in
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import Settings, optional, variable
from ocpi_bridge.runtime.wiring.ocpi import OcpiModule
from ocpi_bridge.usecases.list_sessions import ListSessions
from ocpi_bridge.usecases.set_preferences import SetPreferences


@dataclass(frozen=True, slots=True)
class Sessions(OcpiModule):
    """The sessions endpoint; `api_url` is where partners reach this API."""

    api_url: str
    list_sessions: ListSessions
    set_preferences: SetPreferences

    def endpoint(self, path: str) -> tuple[str, str]:
        """The version of OCPI that a path names, and the absolute URL of this module in it, as versions tell it."""
        version = version_in(path) or VERSIONS[0]
        return version, f"{self.api_url}/ocpi/{version}/{SESSIONS}"


def sessions() -> Sessions:
    """The sessions endpoint."""
    client, clock, party = clients.dynamodb(), SystemClock(), Settings().party
    sessions_table, registry = variable("SESSIONS_TABLE"), variable("REGISTRY_TABLE")
    intake = DynamoIntakeStore(
        client=client, sessions=sessions_table, requests=optional("REQUESTS_TABLE"), registry=registry
    )
    secrets = SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock)
    return Sessions(
        callers=intake,
        clock=clock,
        party=party,
        api_url=variable("OCPI_API_URL"),
        list_sessions=ListSessions(DynamoSessionFeed(client, sessions_table, registry), secrets, party),
        set_preferences=SetPreferences(intake, DynamoPreferencesStore(client, sessions_table), clock),
    )
