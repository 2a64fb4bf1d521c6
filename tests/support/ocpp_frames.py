"""OCPP payloads in tests: through JSON text and back, checked against the official schemas of the `ocpp` package."""

import json
from decimal import Decimal
from pathlib import Path
from typing import cast

from ocpp.messages import MessageType, get_validator

from ocpi_bridge.domain.stations import OcppVersion
from ocpi_bridge.ports.json_values import JsonObject

FIXTURES = Path(__file__).parents[1] / "fixtures" / "ocpp"


def fixture(name: str) -> JsonObject:
    return cast("JsonObject", json.loads((FIXTURES / f"{name}.json").read_text(), parse_float=Decimal))


def on_the_wire(payload: JsonObject) -> JsonObject:
    """The payload as the other side reads it: Decimals written as JSON numbers, numbers read as Decimals."""
    return cast("JsonObject", json.loads(json.dumps(payload, default=float), parse_float=Decimal))


def check_request(version: OcppVersion, action: str, payload: JsonObject) -> None:
    """Raises a ValidationError of jsonschema where the payload is not what the official schema says."""
    validator = get_validator(MessageType.Call, action, version.value, parse_float=Decimal)
    validator.validate(on_the_wire(payload))
