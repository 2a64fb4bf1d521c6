"""POST /csms/v1/events: a CSMS reports what happened at its stations, signed (HMAC)."""

from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime.csms_door import csms_endpoint
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.wiring.csms_events import event_intake

intake = event_intake()


@csms_endpoint
def lambda_handler(request: HttpRequest) -> tuple[int, JsonObject]:
    """Queues the events."""
    return intake.take(request)
