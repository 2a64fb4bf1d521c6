"""The door for partners: token, headers, envelope, errors, correlation ids. The one place that turns errors to answers.

Every answer, whoever made the error, is HTTP 2xx with the envelope, or one of the few HTTP errors that OCPI asks for
(400, 401, 404, 405), with the envelope too. Nothing that a function does ends in a 5xx.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from types import MappingProxyType
from typing import Protocol

from ocpi_bridge.domain.errors import Contended, InvalidInput, RegistrationFailed
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, candidates, is_bearer, token_hash
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.transport import (
    MAX_SESSION_ID_LENGTH,
    CallContext,
    OcpiRequest,
    StatusCode,
    TransportError,
    dumps,
    envelope,
    routing_headers,
)
from ocpi_bridge.ports.callers import Caller, CallerStore
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.refused_hosts import RefusedHosts
from ocpi_bridge.runtime import gateway
from ocpi_bridge.runtime.metrics import count_request, log_failure
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.ocpi_requests import ocpi_request
from ocpi_bridge.runtime.refused_urls import note_refusal, refused_url
from ocpi_bridge.runtime.request_bounds import check_bounds
from ocpi_bridge.runtime.start import started


@dataclass(frozen=True, slots=True)
class PartnerCall:
    """An authenticated request of a partner."""

    request: OcpiRequest
    caller: Caller

    @property
    def context(self) -> CallContext:
        """What a use case needs of the transport."""
        return CallContext(self.request.ids, self.request.from_party, self.request.to_party)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint answers where `data` alone does not say it all: extra headers, such as those of a page (4.1.4.1)."""

    data: JsonValue
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Access:
    """Whom a module is open to.

    `configuration_module`: registration tokens too (4.1.2). `spent_token`: also one that did its work.
    """

    configuration_module: bool = False
    spent_token: bool = False

    def allows(self, token: AcceptedToken, authorization: str | None) -> bool:
        """Whether a token that we know opens the module, in the form in which it came."""
        if is_bearer(authorization) and not token.bearer:
            return False
        if token.use is TokenUse.REGISTRATION:
            return self.configuration_module and (token.spent_at is None or self.spent_token)
        return True


class DoorStore(CallerStore, RefusedHosts, Protocol):
    """What the door reads, and where it counts what the URL guard refused."""


class OcpiService(Protocol):
    """What the door needs of the service behind it."""

    @property
    def callers(self) -> DoorStore:
        """Looks up who calls."""

    @property
    def clock(self) -> Clock:
        """Tells the time."""

    @property
    def party(self) -> Party:
        """The CPO's own party."""


Endpoint = Callable[[PartnerCall], JsonValue | Answer]
Handler = Callable[[gateway.Event, object], dict[str, JsonValue]]

_UNAUTHORIZED = 401
# What a 401 must carry (RFC 9110, 15.5.2).
_CHALLENGE: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": "Token"})


def ocpi_endpoint(
    service: OcpiService,
    *,
    configuration_module: bool = False,
    accepts_spent_token: bool = False,
) -> Callable[[Endpoint], Handler]:
    """Makes a Lambda handler of an endpoint.

    `configuration_module`: versions and credentials carry no routing headers (4.1.8), and they alone are open to
    registration tokens (4.1.2). `accepts_spent_token`: to one that did its work, too; the endpoint decides what it may
    still do. The session of the path, if it names one, is read together with the token where `callers` reads sessions.
    """
    access = Access(configuration_module, accepts_spent_token)

    def decorate(endpoint: Endpoint) -> Handler:
        @functools.wraps(endpoint)
        def handle(event: gateway.Event, _context: object) -> dict[str, JsonValue]:
            return _Exchange(service, event, access).run(endpoint)

        return started(handle)

    return decorate


def authenticated(service: OcpiService, request: OcpiRequest, access: Access) -> Caller:
    """Who calls, by a token that `access` takes, and the session that the path names. Raises TransportError (401).

    The tokens that this one supersedes end, because it has arrived. The call never fails with that.
    """
    authorization = request.headers.get("authorization")
    hashes = [token_hash(token) for token in candidates(authorization)]
    session_id = request.path_parameters.get("session_id")
    if session_id is not None and len(session_id) > MAX_SESSION_ID_LENGTH:
        session_id = None
    caller = service.callers.caller(hashes, session_id) if hashes else Caller(None)
    # One answer for both: who guesses does not learn that a token opens something else.
    if caller.token is None or not access.allows(caller.token, authorization):
        raise TransportError(_UNAUTHORIZED, "unknown token")
    return _with_settled_token(service, caller, caller.token)


