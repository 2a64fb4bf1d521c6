"""Every path that no module serves: 401 without a token, else 404, in the OCPI envelope."""

from ocpi_bridge.ocpi.transport import TransportError
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.ocpi_door import PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.wiring import ocpi

bridge = ocpi.ocpi_module()


@ocpi_endpoint(bridge)
def lambda_handler(call: PartnerCall) -> JsonValue:
    """Finds nothing here."""
    raise TransportError(404, f"nothing is served at {call.request.method} on this path")
