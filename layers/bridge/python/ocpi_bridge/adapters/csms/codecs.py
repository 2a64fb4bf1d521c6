"""The payloads of OCPP by version, as the drivers use them."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import OcppVersion
from ocpi_bridge.ocpp import v16, v201
from ocpi_bridge.ports.charge_points import ChargerCommand, Done
from ocpi_bridge.ports.json_values import JsonObject, JsonValue


class OcppCodec(Protocol):
    """The payloads of one OCPP version: `ocpp.v16` and `ocpp.v201`."""

    def request(self, command: ChargerCommand) -> tuple[str, JsonObject]:
        """The action and payload of a command. Raises InvalidInput where there can be none."""

    def answer(self, kind: RequestKind, payload: JsonValue, received_at: datetime) -> Done:
        """What the charge point answered. Never raises."""


CODECS: Mapping[OcppVersion, OcppCodec] = MappingProxyType({OcppVersion.V16: v16, OcppVersion.V201: v201})