class _Exchange:
    """One request and its answer."""

    def __init__(self, service: OcpiService, event: gateway.Event, access: Access) -> None:
        self._service = service
        self._event = event
        self._access = access
        self._caller = Caller(None)
        self._request = ocpi_request(event)

    def run(self, endpoint: Endpoint) -> dict[str, JsonValue]:
        """The endpoint's answer, or the answer that its error means."""
        try:
            logger.set_correlation_id(self._request.ids.correlation_id)
            check_bounds(self._request)
            self._caller = authenticated(self._service, self._request, self._access)
            answered = endpoint(PartnerCall(self._request, self._caller))
        except TransportError as error:
            challenge = _CHALLENGE if error.http_status == _UNAUTHORIZED else {}
            return self._answer(
                error.http_status, error.status_code, str(error), headers={**challenge, **error.headers}
            )
        except InvalidInput as error:
            self._note_refused(error)
            message = f"Invalid or missing parameters: {error.field}: {error.problem}"
            return self._answer(200, StatusCode.INVALID_PARAMETERS, message)
        except RegistrationFailed as error:
            self._note_refused(error)
            return self._answer(200, error.status_code, str(error))
        except Contended as error:
            return self._answer(200, StatusCode.SERVER_ERROR, str(error))
        except Exception:  # noqa: BLE001 - the last resort: a partner gets the envelope whatever is broken here
            log_failure("ocpi.failed")
            return self._answer(200, StatusCode.SERVER_ERROR, "internal error; try again")
        answer = answered if isinstance(answered, Answer) else Answer(answered)
        return self._answer(200, StatusCode.SUCCESS, "Success", data=answer.data, headers=answer.headers)

    def _note_refused(self, error: Exception) -> None:
        refused, partner_id = refused_url(error), self._caller.partner_id
        if refused is not None and partner_id is not None:
            note_refusal(self._service.callers, self._service.clock, partner_id, refused.host, refused.problem)

    def _answer(
        self,
        http_status: int,
        code: int,
        message: str,
        *,
        data: JsonValue = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, JsonValue]:
        ids = self._request.ids
        body = envelope(self._service.clock.now(), code, message, data)
        result = data.get("result") if isinstance(data, dict) else None
        if self._about_a_profile:
            count_request(self._request.method, http_status, code, result if isinstance(result, str) else None)
        logger.info(
            "ocpi.answered",
            extra={
                "method": self._request.method,
                "resource": self._event.get("resource"),
                "partner_id": self._caller.partner_id,
                "session_id": self._caller.session.session_id if self._caller.session else None,
                "http_status": http_status,
                "status_code": code,
                "result": result,
                "reason": None if code == StatusCode.SUCCESS else message,
                "x_request_id": ids.request_id,
            },
        )
        return gateway.answer(
            http_status,
            dumps(body),
            {
                "X-Request-ID": ids.request_id,
                "X-Correlation-ID": ids.correlation_id,
                **({} if self._access.configuration_module else self._routing(code)),
                **(headers or {}),
            },
        )

    @property
    def _about_a_profile(self) -> bool:
        return "/chargingprofiles/" in self._request.path

    def _routing(self, code: int) -> dict[str, str]:
        """The request's headers swapped; where it had none, the session's party, else ours, to the token's party.

        A party that the request is sent to is only repeated where the endpoint has found it to be ours: in a list.
        """
        session = self._caller.session
        seen = session is not None and self._caller.partner_id in session.rights.seen_by
        listed = code == StatusCode.SUCCESS and "session_id" not in self._request.path_parameters
        named = self._request.to_party if listed else None
        ours = Party(session.country_code, session.party_id) if session and seen else named or self._service.party
        theirs = self._request.from_party or self._caller.party
        return routing_headers(ours, theirs)


def _with_settled_token(service: OcpiService, caller: Caller, token: AcceptedToken) -> Caller:
    if token.use is not TokenUse.CREDENTIALS or not token.supersedes:
        return caller
    try:
        service.callers.settle_token(token)
    except Exception:  # noqa: BLE001 - the call itself is good, and the next one with this token settles it
        log_failure("ocpi.token_not_settled", {"partner_id": token.partner_id})
        return caller
    return replace(caller, token=replace(token, supersedes=()))
