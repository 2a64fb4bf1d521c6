"""Validation against the OpenAPI document: what a message must be to keep what we promise."""

import functools
import json
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tools.openapi import document

DOCUMENT: dict[str, Any] = json.loads(json.dumps(document()))

# By the operations' tags; each path of a CSMS has a function of its own.
FUNCTION_OF = {
    "versions": "ocpi_versions",
    "credentials": "ocpi_credentials",
    "sessions": "ocpi_sessions",
    "chargingprofiles": "ocpi_charging_profiles",
    "pairing": "ocpi_pairing",
    "/csms/v1/events": "csms_events",
    "/csms/v1/citrineos/{csms_id}/{token}": "csms_frames",
    "/csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}": "csms_sessions",
    "/csms/v1/callback/{command_id}/{signature}": "csms_callback",
}

_ROOT = "urn:openapi"
_REGISTRY: Registry[Any] = Registry().with_resource(_ROOT, DRAFT202012.create_resource(DOCUMENT))


def on_the_wire(value: JsonValue) -> Any:  # noqa: ANN401 - whatever JSON has
    """A message as it is read at the other end."""
    return json.loads(dumps(value))


def problems(schema: JsonObject | str, value: object) -> list[str]:
    """What is wrong with a message by a schema, or by one of `components/schemas`; empty where nothing is."""
    validator = _component(schema) if isinstance(schema, str) else _validator(_absolute(schema))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def function_of(path: str) -> str:
    """The function that serves a documented path."""
    tags = {operation["tags"][0] for operation in DOCUMENT["paths"][path].values() if "tags" in operation}
    return FUNCTION_OF.get(path) or FUNCTION_OF[tags.pop()]


def answer_schema(path: str, method: str, status: int = 200) -> JsonObject:
    """The schema of an operation's answer."""
    answer = DOCUMENT["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema: JsonObject = answer["content"]["application/json"]["schema"]
    return schema


def _absolute(value: Any) -> Any:  # noqa: ANN401 - a part of a schema
    if isinstance(value, dict):
        return {key: f"{_ROOT}{part}" if key == "$ref" else _absolute(part) for key, part in value.items()}
    return [_absolute(part) for part in value] if isinstance(value, list) else value


@functools.cache
def _component(name: str) -> Draft202012Validator:
    return _validator({"$ref": f"{_ROOT}#/components/schemas/{name}"})


def _validator(schema: Any) -> Draft202012Validator:  # noqa: ANN401 - a JSON schema
    return Draft202012Validator(schema, registry=_REGISTRY)
