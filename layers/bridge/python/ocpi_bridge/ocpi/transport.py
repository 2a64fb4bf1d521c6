"""Transport and format (OCPI 4 and 5): requests as they come in, the envelope, status codes, ids, routing headers."""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.bounded_json import JsonBeyondBounds, UnreadableJson, read_json
from ocpi_bridge.ocpi.datetimes import format_datetime
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# The largest legal message of ours is a plan of 1,024 periods, some 60 KB; what is larger is not OCPI.
MAX_BODY_BYTES = 131_072
# CiString(36) (9.3.1).
MAX_SESSION_ID_LENGTH = 36
# An id longer than this is replaced by one of ours: it would only fill logs.
MAX_ID_LENGTH = 128

_PRINTABLE = re.compile(rf"[\x21-\x7e]{{1,{MAX_ID_LENGTH}}}")


class StatusCode(IntEnum):
    """OCPI status codes (5) that the bridge gives."""

    SUCCESS = 1000
    CLIENT_ERROR = 2000
    INVALID_PARAMETERS = 2001
    UNKNOWN_LOCATION = 2003
    SERVER_ERROR = 3000
    UNABLE_TO_USE_CLIENT_API = 3001
    UNSUPPORTED_VERSION = 3002
    NO_MATCHING_ENDPOINTS = 3003


class TransportError(BridgeError):
    """A request that ends before the OCPI layer: the HTTP status says so, and the envelope repeats it (1.4).

    `status_code` is the envelope's; without it 2001 for a body that is no JSON (400), and 2000 for all else.
    """

    def __init__(
        self,
        http_status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        status_code: StatusCode | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.headers = dict(headers or {})
        usual = StatusCode.INVALID_PARAMETERS if http_status == 400 else StatusCode.CLIENT_ERROR
        self.status_code = usual if status_code is None else status_code


@dataclass(frozen=True, slots=True)
class MessageIds:
    """X-Request-ID and X-Correlation-ID (4.2)."""

    request_id: str
    correlation_id: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "MessageIds":
        """The ids of a message (header names in lower case); what the caller left out is made, never asked for."""
        return cls(
            request_id=_id(headers.get("x-request-id")) or str(uuid.uuid4()),
            correlation_id=_id(headers.get("x-correlation-id")) or str(uuid.uuid4()),
        )


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a use case is told of a call: its ids, and the parties it names (4.1.8)."""

    ids: MessageIds
    from_party: Party | None
    to_party: Party | None


@dataclass(frozen=True, slots=True)
class OcpiRequest:
    """One request of a partner. Header names are lower case; the query keeps order and repetitions, decoded once."""

    method: str
    path_parameters: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    ids: MessageIds
    body: bytes = b""
    path: str = ""

    @property
    def from_party(self) -> Party | None:
        """The party that the caller speaks for, if it says so (4.1.8)."""
        return self._party("from")

    @property
    def to_party(self) -> Party | None:
        """The party that the caller speaks to, if it says so (4.1.8)."""
        return self._party("to")

    def json(self) -> JsonObject:
        """The body as a JSON object, numbers as int and Decimal.

        Raises TransportError(400) where it is no JSON, and InvalidInput where it is beyond a bound (bounded_json).
        """
        if len(self.body) > MAX_BODY_BYTES:
            raise InvalidInput("body", f"is longer than {MAX_BODY_BYTES} bytes")
        try:
            parsed = read_json(self.body)
        except JsonBeyondBounds as error:
            raise InvalidInput("body", str(error)) from error
        except UnreadableJson as error:
            raise TransportError(400, f"the body {error}") from error
        if not isinstance(parsed, Mapping):
            raise InvalidInput("body", "is not a JSON object")
        return parsed

    def _party(self, direction: str) -> Party | None:
        country_code = self.headers.get(f"ocpi-{direction}-country-code", "").strip()
        party_id = self.headers.get(f"ocpi-{direction}-party-id", "").strip()
        if not (0 < len(country_code) <= 2 and 0 < len(party_id) <= 3 and (country_code + party_id).isascii()):
            return None
        return Party(country_code, party_id)


def envelope(
    now: datetime, code: int = StatusCode.SUCCESS, message: str = "Success", data: JsonValue = None
) -> dict[str, JsonValue]:
    """The response envelope (4.1.7); `data` None is left out."""
    body: dict[str, JsonValue] = {} if data is None else {"data": data}
    return body | {"status_code": int(code), "status_message": message, "timestamp": format_datetime(now)}


def routing_headers(sender: Party, receiver: Party | None) -> dict[str, str]:
    """Routing headers of a message from one party to another, or to somebody who did not say who it is (4.1.8)."""
    headers = {"OCPI-from-country-code": sender.country_code, "OCPI-from-party-id": sender.party_id}
    if receiver is not None:
        headers |= {"OCPI-to-country-code": receiver.country_code, "OCPI-to-party-id": receiver.party_id}
    return headers


def dumps(value: JsonValue) -> str:
    """JSON with Decimals written as the numbers they are: 8.1 stays 8.1, and 22000 has no fraction."""
    return json.dumps(value, default=_plain_number, separators=(",", ":"))


def _plain_number(value: object) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no place in an OCPI message")
    return int(value) if value == value.to_integral_value() else float(value)


def _id(value: str | None) -> str | None:
    return value if value is not None and _PRINTABLE.fullmatch(value) else None
