"""OCPI transport on the partner's side: tokens, message ids, routing headers, violations (OCPI 2.2.1, 4)."""

import base64
import binascii
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import Request, Response
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
ROUTING_HEADERS = ("country-code", "party-id")
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Party:
    """A role's identity (16.4: compared without regard to case)."""

    country_code: str
    party_id: str

    def is_same(self, other: "Party") -> bool:
        """Whether both name one party."""
        return (self.country_code.casefold(), self.party_id.casefold()) == (
            other.country_code.casefold(),
            other.party_id.casefold(),
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """The tokens of one connection and how they are written; `plain` is what peers before 2.2-d2 do (4.1.2).

    `ours` is presented to the bridge, `theirs` is what the bridge must present to the partner.
    """

    ours: str = field(repr=False)
    theirs: str = field(repr=False)
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of OCPI that the other side broke, and where."""

    at: datetime
    where: str
    what: str


class Violations:
    """Collects violations; a test ends with `assert not partner.violations.all()`."""

    def __init__(self) -> None:
        self.journal: Journal[Violation] = Journal()

    def note(self, where: str, what: str) -> None:
        """Record one."""
        self.journal.record(Violation(utc_now(), where, what))

    def all(self) -> list[Violation]:
        """Everything noted so far."""
        return self.journal.entries()

    def extend(self, where: str, findings: Iterable[str]) -> None:
        """Record several of one place."""
        for what in findings:
            self.note(where, what)


def authorization(token: str, *, plain: bool, bearer: bool = False) -> str:
    """The value of the Authorization header: `Token`, one space, the token in base64 or as it is; or as `Bearer`."""
    if bearer:
        return f"Bearer {token}"
    return "Token " + (token if plain else base64.b64encode(token.encode()).decode())


def read_token(value: str, *, plain: bool) -> str | None:
    """The token of an Authorization header that is written exactly as it has to be (4.1.2), None of any other."""
    written = _after("Token ", value)
    if written is None or plain:
        return written
    try:
        return base64.b64decode(written, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def read_bearer(value: str) -> str | None:
    """The token of an Authorization header with the scheme Bearer, None of any other."""
    return _after("Bearer ", value)


def _after(scheme: str, value: str) -> str | None:
    rest = value.removeprefix(scheme)
    return rest if value.startswith(scheme) and rest and " " not in rest else None


def new_message_ids() -> dict[str, str]:
    """Fresh values for X-Request-ID and X-Correlation-ID (4.2)."""
    return {REQUEST_ID: str(uuid.uuid4()), CORRELATION_ID: str(uuid.uuid4())}


def routing(*, to: Party, sender: Party) -> dict[str, str]:
    """The four routing headers (4.1.8)."""
    return {
        "OCPI-to-country-code": to.country_code,
        "OCPI-to-party-id": to.party_id,
        "OCPI-from-country-code": sender.country_code,
        "OCPI-from-party-id": sender.party_id,
    }


def request_findings(request: Request, *, to: Sequence[Party], sender: Sequence[Party]) -> Iterator[str]:
    """What breaks a rule in the headers of a request to a functional module; the token is not looked at here.

    `to` and `sender` are the parties that it may be for and come from.
    """
    yield from _id_findings(request)
    yield from _routing_findings(request.headers, "to", to)
    yield from _routing_findings(request.headers, "from", sender)


def configuration_request_findings(request: Request) -> Iterator[str]:
    """What breaks a rule in the headers of a request to versions or credentials, which are not routed (4.1.8)."""
    yield from _id_findings(request)
    yield from _unrouted_findings(request.headers)


def answer_findings(
    status: int, headers: Mapping[str, str], sent: Mapping[str, str], *, to: Party, sender: Sequence[Party]
) -> Iterator[str]:
    """What breaks a rule in the headers of an answer; header names are lower case, `sent` are the request's."""
    yield from _repetition_findings(headers, sent)
    # Who answers an unknown token with 401 does not know whom it answers, nor whom that spoke to.
    if status != 401:
        asked = {name.casefold() for name in sent}
        # Whoever leaves out who it is may be answered without a name.
        if "ocpi-from-party-id" in asked or "ocpi-to-party-id" in headers:
            yield from _routing_findings(headers, "to", [to])
        yield from _routing_findings(headers, "from", sender)


def configuration_answer_findings(headers: Mapping[str, str], sent: Mapping[str, str]) -> Iterator[str]:
    """As `answer_findings`, for versions and credentials."""
    yield from _repetition_findings(headers, sent)
    yield from _unrouted_findings(headers)


def envelope(
    request: Request,
    *,
    http_status: int = 200,
    status_code: int = 1000,
    message: str | None = None,
    data: object = None,
) -> Response:
    """The partner's answer to a request: envelope, the same message ids, swapped routing headers."""
    body: JsonObject = {"status_code": status_code, "timestamp": write_datetime(utc_now())}
    if message is not None:
        body["status_message"] = message
    if data is not None:
        body["data"] = data
    headers = {name: value for name in (REQUEST_ID, CORRELATION_ID) if (value := request.header(name))}
    for name in ROUTING_HEADERS:
        for ours, theirs in (("to", "from"), ("from", "to")):
            if value := request.header(f"OCPI-{theirs}-{name}"):
                headers[f"OCPI-{ours}-{name}"] = value
    return Response.json(http_status, body, headers)


def _id_findings(request: Request) -> Iterator[str]:
    for name in (REQUEST_ID, CORRELATION_ID):
        if not request.header(name):
            yield f"{name} is missing"
    if request.body and _media_type(request.headers) != JSON_TYPE:
        yield f"Content-Type is not {JSON_TYPE}"


def _repetition_findings(headers: Mapping[str, str], sent: Mapping[str, str]) -> Iterator[str]:
    for name in (REQUEST_ID, CORRELATION_ID):
        expected = next((value for key, value in sent.items() if key.casefold() == name.casefold()), None)
        if expected is not None and headers.get(name.casefold()) != expected:
            yield f"{name} is not repeated"
    if _media_type(headers) != JSON_TYPE:
        yield f"Content-Type is not {JSON_TYPE}"


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").split(";")[0].strip()


def _routing_findings(headers: Mapping[str, str], way: str, allowed: Sequence[Party]) -> Iterator[str]:
    names = [f"OCPI-{way}-{name}" for name in ROUTING_HEADERS]
    present = [headers.get(name.casefold()) for name in names]
    for name, value in zip(names, present, strict=True):
        if value is None:
            yield f"{name} is missing"
    country_code, party_id = present
    if country_code is None or party_id is None or any(Party(country_code, party_id).is_same(one) for one in allowed):
        return
    expected = allowed[0]
    for name, value, right in zip(names, present, (expected.country_code, expected.party_id), strict=True):
        if value is not None and value.casefold() != right.casefold():
            yield f"{name} is {value}, not {right}"


def _unrouted_findings(headers: Mapping[str, str]) -> Iterator[str]:
    for way in ("to", "from"):
        for name in ROUTING_HEADERS:
            if f"ocpi-{way}-{name}" in headers:
                yield f"OCPI-{way}-{name} has no place in a configuration module (4.1.8)"
