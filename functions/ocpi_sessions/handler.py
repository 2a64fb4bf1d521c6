"""GET /sessions and PUT /sessions/{session_id}/charging_preferences: the Sender interface (OCPI 2.2.1, 9.2.1)."""

from ocpi_bridge.ocpi.charging_preferences import parse_preferences
from ocpi_bridge.ocpi.session_pages import SessionQuery
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.ocpi_door import Answer, PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.ocpi_requests import method_not_allowed
from ocpi_bridge.runtime.wiring.sessions import sessions

bridge = sessions()


@ocpi_endpoint(bridge)
def lambda_handler(call: PartnerCall) -> JsonValue | Answer:
    """A page of the sessions that the partner sees, or what becomes of a driver's wishes for one of them."""
    request = call.request
    if "session_id" in request.path_parameters:
        if request.method != "PUT":
            raise method_not_allowed("PUT")
        return bridge.set_preferences(call.caller, parse_preferences(request), call.context).value
    if request.method != "GET":
        raise method_not_allowed("GET")
    version, url = bridge.endpoint(request.path)
    page = bridge.list_sessions(call.caller, SessionQuery.parse(request), call.context, version)
    return Answer(page.sessions, page.headers(url))
