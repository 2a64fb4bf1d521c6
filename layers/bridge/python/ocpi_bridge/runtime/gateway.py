"""API Gateway's Lambda proxy events and answers, in the few parts that the doors use."""

import base64
from collections.abc import Mapping
from typing import Any

from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonValue

# What API Gateway hands to a function, and what it takes back. Its shape is AWS's.
Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as the gateway saw it. Header names are lower case; the query is decoded once and keeps its order."""

    method: str
    path_parameters: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    path: str


def read(event: Event) -> HttpRequest:
    """Reads a proxy event."""
    multi = event.get("multiValueQueryStringParameters") or {}
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return HttpRequest(
        method=str(event.get("httpMethod", "")).upper(),
        path_parameters=event.get("pathParameters") or {},
        query=tuple((key, value) for key, values in multi.items() for value in values),
        headers=headers,
        body=_body(event),
        path=str(event.get("path") or ""),
    )


def answer(status: int, body: str, headers: Mapping[str, str] | None = None) -> dict[str, JsonValue]:
    """A proxy answer with a JSON body."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", **(headers or {})},
        "body": body,
        "isBase64Encoded": False,
    }


def _body(event: Event) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    # The gateway encodes binary bodies itself, so this is Base64; were it not, nothing of it would be JSON either.
    return base64.b64decode(body)
