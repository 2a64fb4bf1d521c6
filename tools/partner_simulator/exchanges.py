"""One request of the partner with everything that belongs to it: synchronous answer and asynchronous results."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import ValidationError

from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject
from tools.partner_simulator.models import (
    ActiveChargingProfile,
    ActiveProfileResult,
    ChargingProfileResponse,
    Envelope,
    ProfileResult,
    ResponseType,
    ResultType,
    findings,
)
from tools.partner_simulator.transport import Party, Violations

Method = Literal["GET", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True)
class ReceivedResult:
    """A result that the bridge posted to a response URL; `profile` only after a GET."""

    at: datetime
    request_key: str
    body: JsonObject
    result: ResultType | None
    profile: ActiveChargingProfile | None = None


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """The synchronous answer; `envelope` and `response` are None where the body is none."""

    at: datetime
    status: int
    headers: Mapping[str, str] = field(repr=False)
    raw_body: bytes = field(repr=False)
    envelope: Envelope | None
    response: ChargingProfileResponse | None


@dataclass(eq=False, slots=True)
class Exchange:
    """A request for a charging profile. `request_key` is what its response URL carries, None for a foreign URL.

    `sender` is the party that asked, None where the partner has one only.
    """

    method: Method
    session_id: str
    url: str
    request_id: str
    response_url: str | None
    request_key: str | None
    sent_at: datetime
    _results: Journal[ReceivedResult] = field(repr=False)
    answer: SyncAnswer | None = None
    sender: Party | None = None

    @property
    def status(self) -> int:
        """HTTP status of the synchronous answer."""
        return self._answered().status

    @property
    def status_code(self) -> int | None:
        """OCPI status code of the synchronous answer."""
        envelope = self._answered().envelope
        return None if envelope is None else envelope.status_code

    @property
    def message(self) -> str | None:
        """The envelope's status message."""
        envelope = self._answered().envelope
        return None if envelope is None else envelope.status_message

    @property
    def result(self) -> ResponseType | None:
        """What the synchronous answer says."""
        response = self._answered().response
        return None if response is None else response.result

    @property
    def timeout(self) -> int | None:
        """Seconds within which the result was promised."""
        response = self._answered().response
        return None if response is None else response.timeout

    @property
    def is_accepted(self) -> bool:
        """Whether a result was promised; False while there is no answer."""
        return (
            self.answer is not None
            and self.answer.response is not None
            and self.answer.response.result is ResponseType.ACCEPTED
        )

    @property
    def promised_by(self) -> datetime | None:
        """When the timeout that was announced ends, None where no result was promised."""
        if self.answer is None or not self.is_accepted:
            return None
        return self.answer.at + timedelta(seconds=self.timeout or 0)

    def results(self) -> list[ReceivedResult]:
        """The results received so far; more than one is a violation."""
        return self._results.matching(lambda result: result.request_key == self.request_key)

    def wait_for_result(self, timeout: float) -> ReceivedResult:
        """Return the asynchronous result; raises NotObservedError."""
        return self._results.wait_for(
            lambda result: result.request_key == self.request_key,
            timeout,
            what=f"the result of {self.method} {self.session_id}",
        )

    def _answered(self) -> SyncAnswer:
        if self.answer is None:
            raise RuntimeError("the request has no synchronous answer")
        return self.answer


class Exchanges:
    """All requests of the partner and the results that came for them. Thread safe."""

    def __init__(self, violations: Violations) -> None:
        self.journal: Journal[Exchange] = Journal()
        self.results: Journal[ReceivedResult] = Journal()
        self._violations = violations
        self._lock = threading.Lock()

    def open(
        self,
        method: Method,
        session_id: str,
        *,
        url: str,
        request_id: str,
        response_url: str | None,
        request_key: str | None,
        at: datetime,
        sender: Party | None = None,
    ) -> Exchange:
        """Register a request before it is sent, because its result may overtake its answer."""
        exchange = Exchange(
            method, session_id, url, request_id, response_url, request_key, at, self.results, sender=sender
        )
        self.journal.record(exchange)
        return exchange

    def answered(self, exchange: Exchange, answer: SyncAnswer) -> None:
        """Store the synchronous answer and look at results that came before it."""
        with self._lock:
            exchange.answer = answer
            for result in exchange.results():
                self._judge(exchange, result)

    def take_result(self, request_key: str, body: JsonObject, at: datetime) -> None:
        """Record a result that was posted; raises ValueError with what is wrong with its body."""
        where = f"result {request_key}"
        with self._lock:
            known = self.of_key(request_key)
            result = _read_result(known[0].method if known else "PUT", request_key, body, at)
            earlier = self.results.matching(lambda one: one.request_key == request_key)
            self.results.record(result)
            if not known:
                self._violations.note(where, "nobody asked for it")
            if earlier and earlier[-1].body != body:
                self._violations.note(where, f"{earlier[-1].body} before, {body} now")
            for exchange in known:
                self._judge(exchange, result)

    def steering(self, session_id: str) -> list[Exchange]:
        """The PUTs on a session that were accepted, or may have been because their answers are still under way."""
        return self.journal.matching(
            lambda exchange: (
                exchange.method == "PUT"
                and exchange.session_id.casefold() == session_id.casefold()
                and (exchange.answer is None or exchange.is_accepted)
            )
        )

    def of_key(self, request_key: str) -> list[Exchange]:
        """The requests whose response URL carries a key; a repeated request is one more."""
        return self.journal.matching(lambda exchange: exchange.request_key == request_key)

    def _judge(self, exchange: Exchange, result: ReceivedResult) -> None:
        if exchange.answer is None:
            return
        where = f"result of {exchange.method} {exchange.session_id}"
        if not exchange.is_accepted:
            # Another exchange with the same response URL may have been promised it.
            siblings = self.journal.matching(lambda other: other.request_key == exchange.request_key)
            if not any(other.answer is None or other.is_accepted for other in siblings):
                self._violations.note(where, "a result although none was promised")
            return
        promised = exchange.promised_by
        if promised is not None and result.at > promised:
            self._violations.note(where, f"{(result.at - promised).total_seconds():.1f} s after the announced timeout")


def _read_result(method: Method, request_key: str, body: JsonObject, at: datetime) -> ReceivedResult:
    try:
        if method == "GET":
            active = ActiveProfileResult.model_validate(body)
            return ReceivedResult(at, request_key, body, active.result, active.profile)
        return ReceivedResult(at, request_key, body, ProfileResult.model_validate(body).result)
    except ValidationError as error:
        raise ValueError(findings(error)) from error
