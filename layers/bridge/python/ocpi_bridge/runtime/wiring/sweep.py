"""What the sweep is made of."""

from ocpi_bridge.adapters.dynamodb.survey import DynamoSurveyStore
from ocpi_bridge.adapters.dynamodb.sweep import DynamoSweepStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.wiring.relay import outbox
from ocpi_bridge.usecases.survey import Survey
from ocpi_bridge.usecases.sweep import Sweep


def sweep() -> Sweep:
    """The sweep."""
    store = DynamoSweepStore(
        clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REQUESTS_TABLE"), variable("REGISTRY_TABLE")
    )
    return Sweep(store, outbox(), SystemClock())


def survey() -> Survey:
    """The survey."""
    store = DynamoSurveyStore(clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REGISTRY_TABLE"))
    return Survey(store, SystemClock())
