"""What operations share: headers, parameters, answers with the envelope, and errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ocpi_bridge.domain.url_guard.urls import MAX_URL_LENGTH
from ocpi_bridge.ocpi.session_pages import MAX_OFFSET, MAX_PAGE
from ocpi_bridge.ocpi.transport import MAX_ID_LENGTH, MAX_SESSION_ID_LENGTH, StatusCode
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tools.openapi.schemas import reference

DATE_TIME: Final[JsonObject] = {
    "type": "string",
    "description": "OCPI DateTime (16.2): UTC, Z may be missing.",
    "examples": ["2026-01-15T17:05:00Z"],
}
URL: Final[JsonObject] = {"type": "string", "format": "uri", "maxLength": MAX_URL_LENGTH}

_MESSAGE_IDS: Final = ("X-Request-ID", "X-Correlation-ID")
_ROUTING: Final = ("OCPI-from-country-code", "OCPI-from-party-id", "OCPI-to-country-code", "OCPI-to-party-id")

# Configuration modules carry no routing headers (4.1.8).
CONFIGURATION_HEADERS: Final = _MESSAGE_IDS
FUNCTIONAL_HEADERS: Final = (*_MESSAGE_IDS, *_ROUTING)
PAGE_HEADERS: Final = ("Link", "X-Total-Count", "X-Limit")

_HEADER_TEXTS: Final[Mapping[str, tuple[str, JsonObject]]] = {
    "X-Request-ID": (
        "Of this message (4.2); made where it is missing.",
        {"type": "string", "maxLength": MAX_ID_LENGTH},
    ),
    "X-Correlation-ID": (
        "Of all messages that this one led to (4.2); made where it is missing.",
        {"type": "string", "maxLength": MAX_ID_LENGTH},
    ),
    "OCPI-from-country-code": ("Country of the party that speaks (4.1.8).", {"type": "string", "maxLength": 2}),
    "OCPI-from-party-id": ("The party that speaks (4.1.8).", {"type": "string", "maxLength": 3}),
    "OCPI-to-country-code": ("Country of the party that is spoken to (4.1.8).", {"type": "string", "maxLength": 2}),
    "OCPI-to-party-id": ("The party that is spoken to (4.1.8).", {"type": "string", "maxLength": 3}),
    "Link": ('The next page, rel="next"; absent on the last one (4.1.4.1.4).', {"type": "string"}),
    "X-Total-Count": ("How many there are that the caller may see.", {"type": "integer", "minimum": 0}),
    "X-Limit": ("The most that a page has.", {"const": str(MAX_PAGE), "type": "string"}),
    "Allow": ("The methods that are defined here.", {"type": "string"}),
    "WWW-Authenticate": ("RFC 9110, 15.5.2.", {"type": "string"}),
    "Retry-After": ("Seconds to wait.", {"type": "integer", "minimum": 0}),
}

_PARAMETERS: Final[Mapping[str, JsonObject]] = {
    "session_id": {
        "in": "path",
        "required": True,
        "description": "Session.id, compared without case.",
        "schema": {"type": "string", "maxLength": MAX_SESSION_ID_LENGTH},
    },
    "date_from": {
        "in": "query",
        "required": True,
        "description": "Sessions whose last_updated is this or later.",
        "schema": DATE_TIME,
    },
    "date_to": {
        "in": "query",
        "description": "Sessions whose last_updated is earlier than this.",
        "schema": DATE_TIME,
    },
    "offset": {
        "in": "query",
        "description": f"How many to pass over; without a cursor {MAX_OFFSET} at the most.",
        "schema": {"type": "integer", "minimum": 0, "default": 0},
    },
    "limit": {
        "in": "query",
        "description": f"How many to give; {MAX_PAGE} at the most, whatever is asked for.",
        "schema": {"type": "integer", "minimum": 1, "default": MAX_PAGE},
    },
    "cursor": {
        "in": "query",
        "description": "Where the page before ended, as its Link has it. Not for callers to make.",
        "schema": {"type": "string"},
    },
    "duration": {
        "in": "query",
        "required": True,
        "description": "How far ahead the active profile is to reach, in seconds.",
        "schema": {"type": "integer", "minimum": 1},
    },
    "response_url": {
        "in": "query",
        "required": True,
        "description": "Where the result is POSTed: https, on a host of the partner's. It may stand unencoded: what "
        "follows it in the query and is no parameter of ours belongs to it.",
        "schema": URL,
    },
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a path. `answers` are by HTTP status, a reference to an error or an answer itself."""

    name: str
    summary: str
    tag: str
    parameters: tuple[str, ...]
    answers: Mapping[str, JsonObject]
    security: Sequence[JsonObject]
    body: str | None = None
    description: str = ""
    callbacks: JsonObject | None = None

    def to_json(self) -> JsonObject:
        """The operation object."""
        written: dict[str, JsonValue] = {"operationId": self.name, "summary": self.summary, "tags": [self.tag]}
        if self.description:
            written["description"] = self.description
        if self.parameters:
            written["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in self.parameters]
        if self.body is not None:
            written["requestBody"] = {"required": True, "content": content(reference(self.body))}
        written["responses"] = dict(sorted(self.answers.items()))
        if self.callbacks is not None:
            written["callbacks"] = self.callbacks
        return written | {"security": list(self.security)}


def content(schema: JsonObject) -> JsonObject:
    """A JSON body."""
    return {"application/json": {"schema": schema}}


def answer(description: str, data: JsonObject | None, headers: Sequence[str]) -> JsonObject:
    """An answer of a module: the envelope (4.1.7) around `data` or without any, and its headers.

    A refusal in the OCPI layer is HTTP 200 as well, and has no data (5); what went well has it.
    """
    return {
        "description": description,
        "headers": _header_references(headers),
        "content": content(_enveloped(data)),
    }


def plain_answer(description: str, schema: str, headers: Sequence[str] = ()) -> JsonObject:
    """An answer without the envelope."""
    return {
        "description": description,
        "headers": _header_references(headers),
        "content": content(reference(schema)),
    }


def error(name: str) -> JsonObject:
    """A reference to one of `responses`."""
    return {"$ref": f"#/components/responses/{name}"}


GATEWAY_ERRORS: Final[Mapping[str, JsonObject]] = {
    "413": error("TooLarge"),
    "429": error("TooManyRequests"),
    "504": error("NoAnswerInTime"),
}
"""The documented exception to the envelope: no function sees these."""


def errors(*names: str, configuration: bool = False) -> dict[str, JsonObject]:
    """The errors of an operation of a module, by HTTP status; `configuration` for those without routing headers."""
    suffix = "OfConfiguration" if configuration else ""
    statuses = {"NotJson": "400", "Unauthorized": "401", "NotFound": "404", "MethodNotAllowed": "405"}
    return {statuses[name]: error(name + suffix) for name in names} | dict(GATEWAY_ERRORS)


def headers() -> JsonObject:
    """`components/headers`."""
    return {
        name: {"description": description, "schema": schema} for name, (description, schema) in _HEADER_TEXTS.items()
    }


def parameters() -> JsonObject:
    """`components/parameters`: those above, and the headers that a caller sends."""
    sent = {
        name: {
            "name": name,
            "in": "header",
            "description": f"{_HEADER_TEXTS[name][0]} Sent by rule, and never required.",
            "schema": _HEADER_TEXTS[name][1],
        }
        for name in FUNCTIONAL_HEADERS
    }
    return {name: {"name": name, **written} for name, written in _PARAMETERS.items()} | sent


def responses() -> JsonObject:
    """`components/responses`: the errors of OCPI's modules, with and without routing headers, and the gateway's."""
    texts = {
        "NotJson": ("The body is not valid JSON. status_code 2001.", ()),
        "Unauthorized": (
            "No token, an unknown one, or one that does not open this. status_code 2000.",
            ("WWW-Authenticate",),
        ),
        "NotFound": ("There is no such thing for the caller. status_code 2000 or 2001.", ()),
        "MethodNotAllowed": ("Not defined here, or not in the registration's state. status_code 2000.", ("Allow",)),
    }
    functional = {name: answer(text, None, (*FUNCTIONAL_HEADERS, *more)) for name, (text, more) in texts.items()}
    configuration = {
        f"{name}OfConfiguration": answer(text, None, (*CONFIGURATION_HEADERS, *more))
        for name, (text, more) in texts.items()
        # Nothing of a configuration module depends on a thing that there may not be.
        if name != "NotFound"
    }
    return {
        **functional,
        **configuration,
        "TooLarge": plain_answer("The request is too large. The gateway's own.", "GatewayError"),
        "TooManyRequests": plain_answer("Too many requests. The gateway's own.", "GatewayError", ("Retry-After",)),
        "NoAnswerInTime": plain_answer("No answer in time. The gateway's own.", "GatewayError"),
    }


def _enveloped(data: JsonObject | None) -> JsonObject:
    if data is None:
        return reference("Envelope")
    return {
        "allOf": [reference("Envelope")],
        "type": "object",
        "properties": {"data": data},
        "if": {"properties": {"status_code": {"const": int(StatusCode.SUCCESS)}}},
        "then": {"required": ["data"]},
    }


def _header_references(names: Sequence[str]) -> JsonObject:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
