"""What goes out to a CSMS for a command: method, URL and body, as the description of its API has them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final
from urllib.parse import quote, urlencode

from ocpi_bridge.domain.csms_api import Body, CsmsApi, Operation, Spelling
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.stations import Csms, CsmsMode, OcppVersion
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.charge_points import ChargerCommand
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

Value = str | int | None
"""What stands for a placeholder; None where the command has nothing to say there."""

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_CAPITAL: Final = re.compile(r"(?<=.)([A-Z])")
# Parts of a path that servers take for steps up and down in it, quoted or not.
_STEPS: Final = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class OutgoingCall:
    """One call, but for who makes it. The URL may carry a signed callback URL, so it is not shown."""

    method: str
    url: str = field(repr=False)
    body: bytes | None = field(repr=False)


def outgoing_call(api: CsmsApi, csms: Csms, command: ChargerCommand, payload: JsonObject) -> OutgoingCall:
    """The call that carries the command's OCPP payload. Raises InvalidInput where the API does not offer the command."""
    operation = offered(api, command)
    values = _values(api, csms, command)
    return OutgoingCall(
        operation.method,
        _url(csms.base_url, operation, values),
        None if operation.method == "GET" else dumps(_body(operation.body, payload, values)).encode(),
    )


class NotOffered(InvalidInput):
    """The API has no operation for such a command at all."""


def offered(api: CsmsApi, command: ChargerCommand) -> Operation:
    """The API's operation for the command. Raises NotOffered where there is none."""
    version = command.outlet.station.ocpp_version
    operation = api.operation(command.kind, version.value)
    if operation is None:
        raise NotOffered("preset", f"{api.name} does not offer {command.kind} for OCPP {version}")
    return operation


def _values(api: CsmsApi, csms: Csms, command: ChargerCommand) -> Mapping[str, Value]:
    outlet = command.outlet
    later = outlet.station.ocpp_version is OcppVersion.V201
    return {
        **api.parameters,
        **dict(csms.parameters),
        "callback_url": command.callback_url if csms.mode is CsmsMode.CALLBACK else None,
        "command_id": command.command_id,
        "connector_id": outlet.connector.ocpp_connector_id,
        "duration": command.duration,
        "evse_id": outlet.ocpp_evse_id if later else None,
        "evse_uid": outlet.evse.uid,
        "ocpp_version": outlet.station.ocpp_version.value,
        "profile_id": command.profile_id,
        "request_id": command.request_id,
        "session_id": command.session_id,
        "stack_level": command.stack_level,
        "station_id": outlet.station.station_id,
        "transaction_id": command.transaction_id,
        "unit": None if command.unit is None else command.unit.value,
    }


def _url(base_url: str, operation: Operation, values: Mapping[str, Value]) -> str:
    parts = {name: quote(str(value), safe="") for name, value in values.items() if value is not None}
    path = _filled(operation.path, parts)
    if _STEPS & set(path.split("/")):
        raise InvalidInput("path", "would leave its place: an id in it is a dot or two")
    asked = [(name, _value(template, values)) for name, template in operation.query.items()]
    query = urlencode([(name, value) for name, value in asked if value is not None], quote_via=quote)
    return f"{base_url.rstrip('/')}{path}" + (f"?{query}" if query else "")


def _body(body: Body, payload: JsonObject, values: Mapping[str, Value]) -> JsonObject:
    written = _respelled(_flat(payload, body.flatten), body)
    for name in reversed(body.payload_at):
        written = {name: written}
    added = {name: _value(template, values) for name, template in body.add.items()}
    beside: JsonObject = {name: value for name, value in added.items() if value is not None}
    return {**written, **beside} if isinstance(written, Mapping) else beside


def _flat(payload: JsonObject, names: tuple[str, ...]) -> JsonObject:
    for name in names:
        inner = payload.get(name)
        if isinstance(inner, Sequence) and not isinstance(inner, str) and len(inner) == 1:
            inner = inner[0]
        if isinstance(inner, Mapping):
            payload = {**inner, **{other: value for other, value in payload.items() if other != name}}
    return payload


def _respelled(value: JsonValue, body: Body) -> JsonValue:
    if isinstance(value, Mapping):
        return {_spelled(name, body): _respelled(inner, body) for name, inner in value.items() if name not in body.omit}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_respelled(inner, body) for inner in value]
    return value


def _spelled(name: str, body: Body) -> str:
    if name in body.rename:
        return body.rename[name]
    return _CAPITAL.sub(r"_\1", name).lower() if body.spelling is Spelling.SNAKE_CASE else name


def _value(template: str, values: Mapping[str, Value]) -> Value:
    alone = _PLACEHOLDER.fullmatch(template)
    if alone is not None:
        return values.get(alone[1])
    return _filled(template, {name: str(value) for name, value in values.items() if value is not None})


def _filled(template: str, texts: Mapping[str, str]) -> str:
    try:
        return template.format_map(texts)
    except KeyError as missing:
        raise InvalidInput(missing.args[0], "is part of the call, and the command has none") from None
