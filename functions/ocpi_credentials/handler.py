"""GET, POST, PUT and DELETE credentials (OCPI 2.2.1 and 2.3.0, 7.2)."""

from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.ocpi_door import PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.wiring import credentials

bridge = credentials.credentials()


@ocpi_endpoint(bridge, configuration_module=True, accepts_spent_token=True)
def lambda_handler(call: PartnerCall) -> JsonValue:
    """Calls the partner back before it answers a POST or PUT."""
    registrant = bridge.registrant(call)
    match call.request.method:
        case "GET":
            return bridge.show(call, registrant)
        case "DELETE":
            bridge.leave(registrant)
            return None
        case _:
            return bridge.register(call, registrant)
