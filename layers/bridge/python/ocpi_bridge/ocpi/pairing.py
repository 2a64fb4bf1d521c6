"""Pairing on the wire, as Jedlix publishes it: plain JSON beside OCPI's modules, with OCPI's words for an EVSE (8.3.2)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ocpi_bridge.domain.stations import Connector, Evse
from ocpi_bridge.ocpi.transport import OcpiRequest
from ocpi_bridge.ocpi.validation import invalid_input
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# Several times the longest code; what is longer was not typed by a driver.
MAX_CODE_LENGTH = 64


def parse_code(request: OcpiRequest) -> str:
    """The code in a request to pair. Raises InvalidInput, or TransportError where the body is no JSON.

    A number is refused: it would have lost the zeros that a code may begin with.
    """
    try:
        return _Pair.model_validate(request.json()).code
    except ValidationError as error:
        problem = invalid_input(error)
    # Raised out here, without the parser's error as its context: that one holds the code.
    raise problem


def evse_fields(evse: Evse) -> JsonObject:
    """The EVSE as the other side is told it: V, A per phase and W; what is not known is left out."""
    fields: dict[str, JsonValue] = {
        "uid": evse.uid,
        "capabilities": [*sorted(evse.capabilities)],
        "connectors": [_connector(connector) for connector in evse.connectors],
    }
    return fields if evse.evse_id is None else fields | {"evse_id": evse.evse_id}


def _connector(connector: Connector) -> JsonObject:
    fields: dict[str, JsonValue] = {
        "id": connector.connector_id,
        "power_type": connector.power_type.value,
        "max_voltage": connector.max_voltage,
        "max_amperage": connector.max_amperage,
    }
    power = connector.max_electric_power
    return fields if power is None else fields | {"max_electric_power": power}


class _Pair(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    code: Annotated[str, Field(min_length=1, max_length=MAX_CODE_LENGTH)]
