"""What the functions that call partners are made of."""

import time

from ocpi_bridge.adapters.dynamodb.deliveries import DynamoDeliveryStore
from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.adapters.dynamodb.pushes import DynamoPushStore
from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.watches import DynamoWatchStore
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_client
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.adapters.sqs.outbox import QueueUrls, SqsOutbox
from ocpi_bridge.ports import PartnerClient
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.partner_calls import ObservedPartnerClient
from ocpi_bridge.runtime.refused_urls import RefusalsCounted
from ocpi_bridge.runtime.settings import Settings, variable
from ocpi_bridge.usecases.deliver_result import DeliverResult
from ocpi_bridge.usecases.keep_plan import KeepPlan
from ocpi_bridge.usecases.own_requests import OwnRequests
from ocpi_bridge.usecases.push_session import PushSession
from ocpi_bridge.usecases.tell_active_profile import TellActiveProfile
from ocpi_bridge.usecases.update_partner import UpdatePartner
from ocpi_bridge.usecases.watch_active_profile import WatchActiveProfile


def deliver_result() -> DeliverResult:
    """The delivery of results, and the expiry of requests."""
    clock = SystemClock()
    store = DynamoDeliveryStore(
        clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REQUESTS_TABLE"), variable("REGISTRY_TABLE"), clock
    )
    given_up = SqsOutbox(clients.sqs(), QueueUrls(failed_deliveries=variable("RESULT_CALLBACKS_DLQ_URL")), clock)
    return DeliverResult(store=store, partners=store, client=_client(_secrets()), outbox=given_up, clock=clock)


def update_partner() -> UpdatePartner:
    """What a partner is owed when a session changes: the session, and the profile that is followed."""
    clock, dynamodb, secrets = SystemClock(), clients.dynamodb(), _secrets()
    sessions, requests, registry = variable("SESSIONS_TABLE"), variable("REQUESTS_TABLE"), variable("REGISTRY_TABLE")
    client = _client(secrets)
    store = DynamoPushStore(dynamodb, sessions, registry, clock)
    watches = DynamoWatchStore(dynamodb, sessions, requests, registry, clock)
    own = OwnRequests(DynamoIntakeStore(dynamodb, sessions, requests, registry), clock, time.sleep)
    return UpdatePartner(
        store=store,
        sessions=DynamoSessionStore(dynamodb, sessions, registry),
        push=PushSession(store=store, client=client, secrets=secrets, clock=clock),
        watch=WatchActiveProfile(
            store=watches,
            own=own,
            keep=KeepPlan(watches, own),
            tell=TellActiveProfile(watches, client),
            clock=clock,
        ),
        clock=clock,
    )


def _secrets() -> SecretsManagerStore:
    return SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), SystemClock())


def _client(secrets: SecretsManagerStore) -> PartnerClient:
    clock = SystemClock()
    guarded = guarded_partner_client(secrets, clock, allow_loopback=Settings().is_local)
    hosts = DynamoRefusedHosts(clients.dynamodb(), variable("REGISTRY_TABLE"))
    return ObservedPartnerClient(RefusalsCounted(guarded, hosts, clock), clock)
