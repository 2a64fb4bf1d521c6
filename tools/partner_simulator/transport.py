"""OCPI transport on the partner's side: tokens, message ids, routing headers, violations (OCPI 2.2.1, 4)."""

import base64
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import Request, Response
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
ROUTING_HEADERS = ("country-code", "party-id")


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


def authorization(token: str, *, plain: bool) -> str:
    """The value of the Authorization header: `Token`, one space, the token in base64 or as it is."""
    return "Token " + (token if plain else base64.b64encode(token.encode()).decode())


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


def request_findings(request: Request, *, to: Party, sender: Party) -> Iterator[str]:
    """What breaks a rule in the headers of a request that the bridge made; the token is not looked at here."""
    for name in (REQUEST_ID, CORRELATION_ID):
        if not request.header(name):
            yield f"{name} is missing"
    if request.body and (request.header("Content-Type") or "").split(";")[0].strip() != "application/json":
        yield "Content-Type is not application/json"
    yield from _routing_findings(request.headers, to=to, sender=sender)


def answer_findings(
    status: int, headers: Mapping[str, str], sent: Mapping[str, str], *, to: Party, sender: Party
) -> Iterator[str]:
    """What breaks a rule in the headers of an answer; header names are lower case, `sent` are the request's."""
    for name in (REQUEST_ID, CORRELATION_ID):
        expected = next((value for key, value in sent.items() if key.casefold() == name.casefold()), None)
        if expected is not None and headers.get(name.casefold()) != expected:
            yield f"{name} is not repeated"
    if headers.get("content-type", "").split(";")[0].strip() != "application/json":
        yield "Content-Type is not application/json"
    # Who answers an unknown token with 401 does not know whom it answers.
    if status != 401:
        yield from _routing_findings(headers, to=to, sender=sender)


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


def _routing_findings(headers: Mapping[str, str], *, to: Party, sender: Party) -> Iterator[str]:
    expected = routing(to=to, sender=sender)
    for name, value in expected.items():
        present = headers.get(name.casefold())
        if present is None:
            yield f"{name} is missing"
        elif present.casefold() != value.casefold():
            yield f"{name} is {present}, not {value}"
