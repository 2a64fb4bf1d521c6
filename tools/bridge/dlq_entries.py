"""Dead letters as operators need them: why, how often, which partner, session and request, and how those stand now."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import request_items, tables
from ocpi_bridge.adapters.dynamodb.live_sessions import DynamoLiveSessions
from ocpi_bridge.adapters.dynamodb.watch_items import watch_key, watch_of
from ocpi_bridge.adapters.sqs.dead_letters import NOT_DONE, Failure
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import Session
from tools.bridge.dlq_contents import document, masked, told
from tools.bridge.dlq_queues import DeadLetterQueue, Letter
from tools.bridge.files import Json

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COMMANDS, DEADLINES, RESULTS = "charger-commands", "request-deadlines", "result-callbacks"
UPDATES, EVENTS, RELAY = "partner-updates", "csms-events", "relay-failures"

UNKNOWN = "unknown: the worker died or timed out"
# DynamoDB's limit for one BatchGetItem.
READ_LIMIT = 100

_DELIVERY_ERRORS: Mapping[str, str] = {
    "body_too_large": "the partner's answer was too long",
    "connect": "no connection to the partner's server",
    "connect_timeout": "no connection to the partner's server in time",
    "connection_lost": "the partner's server broke the connection off",
    "dns": "the name of the partner's server was not found",
    "invalid_request": "the response_url cannot be called",
    "no_token": "there is no token to show the partner",
    "not_connected": "the partner is not connected (any more)",
    "protocol": "the partner's server did not speak HTTP",
    "redirect": "the partner answered with a redirect, which is not followed",
    "refused_address": "the name of the partner's server leads to an address inside",
    "refused_host": "the host is not one of the partner's (any more)",
    "timeout": "the partner's server did not answer in time",
    "tls": "the certificate of the partner's server is not good",
    "too_late": "the timeout that the partner was told was over before an attempt",
    "unknown_partner": "the partner is not in the registry any more",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One dead letter, read; `content` is its body without persons.

    `error` is one word for machines, `reason` a sentence. `status` is the partner's HTTP status, or OCPI's, where it
    refused; `attempts` are calls of the partner for a result, and receipts of the message for everything else.
    """

    queue: DeadLetterQueue
    letter: Letter
    content: Json
    error: str
    reason: str
    attempts: int | None
    request_id: str | None = None
    session_id: str | None = None
    partner_id: str | None = None
    host: str | None = None
    status: int | None = None
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def entry_id(self) -> str:
        """What commands name it by."""
        return self.letter.message_id

    @property
    def at(self) -> datetime:
        """Since when it lies there, as exactly as is known."""
        return self.letter.failure.at if self.letter.failure is not None else self.letter.sent_at


def read_entry(queue: DeadLetterQueue, letter: Letter, tries: int | None) -> Entry:
    """What a letter itself says. `tries` is how often the queue hands a message out."""
    if queue.name == EVENTS:
        return _of_a_csms(queue, letter, tries)
    content = document(letter.body)
    body: Mapping[str, Json] = content if isinstance(content, dict) else {}
    if queue.name == RELAY:
        return _of_the_relay(queue, letter, content, body)
    error, reason, attempts = _why(letter.failure, tries)
    entry = Entry(
        queue,
        letter,
        content,
        error,
        reason,
        attempts,
        request_id=_text(body, "request_id"),
        session_id=_text(body, "session_id"),
        partner_id=_text(body, "partner_id"),
    )
    given_up = _text(body, "error")
    if queue.name != RESULTS or letter.failure is not None or given_up is None:
        return entry
    made, code = body.get("attempts"), given_up.rpartition("_")[2]
    return replace(
        entry,
        error=given_up,
        reason=explained(given_up),
        attempts=made if isinstance(made, int) else None,
        host=_text(body, "host"),
        status=int(code) if code.isdigit() else None,
    )


def explained(error: str) -> str:
    """The last error of a delivery as a sentence."""
    kind, _, code = error.partition("_")
    if kind == "http" and code.isdigit():
        return f"the partner answered HTTP {code}"
    if kind == "ocpi" and code.isdigit():
        return f"the partner answered with OCPI status {code}"
    if kind == "oauth":
        return f"the partner's server gave no access token: {code}"
    return _DELIVERY_ERRORS.get(error, f"it could not be delivered: {error}")


