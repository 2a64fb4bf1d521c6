"""What the partner serves: sessions (Receiver), active charging profiles and results (Sender of chargingprofiles)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from urllib.parse import parse_qs, unquote

from pydantic import ValidationError

from tools.counterparts.http_service import Request, Response
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject, NotJsonError, as_object, read_json
from tools.partner_simulator.exchanges import Exchanges
from tools.partner_simulator.models import ActiveChargingProfile, findings
from tools.partner_simulator.sessions import ObjectRefusedError, SessionStore, UnknownSessionError
from tools.partner_simulator.transport import (
    Credentials,
    Party,
    Violations,
    authorization,
    envelope,
    request_findings,
)

BASE_PATH = "/ocpi/2.2.1"
SESSIONS_PATH = f"{BASE_PATH}/sessions"
PROFILES_PATH = f"{BASE_PATH}/chargingprofiles"
RESPONSE_PATH = f"{PROFILES_PATH}/response"
RESPONSE_KEY = "request_id"

_SESSION = re.compile(rf"{SESSIONS_PATH}/(?P<country>[^/]+)/(?P<party>[^/]+)/(?P<session>[^/]+)")
_ACTIVE_PROFILE = re.compile(rf"{PROFILES_PATH}/(?P<session>[^/]+)")

INVALID_PARAMETERS = 2001
CLIENT_ERROR = 2000


@dataclass(frozen=True, slots=True)
class ActiveProfilePush:
    """An active charging profile that the bridge pushed."""

    at: datetime
    session_id: str
    profile: ActiveChargingProfile


class PartnerApi:
    """Answers the bridge's requests and notes every rule that they break."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        party: Party,
        cpo: Party,
        sessions: SessionStore,
        exchanges: Exchanges,
        violations: Violations,
    ) -> None:
        self.active_profiles: Journal[ActiveProfilePush] = Journal()
        self._credentials = credentials
        self._party = party
        self._cpo = cpo
        self._sessions = sessions
        self._exchanges = exchanges
        self._violations = violations

    def handle(self, request: Request) -> Response:
        """Answer one request: token, route, headers, body, in this order."""
        where = f"{request.method} {request.path}"
        if not self._knows_token(request):
            self._violations.note(where, "the token is missing or unknown")
            return envelope(request, http_status=401, status_code=CLIENT_ERROR, message="unknown token")
        route = self._route(request)
        if route is None:
            self._violations.note(where, "no such endpoint or method")
            return envelope(request, http_status=404, status_code=CLIENT_ERROR, message="no such endpoint")
        for finding in request_findings(request, to=self._party, sender=self._cpo):
            self._violations.note(where, finding)
        try:
            return route(request)
        except NotJsonError as error:
            self._violations.note(where, str(error))
            return envelope(request, http_status=400, status_code=INVALID_PARAMETERS, message=str(error))
        except UnknownSessionError:
            return envelope(request, http_status=404, status_code=CLIENT_ERROR, message="unknown session")
        except ValueError as error:
            self._violations.note(where, str(error))
            return envelope(request, status_code=INVALID_PARAMETERS, message=str(error)[:255])

    def _knows_token(self, request: Request) -> bool:
        expected = authorization(self._credentials.theirs, plain=self._credentials.plain)
        return compare_digest((request.header("Authorization") or "").encode(), expected.encode())

    def _route(self, request: Request) -> Callable[[Request], Response] | None:
        if _SESSION.fullmatch(request.path):
            return {"PUT": self._put_session, "PATCH": self._patch_session, "GET": self._get_session}.get(
                request.method
            )
        if request.method == "POST" and request.path == RESPONSE_PATH:
            return self._take_result
        if request.method == "PUT" and _ACTIVE_PROFILE.fullmatch(request.path):
            return self._take_active_profile
        return None

    def _put_session(self, request: Request) -> Response:
        owner, session_id = self._session_of(request)
        self._sessions.put(owner, session_id, _object(request))
        return envelope(request)

    def _patch_session(self, request: Request) -> Response:
        owner, session_id = self._session_of(request)
        self._sessions.patch(owner, session_id, _object(request))
        return envelope(request)

    def _get_session(self, request: Request) -> Response:
        owner, session_id = self._session_of(request)
        return envelope(request, data=self._sessions.get(owner, session_id).wire())

    def _session_of(self, request: Request) -> tuple[Party, str]:
        found = _SESSION.fullmatch(request.path)
        if found is None:
            raise UnknownSessionError(request.path)
        owner = Party(unquote(found["country"]), unquote(found["party"]))
        if not owner.is_same(self._cpo):
            raise ObjectRefusedError(f"{owner.country_code}/{owner.party_id} is not the caller's party")
        return owner, unquote(found["session"])

    def _take_active_profile(self, request: Request) -> Response:
        found = _ACTIVE_PROFILE.fullmatch(request.path)
        session_id = unquote(found["session"]) if found else ""
        try:
            profile = ActiveChargingProfile.model_validate(_object(request))
        except ValidationError as error:
            raise ObjectRefusedError(findings(error)) from error
        if not self._exchanges.has_steered(session_id):
            self._violations.note(f"PUT active profile {session_id}", "no PUT of ours was ever accepted (14.4.2.4)")
        self.active_profiles.record(ActiveProfilePush(request.at, session_id, profile))
        return envelope(request)

    def _take_result(self, request: Request) -> Response:
        keys = parse_qs(request.query).get(RESPONSE_KEY, [])
        if len(keys) != 1:
            raise ObjectRefusedError(f"the response URL was changed: {RESPONSE_KEY} is there {len(keys)} times")
        self._exchanges.take_result(keys[0], _object(request), request.at)
        return envelope(request)


def _object(request: Request) -> JsonObject:
    value = read_json(request.body)
    if not isinstance(value, dict):
        raise ObjectRefusedError("the body is no JSON object")
    return as_object(value)
