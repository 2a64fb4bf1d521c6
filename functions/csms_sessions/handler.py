"""PUT and PATCH /csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}: a CSMS that speaks OCPI."""

from ocpi_bridge.ocpi.transport import OcpiRequest
from ocpi_bridge.runtime.csms_ocpi_door import csms_ocpi_endpoint
from ocpi_bridge.runtime.wiring.csms_sessions import session_intake

intake = session_intake()


@csms_ocpi_endpoint(intake.clock)
def lambda_handler(request: OcpiRequest) -> None:
    """Queues what the session's object says."""
    intake.take(request)
