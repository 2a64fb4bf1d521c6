"""What looking back is made of."""

from ocpi_bridge.adapters.dynamodb.stories import DynamoStories
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.usecases.session_story import LookBack


def look_back() -> LookBack:
    """Finds the history of a session."""
    return LookBack(
        DynamoStories(clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REQUESTS_TABLE")), SystemClock()
    )
