"""What telling partners of their sessions is made of."""

import time

from ocpi_bridge.adapters.dynamodb.pushes import DynamoPushStore
from ocpi_bridge.adapters.dynamodb.requests import DynamoRequestStore
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.silences import DynamoSilences
from ocpi_bridge.adapters.dynamodb.watches import DynamoWatchStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.wiring.partners import partner_client, partner_secrets
from ocpi_bridge.usecases.keep_plan import KeepPlan
from ocpi_bridge.usecases.own_requests import OwnRequests
from ocpi_bridge.usecases.partner_line import PartnerLines
from ocpi_bridge.usecases.push_session import PushSession
from ocpi_bridge.usecases.tell_active_profile import TellActiveProfile
from ocpi_bridge.usecases.update_partner import UpdatePartner
from ocpi_bridge.usecases.watch_active_profile import WatchActiveProfile


def update_partner() -> UpdatePartner:
    """What a partner is owed when a session changes: the session, and the profile that is followed."""
    clock, dynamodb, secrets = SystemClock(), clients.dynamodb(), partner_secrets()
    sessions, requests, registry = variable("SESSIONS_TABLE"), variable("REQUESTS_TABLE"), variable("REGISTRY_TABLE")
    store = DynamoPushStore(dynamodb, sessions, registry, clock)
    watches = DynamoWatchStore(dynamodb, sessions, requests, registry, clock)
    own = OwnRequests(DynamoRequestStore(dynamodb, sessions, requests), clock, time.sleep)
    return UpdatePartner(
        store=store,
        sessions=DynamoSessionStore(dynamodb, sessions, registry),
        lines=PartnerLines(partner_client(secrets), DynamoSilences(dynamodb, registry), clock),
        push=PushSession(store=store, secrets=secrets, clock=clock),
        watch=WatchActiveProfile(
            store=watches,
            own=own,
            keep=KeepPlan(watches, own),
            tell=TellActiveProfile(watches),
            clock=clock,
        ),
        clock=clock,
    )
