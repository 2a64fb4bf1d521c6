"""POST /csms/v1/callback/{command_id}/{signature}: a CSMS gives a charge point's answer on a one-time URL."""

from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime.csms_door import csms_endpoint
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.wiring.csms_callback import callback_intake

intake = callback_intake()


@csms_endpoint
def lambda_handler(request: HttpRequest) -> tuple[int, JsonObject]:
    """Records the answer."""
    return intake.take(request)
