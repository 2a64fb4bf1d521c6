"""The partner's requests to the bridge: charging profiles (OCPI 14.4.1), sessions and preferences (OCPI 9.2.1)."""

import itertools
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import write_json
from tools.partner_simulator.connection import Connection
from tools.partner_simulator.exchanges import Exchange, Exchanges, Method, SyncAnswer
from tools.partner_simulator.models import ChargingProfile, ChargingProfileResponse
from tools.partner_simulator.page_rules import SessionPage
from tools.partner_simulator.platform_models import CHARGING_PROFILES
from tools.partner_simulator.preferences import ChargingPreferences, PreferencesAnswer, read_answer
from tools.partner_simulator.pulls import SessionPulls
from tools.partner_simulator.receiver import RESPONSE, RESPONSE_KEY
from tools.partner_simulator.transport import Party
from tools.partner_simulator.wire import Outgoing, Wire

# Six digits, as in the examples of Jedlix's guide.
FIRST_REQUEST_KEY = 100_000
REQUEST_KEYS = 900_000


def request_keys() -> Iterator[int]:
    """Keys for response URLs, none twice, from a start that differs between runs."""
    return itertools.count(FIRST_REQUEST_KEY + secrets.randbelow(REQUEST_KEYS))


@dataclass(frozen=True, slots=True)
class BridgeClient:
    """Calls the bridge's interfaces as `party`; everything sent and received is recorded.

    Raises BridgeUnreachableError when there is no HTTP answer, NotConnectedError before there is a bridge. Options
    that all calls share:

    - `response_url`: another URL than the partner's own;
    - `request_id`: a chosen X-Request-ID, for instance to repeat a request;
    - `headers`: headers to add or replace, or to leave out with None;
    - `token`: another token than the partner's.
    """

    connection: Connection
    wire: Wire = field(repr=False)
    exchanges: Exchanges = field(repr=False)
    pages: Journal[SessionPage] = field(repr=False)
    keys: Iterator[int] = field(repr=False)
    party: Party

    def as_party(self, party: Party) -> "BridgeClient":
        """The same client with the same token, speaking for another party of the partner (4.1.8)."""
        return replace(self, party=party)

    # Charging profiles

    def put_profile(
        self,
        session_id: str,
        profile: ChargingProfile | Mapping[str, object],
        *,
        response_url: str | None = None,
        request_id: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        token: str | None = None,
        raw_body: bytes | None = None,
    ) -> Exchange:
        """PUT a charging profile; `raw_body` replaces the whole body, valid or not."""
        response_url = response_url or self.new_response_url()
        wire = profile.wire() if isinstance(profile, ChargingProfile) else profile
        body = write_json({"charging_profile": wire, "response_url": response_url}).encode()
        return self._exchange(
            "PUT",
            session_id,
            response_url=response_url,
            query="",
            body=body if raw_body is None else raw_body,
            request_id=request_id,
            headers=headers,
            token=token,
        )

    def get_active_profile(
        self,
        session_id: str,
        duration: int = 900,
        *,
        response_url: str | None = None,
        encoded: bool = False,
        request_id: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        token: str | None = None,
        raw_query: str | None = None,
    ) -> Exchange:
        """GET the active charging profile for `duration` seconds.

        The response URL stands in the query as Jedlix writes it, not percent-encoded, unless `encoded`; `raw_query`
        replaces the whole query.
        """
        response_url = response_url or self.new_response_url()
        query = f"duration={duration}&{_response_query(response_url, encoded=encoded)}"
        return self._exchange(
            "GET",
            session_id,
            response_url=response_url,
            query=query if raw_query is None else raw_query,
            request_id=request_id,
            headers=headers,
            token=token,
        )

    def delete_profile(
        self,
        session_id: str,
        *,
        response_url: str | None = None,
        encoded: bool = False,
        request_id: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        token: str | None = None,
        raw_query: str | None = None,
    ) -> Exchange:
        """DELETE (clear) the charging profile; the query as for `get_active_profile`."""
        response_url = response_url or self.new_response_url()
        return self._exchange(
            "DELETE",
            session_id,
            response_url=response_url,
            query=_response_query(response_url, encoded=encoded) if raw_query is None else raw_query,
            request_id=request_id,
            headers=headers,
            token=token,
        )

    def new_response_url(self) -> str:
        """A response URL of the partner's own that no other request has."""
        return f"{self._response_base}?{RESPONSE_KEY}={next(self.keys)}"

    # Sessions

    def pull_sessions(
        self,
        date_from: datetime,
        date_to: datetime | None = None,
        limit: int | None = None,
        *,
        changing: bool = False,
    ) -> list[SessionPage]:
        """Every page of the sessions updated in a time, following Link to the end; the last may be an error.

        Notes what breaks a rule in each page and between them. `changing`: sessions change meanwhile.
        """
        return list(self.crawl_sessions(date_from, date_to, limit, changing=changing))

    def crawl_sessions(
        self,
        date_from: datetime,
        date_to: datetime | None = None,
        limit: int | None = None,
        *,
        changing: bool = False,
    ) -> Iterator[SessionPage]:
        """As `pull_sessions`, each page read only when it is asked for, so that things can happen in between."""
        return self._pulls().crawl(date_from, date_to, limit=limit, changing=changing)

    def session_page(
        self,
        date_from: datetime | str | None,
        date_to: datetime | str | None = None,
        *,
        offset: int | str | None = None,
        limit: int | str | None = None,
        raw_query: str | None = None,
        headers: Mapping[str, str | None] | None = None,
        token: str | None = None,
    ) -> SessionPage:
        """One page, by its offset. Texts stand in the query as they are; `raw_query` replaces the whole query."""
        return self._pulls().page(
            date_from, date_to, offset=offset, limit=limit, raw_query=raw_query, headers=headers, token=token
        )

    def set_preferences(
        self,
        session_id: str,
        preferences: ChargingPreferences | Mapping[str, object],
        *,
        headers: Mapping[str, str | None] | None = None,
        token: str | None = None,
        raw_body: bytes | None = None,
    ) -> PreferencesAnswer:
        """PUT charging preferences for a session; `raw_body` replaces the whole body."""
        wire = preferences.wire() if isinstance(preferences, ChargingPreferences) else preferences
        where = f"answer to PUT charging preferences {session_id}"
        outgoing = self.wire.prepare(
            "PUT",
            f"{_below(self.connection.endpoints.sessions, session_id)}/charging_preferences",
            sender=self.party,
            body=write_json(wire).encode() if raw_body is None else raw_body,
            headers=headers,
            token=token,
        )
        answer, finding = read_answer(self.wire.send(outgoing, where=where))
        if finding is not None:
            self.wire.note(where, finding)
        return answer

    @property
    def _response_base(self) -> str:
        return f"{self.connection.own_url(CHARGING_PROFILES)}/{RESPONSE}"

    def _pulls(self) -> SessionPulls:
        return SessionPulls(self.connection, self.wire, pages=self.pages, sender=self.party)

    def _exchange(
        self,
        method: Method,
        session_id: str,
        *,
        response_url: str,
        query: str,
        body: bytes | None = None,
        request_id: str | None,
        headers: Mapping[str, str | None] | None,
        token: str | None,
    ) -> Exchange:
        url = _below(self.connection.endpoints.charging_profiles, session_id)
        outgoing = self.wire.prepare(
            method,
            f"{url}?{query}" if query else url,
            sender=self.party,
            body=body,
            token=token,
            request_id=request_id,
            headers=headers,
        )
        exchange = self.exchanges.open(
            method,
            session_id,
            url=outgoing.url,
            request_id=outgoing.request_id,
            response_url=response_url,
            request_key=self._own_key(response_url),
            at=utc_now(),
            # Whoever does not say who it is cannot be told apart from the others.
            sender=self.party if self.connection.manner.routing_headers else None,
        )
        self.exchanges.answered(exchange, self._answer(outgoing, f"answer to {method} {session_id}"))
        return exchange

    def _answer(self, outgoing: Outgoing, where: str) -> SyncAnswer:
        got = self.wire.send(outgoing, where=where)
        response = self.wire.read(got, ChargingProfileResponse, self.connection.version, where=where)
        return SyncAnswer(got.at, got.status, got.headers, got.raw_body, got.envelope, response)

    def _own_key(self, response_url: str) -> str | None:
        if not response_url.startswith(f"{self._response_base}?"):
            return None
        return parse_qs(urlsplit(response_url).query).get(RESPONSE_KEY, [None])[0]


def _below(endpoint: str, session_id: str) -> str:
    return f"{endpoint.rstrip('/')}/{quote(session_id, safe='')}"


def _response_query(response_url: str, *, encoded: bool) -> str:
    return urlencode({"response_url": response_url}) if encoded else f"response_url={response_url}"
