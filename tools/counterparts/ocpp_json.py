"""OCPP-J frames and the official message schemas (OCPP-J 1.6, 4.2; the schemas come with the `ocpp` package)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import cache
from importlib import resources
from json import loads

from jsonschema import Draft4Validator, FormatChecker
from jsonschema.exceptions import best_match

from tools.counterparts.json_types import JsonObject, NotJsonError, as_object, read_json, write_json

SUBPROTOCOL_16 = "ocpp1.6"


class OcppVersion(StrEnum):
    """Versions whose schemas are at hand."""

    V16 = "1.6"
    V201 = "2.0.1"


class MessageType(IntEnum):
    """First element of a frame."""

    CALL = 2
    CALLRESULT = 3
    CALLERROR = 4


class FrameError(ValueError):
    """The text is no OCPP-J frame."""


class PayloadError(ValueError):
    """A payload that its official schema refuses; `path` is a JSON pointer to the place."""

    def __init__(self, action: str, path: str, reason: str) -> None:
        self.action = action
        self.path = path
        self.reason = reason
        super().__init__(f"{action}{path}: {reason}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    message_id: str
    action: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallResult:
    """The answer to a request."""

    message_id: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class CallError:
    """The error answer to a request."""

    message_id: str
    code: str
    description: str = ""
    details: JsonObject = field(default_factory=dict)


Frame = Call | CallResult | CallError


def read_frame(text: str | bytes) -> Frame:
    """Read one frame; raises FrameError with what is wrong."""
    try:
        parts = read_json(text)
    except NotJsonError as error:
        raise FrameError(str(error)) from error
    match parts:
        case [MessageType.CALL, str(message_id), str(action), dict() as payload]:
            return Call(message_id, action, as_object(payload))
        case [MessageType.CALLRESULT, str(message_id), dict() as payload]:
            return CallResult(message_id, as_object(payload))
        case [MessageType.CALLERROR, str(message_id), str(code), str(description), dict() as details]:
            return CallError(message_id, code, description, as_object(details))
    raise FrameError("neither CALL nor CALLRESULT nor CALLERROR")


def write_frame(frame: Frame) -> str:
    """Write one frame as compact JSON."""
    match frame:
        case Call(message_id, action, payload):
            return write_json([MessageType.CALL, message_id, action, payload])
        case CallResult(message_id, payload):
            return write_json([MessageType.CALLRESULT, message_id, payload])
        case CallError(message_id, code, description, details):
            return write_json([MessageType.CALLERROR, message_id, code, description, details])


def check_request(version: OcppVersion, action: str, payload: Mapping[str, object]) -> None:
    """Check the payload of a CALL; raises PayloadError, and KeyError for an action that the version lacks."""
    _check(version, action, action if version is OcppVersion.V16 else f"{action}Request", payload)


def check_response(version: OcppVersion, action: str, payload: Mapping[str, object]) -> None:
    """Check the payload of a CALLRESULT; raises PayloadError, and KeyError for an action that the version lacks."""
    _check(version, action, f"{action}Response", payload)


def knows_action(version: OcppVersion, action: str) -> bool:
    """Whether the version defines the action."""
    try:
        _validator(version, f"{action}Response")
    except KeyError:
        return False
    return True


def _check(version: OcppVersion, action: str, schema: str, payload: Mapping[str, object]) -> None:
    # Through text and back: floats become decimals, else 21.4 is no multiple of 0.1.
    value = read_json(write_json(payload))
    error = best_match(_validator(version, schema).iter_errors(value))
    if error is not None:
        path = "".join(f"/{part}" for part in error.absolute_path)
        raise PayloadError(action, path, error.message)


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_datetime(value: object) -> bool:
    # RFC 3339 wants a zone; the Python reader does not.
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def _validator(version: OcppVersion, schema: str) -> Draft4Validator:
    # An own cache beside the one of the `ocpp` package, which keeps whichever number type was asked for first.
    folder = resources.files("ocpp") / f"v{version.replace('.', '')}" / "schemas"
    if not schema.isalnum():
        raise KeyError(schema)
    file = folder / f"{schema}.json"
    if not file.is_file():
        raise KeyError(schema)
    text = file.read_text(encoding="utf-8-sig")
    return Draft4Validator(loads(text, parse_float=Decimal), format_checker=_FORMATS)
