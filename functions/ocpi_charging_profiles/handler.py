"""GET, PUT and DELETE /chargingprofiles/{session_id}: the Receiver interface (OCPI 2.2.1, 14.4.1)."""

from ocpi_bridge.ocpi.charging_profiles import ChargingProfileCall, ClearProfile, ReadActiveProfile, SetProfile
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.ocpi_door import PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.ocpi_requests import method_not_allowed
from ocpi_bridge.runtime.wiring.charging_profiles import charging_profiles

bridge = charging_profiles()


@ocpi_endpoint(bridge)
def lambda_handler(call: PartnerCall) -> JsonValue:
    """Answers at once; the result of an accepted request follows on its `response_url`."""
    wanted: ChargingProfileCall
    match call.request.method:
        case "PUT":
            wanted = SetProfile.parse(call.request)
        case "DELETE":
            wanted = ClearProfile.parse(call.request)
        case "GET":
            wanted = ReadActiveProfile.parse(call.request)
        case _:
            raise method_not_allowed("GET", "PUT", "DELETE")
    return bridge.request_profile(call.caller, wanted, call.context).to_json()
