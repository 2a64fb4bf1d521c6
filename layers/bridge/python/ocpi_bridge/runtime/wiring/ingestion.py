"""What the ingestion of events is made of."""

from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.usecases.ingest_event import IngestEvent


def ingest_event() -> IngestEvent:
    """The ingestion of one event."""
    store = DynamoSessionStore(clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REGISTRY_TABLE"))
    states = DynamoStationStates(clients.dynamodb(), variable("REGISTRY_TABLE"))
    return IngestEvent(store=store, states=states, clock=SystemClock())
