"""Calls to the Receiver: each is bounded in time and size, and its answer is kept as it came."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path

import httpx

from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import JsonObject, NotJsonError, as_int, as_object, as_text, read_json

# API gateways give up after half a minute; a handshake may take that long.
CALL_SECONDS = 30.0
# Far above any page of sessions.
MAX_BODY_BYTES = 4 * 1024 * 1024
USER_AGENT = "ocpi-rehearsal"
# What gateways and firewalls answer by themselves, before any platform has seen the request.
GATEWAY_STATUSES = frozenset({403, 413, 429, 502, 503, 504})

Headers = Mapping[str, str | None]


class UnansweredError(Exception):
    """There was no answer from the platform; the text says why and holds no token."""


class Kind(Enum):
    """Functional modules are routed, versions and credentials are not (4.1.8)."""

    FUNCTIONAL = "functional"
    CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make. `where` names it in the report, without its token and its query."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    kind: Kind
    where: str

    def header(self, name: str) -> str | None:
        """A header as it was sent, by its name in any case."""
        return next((value for key, value in self.headers.items() if key.casefold() == name.casefold()), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are lower case. `envelope` is None where the body is no JSON object."""

    call: Call
    sent_at: datetime
    at: datetime
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    envelope: JsonObject | None = field(repr=False)

    @property
    def status_code(self) -> int | None:
        """The OCPI status code."""
        return None if self.envelope is None else as_int(self.envelope.get("status_code"))

    @property
    def data(self) -> object:
        """What the envelope holds."""
        return None if self.envelope is None else self.envelope.get("data")

    @property
    def is_success(self) -> bool:
        """Whether HTTP and OCPI both say so."""
        code = self.status_code
        return 200 <= self.status < 300 and code is not None and 1000 <= code < 2000

    def __str__(self) -> str:
        code = "no OCPI code" if self.status_code is None else f"OCPI {self.status_code}"
        message = as_text((self.envelope or {}).get("status_message"))
        return f"HTTP {self.status}, {code}" + (f" ({message})" if message else "")


class Caller:
    """Makes calls; trusts the public authorities, and one more from a file."""

    def __init__(self, ca_file: Path | None = None, *, seconds: float = CALL_SECONDS) -> None:
        context = ssl.create_default_context()
        if ca_file is not None:
            context.load_verify_locations(str(ca_file))
        self._seconds = seconds
        # A redirect would carry the token to a place that nobody agreed on.
        self._http = httpx.Client(verify=context, timeout=seconds, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def call(self, call: Call) -> Answer:
        """Make one call. Raises UnansweredError, also where a gateway answers for the platform."""
        try:
            answer = self._exchange(call)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise UnansweredError(f"{call.where}: {type(error).__name__}: {error}") from error
        if answer.status in GATEWAY_STATUSES and "status_code" not in (answer.envelope or {}):
            raise UnansweredError(f"{call.where}: HTTP {answer.status}, which a gateway answers, not the platform")
        return answer

    def _exchange(self, call: Call) -> Answer:
        deadline, sent_at, body = time.monotonic() + self._seconds, utc_now(), b""
        with self._http.stream(
            call.method, call.url, content=call.body, headers={"User-Agent": USER_AGENT, **call.headers}
        ) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_BODY_BYTES or time.monotonic() > deadline:
                    raise UnansweredError(f"{call.where}: an answer that is too long or too slow")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(call, sent_at, utc_now(), response.status_code, headers, body, _envelope(body))


def _envelope(body: bytes) -> JsonObject | None:
    try:
        read = read_json(body)
    except NotJsonError:
        return None
    return as_object(read) if isinstance(read, dict) else None
