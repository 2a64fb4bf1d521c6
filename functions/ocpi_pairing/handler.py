"""POST /v1/cpo/ocpi2.2/pair: a partner pairs a charge point by the code that its driver has from the CPO (Jedlix)."""

from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime.ocpi_door import PartnerCall
from ocpi_bridge.runtime.pairing_door import pairing_endpoint
from ocpi_bridge.runtime.wiring.pairing import pairing

bridge = pairing()


@pairing_endpoint(bridge)
def lambda_handler(call: PartnerCall) -> JsonObject:
    """The EVSE, which the partner may steer from now on."""
    return bridge.pair(call)
