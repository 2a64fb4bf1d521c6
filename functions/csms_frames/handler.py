"""POST /csms/v1/citrineos/{csms_id}/{token}: CitrineOS posts the raw OCPP frames of the stations that it was asked for."""

from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime.csms_door import csms_endpoint
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.wiring.csms_frames import frame_intake

intake = frame_intake()


@csms_endpoint
def lambda_handler(request: HttpRequest) -> tuple[int, JsonObject]:
    """Queues the frames."""
    return intake.take(request)
