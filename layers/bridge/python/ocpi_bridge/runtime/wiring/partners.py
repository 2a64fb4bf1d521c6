"""The client that calls partners, and what it needs."""

from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_client
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.ports.partners import PartnerClient
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.partner_calls import ObservedPartnerClient, RefusalsCounted
from ocpi_bridge.runtime.settings import Settings, variable


def partner_secrets() -> SecretsManagerStore:
    """The secrets that we present to partners."""
    return SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), SystemClock())


def partner_client(secrets: SecretsManagerStore) -> PartnerClient:
    """The guarded client; each call is logged and counted, and so is each refusal of the URL guard."""
    clock = SystemClock()
    guarded = guarded_partner_client(secrets, clock, allow_loopback=Settings().is_local)
    hosts = DynamoRefusedHosts(clients.dynamodb(), variable("REGISTRY_TABLE"))
    return ObservedPartnerClient(RefusalsCounted(guarded, hosts, clock), clock)
