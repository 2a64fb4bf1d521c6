"""The partner's requests to the bridge: PUT, GET and DELETE of charging profiles (OCPI 2.2.1, 14.4.1)."""

import itertools
import secrets
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
from pydantic import ValidationError

from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import NotJsonError, as_object, read_json, write_json
from tools.partner_simulator.exchanges import Exchange, Exchanges, Method, SyncAnswer
from tools.partner_simulator.models import ChargingProfile, ChargingProfileResponse, Envelope, findings
from tools.partner_simulator.receiver import CLIENT_ERROR, PROFILES_PATH, RESPONSE_KEY
from tools.partner_simulator.transport import (
    REQUEST_ID,
    Credentials,
    Party,
    Violations,
    answer_findings,
    authorization,
    new_message_ids,
    routing,
)

# API Gateway gives up after 29 s; a partner has no reason to wait longer.
REQUEST_SECONDS = 30.0
# What API Gateway and WAF answer by themselves carries no complete envelope.
GATEWAY_STATUSES = frozenset({403, 413, 429, 502, 503, 504})
# Six digits, as in the examples of Jedlix's guide.
FIRST_REQUEST_KEY = 100_000
REQUEST_KEYS = 900_000


class BridgeUnreachableError(ConnectionError):
    """The bridge gave no HTTP answer."""


class BridgeClient:
    """Calls the bridge's Receiver interface; every call returns an Exchange with its synchronous answer.

    `bridge_url` is the base URL of OcpiApi, `response_base` the partner's own response URL without its query.
    Raises BridgeUnreachableError when there is no HTTP answer. Options that all calls share:

    - `response_url`: another URL than the partner's own;
    - `request_id`: a chosen X-Request-ID, for instance to repeat a request;
    - `headers`: headers to add or replace, or to leave out with None;
    - `token`: another token than the partner's.
    """

    def __init__(
        self,
        bridge_url: str,
        *,
        response_base: str,
        credentials: Credentials,
        party: Party,
        cpo: Party,
        exchanges: Exchanges,
        violations: Violations,
        ca_file: Path | None = None,
    ) -> None:
        self._bridge_url = bridge_url.rstrip("/")
        self._response_base = response_base
        self._credentials = credentials
        self._party = party
        self._cpo = cpo
        self._exchanges = exchanges
        self._violations = violations
        self._keys = itertools.count(FIRST_REQUEST_KEY + secrets.randbelow(REQUEST_KEYS))
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        self._http = httpx.Client(verify=context, timeout=REQUEST_SECONDS, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

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
        return self._send(
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
        return self._send(
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
        return self._send(
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
        return f"{self._response_base}?{RESPONSE_KEY}={next(self._keys)}"

    def _send(
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
        url = f"{self._bridge_url}{PROFILES_PATH}/{quote(session_id, safe='')}"
        url = f"{url}?{query}" if query else url
        sent = self._headers(body, request_id=request_id, extra=headers, token=token)
        exchange = self._exchanges.open(
            method,
            session_id,
            url=url,
            request_id=sent.get(REQUEST_ID, ""),
            response_url=response_url,
            request_key=self._own_key(response_url),
            at=utc_now(),
        )
        try:
            response = self._http.request(method, url, content=body, headers=sent)
        except httpx.TransportError as error:
            raise BridgeUnreachableError(f"{method} {session_id}: {type(error).__name__}") from error
        answer = self._read(exchange, response, sent)
        self._exchanges.answered(exchange, answer)
        return exchange

    def _headers(
        self,
        body: bytes | None,
        *,
        request_id: str | None,
        extra: Mapping[str, str | None] | None,
        token: str | None,
    ) -> dict[str, str]:
        presented = self._credentials.ours if token is None else token
        headers: dict[str, str | None] = {
            "Authorization": authorization(presented, plain=self._credentials.plain),
            **new_message_ids(),
            **routing(to=self._cpo, sender=self._party),
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        if request_id is not None:
            headers[REQUEST_ID] = request_id
        headers.update(extra or {})
        return {name: value for name, value in headers.items() if value is not None}

    def _own_key(self, response_url: str) -> str | None:
        if not response_url.startswith(f"{self._response_base}?"):
            return None
        return parse_qs(urlsplit(response_url).query).get(RESPONSE_KEY, [None])[0]

    def _read(self, exchange: Exchange, response: httpx.Response, sent: Mapping[str, str]) -> SyncAnswer:
        where = f"answer to {exchange.method} {exchange.session_id}"
        headers = {name.lower(): value for name, value in response.headers.items()}
        by_gateway = response.status_code in GATEWAY_STATUSES
        wrapped: Envelope | None = None
        answer: ChargingProfileResponse | None = None
        try:
            wrapped = Envelope.model_validate(as_object(read_json(response.content)))
            if wrapped.status_code < CLIENT_ERROR and wrapped.data is not None:
                answer = ChargingProfileResponse.model_validate(wrapped.data)
        except NotJsonError as error:
            problem: str | None = str(error)
        except ValidationError as error:
            problem = findings(error)
        else:
            problem = None
        if not by_gateway:
            if problem is not None:
                self._violations.note(where, problem)
            for finding in answer_findings(response.status_code, headers, sent, to=self._party, sender=self._cpo):
                self._violations.note(where, finding)
        return SyncAnswer(utc_now(), response.status_code, headers, response.content, wrapped, answer)


def _response_query(response_url: str, *, encoded: bool) -> str:
    return urlencode({"response_url": response_url}) if encoded else f"response_url={response_url}"
