"""The rehearsal as the Receiver sees it: an SCSP that calls, and that can be called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlencode

from tools.counterparts.http_service import LOOPBACK, Request
from tools.counterparts.json_types import JsonObject, as_int, as_object, as_text, write_json
from tools.partner_simulator.models import ResponseType
from tools.partner_simulator.transport import (
    JSON_TYPE,
    Party,
    authorization,
    new_message_ids,
    routing,
)
from tools.rehearsal import rules
from tools.rehearsal.inbox import RESPONSE, Acknowledgement, Arrival, Inbox, Subject
from tools.rehearsal.judgement import judge_answer, judge_call
from tools.rehearsal.ledger import Ledger
from tools.rehearsal.wire import Answer, Call, Caller, Headers, Kind, UnansweredError

DEFAULT_PARTY = Party("NL", "RHS")
# Long enough for whatever an EVSE has to calculate, short enough for every charge point.
DURATION = 900
# Names that nobody can have (RFC 2606).
NOWHERE = "https://rehearsal.invalid"


@dataclass(frozen=True, slots=True)
class Address:
    """Where we can be reached: `listen` is where we serve, `public_url` how others get there.

    Without `public_url` that is by loopback. Without `listen` nobody gets an answer, but response URLs name a host of ours.
    """

    listen: tuple[str, int] | None = (LOOPBACK, 0)
    public_url: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the Receiver serves what it told in its version details."""

    credentials: str
    sessions: str
    charging_profiles: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A request for a charging profile with its synchronous answer; `key` is that of its response URL."""

    method: str
    session_id: str
    key: str
    answer: Answer
    body: JsonObject | None = None

    @property
    def result(self) -> str | None:
        """What the synchronous answer says, None for an error."""
        return as_text(as_object(self.answer.data).get("result")) if self.answer.is_success else None

    @property
    def timeout(self) -> int | None:
        """Seconds within which the result was promised."""
        return as_int(as_object(self.answer.data).get("timeout"))

    @property
    def is_accepted(self) -> bool:
        """Whether a result was promised."""
        return self.result == ResponseType.ACCEPTED

    def __str__(self) -> str:
        return str(self.answer) if self.result is None else f"{self.answer}, {self.result}"


@dataclass(slots=True)
class Counterpart:
    """Calls the Receiver as `party` and takes its calls; every message is judged by the rules for all messages.

    `token` is what we present. Without `address` nobody can call us. Use as a context manager.
    """

    ledger: Ledger
    versions_url: str
    token: str = field(repr=False)
    party: Party = DEFAULT_PARTY
    address: Address | None = None
    ca_file: Path | None = None
    slow_seconds: float = 2.0
    call_seconds: float = 30.0
    cpos: tuple[Party, ...] = ()
    endpoints: Endpoints | None = None
    asks: list[Ask] = field(default_factory=list)
    inbox: Inbox | None = field(init=False, default=None)
    _caller: Caller = field(init=False, repr=False)

    def __enter__(self) -> Self:
        self._caller = Caller(self.ca_file, seconds=self.call_seconds)
        if self.address is not None and self.address.listen is not None:
            self.inbox = Inbox(
                self.address.public_url, self.address.listen, slow_seconds=self.slow_seconds, judge=self._judge_call
            )
            self.inbox.http.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.inbox is not None:
            self.inbox.close()
        self._caller.close()

    def call(
        self,
        method: str,
        url: str,
        where: str,
        *,
        kind: Kind = Kind.FUNCTIONAL,
        body: object = None,
        raw_body: bytes | None = None,
        token: str | None = None,
        headers: Headers | None = None,
    ) -> Answer:
        """One request, proper but for what is given; `headers` add or replace one, None leaves one out.

        Raises UnansweredError, after it was recorded.
        """
        complete: dict[str, str | None] = {
            "Authorization": authorization(self.token if token is None else token, plain=False),
            **new_message_ids(),
        }
        if kind is Kind.FUNCTIONAL and self.cpos:
            complete |= routing(to=self.cpos[0], sender=self.party)
        content = raw_body if raw_body is not None else None if body is None else write_json(body).encode()
        if content is not None:
            complete["Content-Type"] = JSON_TYPE
        complete |= headers or {}
        present = {name: value for name, value in complete.items() if value is not None}
        try:
            answer = self._caller.call(Call(method, url, present, content, kind, where))
        except UnansweredError as error:
            self.ledger.breach(rules.ANSWERED, where=where, expected="an answer", seen=error)
            raise
        self.ledger.keep(rules.ANSWERED)
        judge_answer(self.ledger, answer, ours=self.party, cpos=self.cpos)
        return answer

    # Charging profiles

    def profile_url(self, session_id: str) -> str:
        """The Receiver's URL for the charging profile of a session."""
        return below(self.known_endpoints.charging_profiles, session_id)

    @property
    def known_endpoints(self) -> Endpoints:
        """The Receiver's endpoints; raises UnansweredError before they are known."""
        if self.endpoints is None:
            raise UnansweredError("the Receiver's endpoints are not known")
        return self.endpoints

    def response_url(
        self, how: Acknowledgement = Acknowledgement.PROMPT, *, more: str = "", base: str | None = None
    ) -> tuple[str, str]:
        """A response URL of ours and its key; one where nobody answers when we cannot be called."""
        if self.inbox is not None:
            return self.inbox.expect_result(how, more=more, base=base)
        public_url = None if self.address is None else self.address.public_url
        # Only asked with where nothing is accepted, so that nobody ever calls it.
        return f"{base or public_url or NOWHERE}{RESPONSE}?request_id=0{more}", ""

    def get_profile(
        self,
        session_id: str,
        where: str,
        *,
        how: Acknowledgement = Acknowledgement.PROMPT,
        query: str | None = None,
        encoded: bool = True,
        more: str = "",
        base: str | None = None,
        duration: int = DURATION,
    ) -> Ask:
        """GET the active profile; `query` replaces the whole query, `{url}` in it stands for the response URL."""
        url, key = self.response_url(how, more=more, base=base)
        response = urlencode({"response_url": url}) if encoded else f"response_url={url}"
        text = f"duration={duration}&{response}" if query is None else query.replace("{url}", quote(url, safe=""))
        return self._ask("GET", session_id, key, where, query=text)

    def delete_profile(self, session_id: str, where: str, *, query: str | None = None) -> Ask:
        """DELETE the profile; `query` as for `get_profile`."""
        url, key = self.response_url()
        text = urlencode({"response_url": url}) if query is None else query.replace("{url}", quote(url, safe=""))
        return self._ask("DELETE", session_id, key, where, query=text)

    def put_profile(
        self, session_id: str, where: str, profile: object, *, changes: Mapping[str, object] | None = None
    ) -> Ask:
        """PUT a profile; `changes` replace fields of the body, None leaves one out."""
        url, key = self.response_url()
        body: JsonObject = {"charging_profile": profile, "response_url": url, **(changes or {})}
        sent = {name: value for name, value in body.items() if value is not None}
        return self._ask("PUT", session_id, key, where, body=sent)

    def _ask(
        self, method: str, session_id: str, key: str, where: str, *, query: str = "", body: JsonObject | None = None
    ) -> Ask:
        url = self.profile_url(session_id)
        answer = self.call(method, f"{url}?{query}" if query else url, where, body=body)
        ask = Ask(method, session_id, key, answer, body)
        self.asks.append(ask)
        self._judge_response(ask)
        return ask

    # What the Receiver calls

    def arrivals(self, subject: Subject, since: datetime | None = None) -> list[Arrival]:
        """The Receiver's calls about something."""
        found = [] if self.inbox is None else self.inbox.of(subject)
        return [one for one in found if since is None or one.at >= since]

    def _judge_call(self, request: Request, subject: Subject) -> None:
        if self.inbox is None:
            return
        kind = Kind.CONFIGURATION if subject is Subject.CONFIGURATION else Kind.FUNCTIONAL
        if subject not in {Subject.NOTHING, Subject.REDIRECTED, Subject.HOSTILE}:
            judge_call(self.ledger, request, kind=kind, tokens=self.inbox.tokens, ours=self.party, cpos=self.cpos)

    def _judge_response(self, ask: Ask) -> None:
        if not ask.answer.is_success:
            return
        where, data = ask.answer.call.where, ask.answer.data
        self.ledger.expect(
            rules.RESPONSE,
            ask.result in list(ResponseType),
            where=where,
            expected=f"data.result is one of {', '.join(ResponseType)}",
            seen=data,
        )
        is_timeout = ask.timeout is not None and ask.timeout >= 0
        self.ledger.expect(
            rules.TIMEOUT, is_timeout, where=where, expected="data.timeout is a whole number of seconds", seen=data
        )


def below(endpoint: str, identifier: str) -> str:
    """A URL below an endpoint, with exactly one slash between."""
    return f"{endpoint.rstrip('/')}/{quote(identifier, safe='')}"


def without_ids() -> Headers:
    """Headers of a request that has no ids."""
    return dict.fromkeys(new_message_ids())
