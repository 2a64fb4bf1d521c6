"""GET versions and version details (OCPI 2.2.1 and 2.3.0, 6)."""

from ocpi_bridge.ocpi.versions import version_details, version_in, versions
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.ocpi_door import PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.ocpi_requests import method_not_allowed
from ocpi_bridge.runtime.wiring import ocpi

bridge = ocpi.versions()


@ocpi_endpoint(bridge, configuration_module=True)
def lambda_handler(call: PartnerCall) -> JsonValue:
    """The list, or the details of the version that the path names. Without side effects."""
    if call.request.method != "GET":
        raise method_not_allowed("GET")
    version = version_in(call.request.path)
    return versions(bridge.api_url) if version is None else version_details(bridge.api_url, version)