def _why(failure: Failure | None, tries: int | None) -> tuple[str, str, int | None]:
    """The error, the reason, and the attempts of a message that a worker did not get done."""
    if failure is None:
        return "unknown", UNKNOWN, tries
    if failure.error == NOT_DONE:
        return NOT_DONE, "the worker wanted it again, and was still not done", failure.attempts
    where = f" in {failure.where}" if failure.where else ""
    return failure.error, f"the worker failed: {failure.error}{where}", failure.attempts


def _of_a_csms(queue: DeadLetterQueue, letter: Letter, tries: int | None) -> Entry:
    error, reason, attempts = _why(letter.failure, tries)
    content, given = masked(letter.body), letter.attributes
    about = {
        "csms": ", ".join([given["csms_id"]] if "csms_id" in given else told(content, "csms_id")),
        "form": given.get("form", "events"),
        "station": ", ".join(
            [given["station_id"]] if "station_id" in given else told(content, "station_id", "ocppConnectionName")
        ),
        "transaction": ", ".join(told(content, "transaction_id")),
    }
    sessions = [given["session_id"]] if "session_id" in given else told(content, "session_id")
    return Entry(
        queue,
        letter,
        content,
        error,
        reason,
        attempts,
        session_id=sessions[0] if len(sessions) == 1 else None,
        about={name: value for name, value in about.items() if value},
    )


def _of_the_relay(queue: DeadLetterQueue, letter: Letter, content: Json, body: Mapping[str, Json]) -> Entry:
    """Lambda's own record of a stream batch: positions, and nothing of what stood there."""
    context, answer = body.get("requestContext"), body.get("responseContext")
    asked = context if isinstance(context, dict) else {}
    answered = answer if isinstance(answer, dict) else {}
    condition = str(asked.get("condition") or "unknown")
    error = answered.get("functionError")
    invoked = asked.get("approximateInvokeCount")
    return Entry(
        queue,
        letter,
        content,
        condition,
        f"the relay failed at a batch of changes: {condition}" + (f", {error}" if error else ""),
        invoked if isinstance(invoked, int) else None,
    )


def _text(body: Mapping[str, Json], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the request and session of an entry stand now; None where they are gone, or it names none.

    `profile_told_at` is when the partner last took a push of the session's active profile.
    """

    request: Request | None = None
    session: Session | None = None
    profile_told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standings:
    """Looks up in the tables what entries are about."""

    client: "DynamoDBClient"
    sessions: str
    requests: str
    registry: str

    def completed(self, entries: Sequence[Entry]) -> list[tuple[Entry, Request | None]]:
        """Entries with the session and partner of their request, and that request."""
        found = self._requests({entry.request_id for entry in entries if entry.request_id is not None})
        return [_joined(entry, found.get(entry.request_id or "")) for entry in entries]

    def standing(self, entry: Entry, request: Request | None) -> Standing:
        """How it all stands now."""
        if entry.session_id is None:
            return Standing(request)
        session = DynamoLiveSessions(self.client, self.sessions, self.registry).session(entry.session_id)
        if entry.partner_id is None:
            return Standing(request, session)
        key = (self.sessions, *watch_key(entry.session_id, entry.partner_id))
        watch = watch_of(tables.get_many(self.client, [key]).get(key))
        return Standing(request, session, watch.heard_at if watch is not None else None)

    def _requests(self, request_ids: Iterable[str]) -> Mapping[str, Request]:
        keys = [(self.requests, *request_items.request_key(one)) for one in sorted(request_ids)]
        found: dict[str, Request] = {}
        for start in range(0, len(keys), READ_LIMIT):
            for item in tables.get_many(self.client, keys[start : start + READ_LIMIT]).values():
                # What cannot be read may be why a worker failed; the other entries are to be seen all the same.
                with suppress(ValueError, KeyError):
                    request = request_items.request_of(item)
                    found[request.request_id] = request
        return found


def _joined(entry: Entry, request: Request | None) -> tuple[Entry, Request | None]:
    if request is None:
        return entry, None
    known = replace(
        entry,
        session_id=entry.session_id or request.session_id,
        partner_id=entry.partner_id or request.partner_id,
    )
    return known, request
