"""What the functions that call partners are made of."""

from ocpi_bridge.adapters.dynamodb.deliveries import DynamoDeliveryStore
from ocpi_bridge.adapters.dynamodb.pushes import DynamoPushStore
from ocpi_bridge.adapters.partner_http.client import PartnerHttpClient
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_client
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import Settings, variable
from ocpi_bridge.usecases.deliver_result import DeliverResult
from ocpi_bridge.usecases.push_session import PushSession


def deliver_result() -> DeliverResult:
    """The delivery of results, and the expiry of requests."""
    store = DynamoDeliveryStore(clients.dynamodb(), variable("REQUESTS_TABLE"), variable("REGISTRY_TABLE"))
    return DeliverResult(store=store, partners=store, client=_client(_secrets()), clock=SystemClock())


def push_session() -> PushSession:
    """The push of sessions."""
    clock = SystemClock()
    store = DynamoPushStore(clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REGISTRY_TABLE"), clock)
    secrets = _secrets()
    return PushSession(store=store, client=_client(secrets), secrets=secrets, clock=clock)


def _secrets() -> SecretsManagerStore:
    return SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), SystemClock())


def _client(secrets: SecretsManagerStore) -> PartnerHttpClient:
    return guarded_partner_client(secrets, SystemClock(), allow_loopback=Settings().is_local)
