"""The whole document."""

from collections.abc import Mapping
from typing import Final

from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tools.openapi import csms_api, ocpi_api, pairing_api, parts, schemas
from tools.openapi.outgoing import webhooks
from tools.openapi.parts import Operation

# Of the interfaces, not of the package: it changes when a caller has to know.
INTERFACES_VERSION: Final = "1.0.0"

_OCPI_SERVER: Final[JsonObject] = {
    "url": "{ocpiApiUrl}",
    "description": "The stack's output OcpiApiUrl.",
    "variables": {"ocpiApiUrl": {"default": "https://ocpi.example.com"}},
}
_CSMS_SERVER: Final[JsonObject] = {
    "url": "{csmsApiUrl}",
    "description": "The stack's output CsmsApiUrl.",
    "variables": {"csmsApiUrl": {"default": "https://csms.example.com"}},
}

_SECURITY_SCHEMES: Final[JsonObject] = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Token` and the credentials token in Base64 (4.1.2); plain is taken too.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same token as `Bearer`, for partners that are registered to send it so.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Signature",
        "description": "`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 by the CSMS's event key over the seconds, a dot and the "
        "body.",
    },
}

_TAGS: Final[JsonValue] = [
    {"name": "versions", "description": "OCPI 6."},
    {"name": "credentials", "description": "OCPI 7."},
    {"name": "sessions", "description": "OCPI 9, Sender interface."},
    {"name": "chargingprofiles", "description": "OCPI 14, Receiver interface."},
    {"name": "pairing", "description": "As Jedlix publishes it; no module of OCPI."},
    {"name": "csms", "description": "Called by the CPO's CSMS."},
]


def document() -> JsonObject:
    """The document, the same on every run."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OCPI charging profile bridge",
            "version": INTERFACES_VERSION,
            "description": "A CPO's side of OCPI 2.2.1 and 2.3.0 for Smart Charging Service Providers, and the bridge's "
            "door for the CPO's CSMS. Numbers in parentheses are sections of OCPI 2.2.1.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [_OCPI_SERVER],
        "tags": _TAGS,
        "paths": {
            **{path: _path(operations) for path, operations in (ocpi_api.paths() | pairing_api.paths()).items()},
            **{path: _path(operations, _CSMS_SERVER) for path, operations in csms_api.paths().items()},
        },
        "webhooks": webhooks(),
        "components": {
            "schemas": dict(sorted((schemas.schemas() | csms_api.schemas()).items())),
            "parameters": {**parts.parameters(), **csms_api.PARAMETERS},
            "headers": parts.headers(),
            "responses": parts.responses(),
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _path(operations: Mapping[str, Operation], server: JsonObject | None = None) -> JsonObject:
    written: JsonObject = {method: operation.to_json() for method, operation in operations.items()}
    return written if server is None else {"servers": [server], **written}
