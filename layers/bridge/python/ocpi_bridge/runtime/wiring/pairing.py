"""What the pairing endpoint is made of."""

from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.pairing import evse_fields, parse_code
from ocpi_bridge.ocpi.transport import TransportError
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.ocpi_door import PartnerCall
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.wiring.ocpi import OcpiModule, ocpi_module
from ocpi_bridge.usecases.pair_driver import PairDriver


@dataclass(frozen=True, slots=True)
class PairingEndpoint(OcpiModule):
    """The pairing endpoint."""

    pair_driver: PairDriver

    def pair(self, call: PartnerCall) -> JsonObject:
        """The EVSE that the driver's code is for, paired from now on."""
        partner_id = call.caller.partner_id
        if partner_id is None:
            raise TransportError(401, "unknown token")
        evse = self.pair_driver(partner_id, parse_code(call.request))
        logger.info("pairing.done", extra={"partner_id": partner_id, "evse_uid": evse.uid})
        return {"evse": evse_fields(evse)}


def pairing() -> PairingEndpoint:
    """The pairing endpoint."""
    module = ocpi_module()
    store = DynamoPairings(clients.dynamodb(), variable("REGISTRY_TABLE"))
    return PairingEndpoint(module.callers, module.clock, module.party, PairDriver(store, module.clock))
