"""The functional modules that the partner serves: sessions (Receiver), active profiles and results (Sender)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import parse_qs, unquote

from pydantic import ValidationError

from tools.counterparts.http_service import Request, Response
from tools.counterparts.journal import Journal
from tools.partner_simulator.connection import BASE_PATH, Connection
from tools.partner_simulator.exchanges import Exchange, Exchanges
from tools.partner_simulator.models import ActiveChargingProfile, findings
from tools.partner_simulator.platform_models import CHARGING_PROFILES, SESSIONS, OcpiVersion
from tools.partner_simulator.requests import body_object
from tools.partner_simulator.sessions import ObjectRefusedError, SessionStore
from tools.partner_simulator.transport import Party, envelope

# Where results go, below the chargingprofiles endpoint, and the key that tells requests apart.
RESPONSE = "response"
RESPONSE_KEY = "request_id"

_SESSION = re.compile(r"/(?P<country>[^/]+)/(?P<party>[^/]+)/(?P<session>[^/]+)")
_ACTIVE_PROFILE = re.compile(r"/(?P<session>[^/]+)")


@dataclass(frozen=True, slots=True)
class ActiveProfilePush:
    """An active charging profile that the bridge pushed."""

    at: datetime
    session_id: str
    profile: ActiveChargingProfile


@dataclass(frozen=True, slots=True)
class Route:
    """Who answers a request, which of the partner's parties it may be for, and which of the bridge's it comes from."""

    answer: Callable[[Request], Response]
    version: OcpiVersion
    to: Sequence[Party]
    sender: Sequence[Party]


@dataclass(frozen=True, slots=True)
class _Target:
    """The session that a request names."""

    owner: Party
    session_id: str
    version: OcpiVersion


class Receiver:
    """Finds the route of a functional request; routes raise what `api` turns into an answer."""

    def __init__(self, connection: Connection, *, sessions: SessionStore, exchanges: Exchanges) -> None:
        self.active_profiles: Journal[ActiveProfilePush] = Journal()
        self._connection = connection
        self._sessions = sessions
        self._exchanges = exchanges

    def route(self, request: Request) -> Route | None:
        """The route in a version that the partner serves, None when there is nothing."""
        for version in self._connection.manner.versions:
            base = f"{BASE_PATH}/{version}"
            if request.path.startswith(f"{base}/{SESSIONS}/"):
                return self._session_route(request, request.path.removeprefix(f"{base}/{SESSIONS}"), version)
            if request.path.startswith(f"{base}/{CHARGING_PROFILES}/"):
                return self._profile_route(request, request.path.removeprefix(f"{base}/{CHARGING_PROFILES}"), version)
        return None

    def _session_route(self, request: Request, rest: str, version: OcpiVersion) -> Route | None:
        found = _SESSION.fullmatch(rest)
        methods = {"PUT": self._put_session, "PATCH": self._patch_session, "GET": self._get_session}
        if found is None or request.method not in methods:
            return None
        owner = Party(unquote(found["country"]), unquote(found["party"]))
        target = _Target(owner, unquote(found["session"]), version)
        # Whoever is not the owner may not speak of its sessions, even when the bridge speaks for both (9.2.2).
        sender = [owner] if self._is_bridges(owner) else self._connection.bridge_parties
        answer = partial(methods[request.method], target=target)
        return Route(answer, version, self._connection.parties, sender)

    def _profile_route(self, request: Request, rest: str, version: OcpiVersion) -> Route | None:
        bridge = self._connection.bridge_parties
        if request.method == "POST" and rest == f"/{RESPONSE}":
            key = parse_qs(request.query).get(RESPONSE_KEY, [""])[0]
            return Route(self._take_result, version, self._asking(self._exchanges.of_key(key)), bridge)
        found = _ACTIVE_PROFILE.fullmatch(rest)
        if request.method != "PUT" or found is None:
            return None
        session_id = unquote(found["session"])
        to = self._asking(self._exchanges.steering(session_id))
        return Route(partial(self._take_active_profile, session_id=session_id), version, to, bridge)

    def _asking(self, exchanges: Sequence[Exchange]) -> Sequence[Party]:
        """Who asked: an answer goes to the party that it is for, since others may share the token (4.1.8)."""
        return [one.sender for one in exchanges if one.sender is not None] or self._connection.parties

    def _put_session(self, request: Request, *, target: _Target) -> Response:
        self._must_be_bridges(target.owner)
        self._sessions.put(target.owner, target.session_id, body_object(request), target.version)
        return envelope(request)

    def _patch_session(self, request: Request, *, target: _Target) -> Response:
        self._must_be_bridges(target.owner)
        self._sessions.patch(target.owner, target.session_id, body_object(request), target.version)
        return envelope(request)

    def _get_session(self, request: Request, *, target: _Target) -> Response:
        self._must_be_bridges(target.owner)
        return envelope(request, data=self._sessions.get(target.owner, target.session_id).wire())

    def _is_bridges(self, owner: Party) -> bool:
        return any(owner.is_same(party) for party in self._connection.bridge_parties)

    def _must_be_bridges(self, owner: Party) -> None:
        if not self._is_bridges(owner):
            raise ObjectRefusedError(f"{owner.country_code}/{owner.party_id} is not the caller's party")

    def _take_active_profile(self, request: Request, *, session_id: str) -> Response:
        try:
            profile = ActiveChargingProfile.model_validate(body_object(request), extra=self._connection.version.extra)
        except ValidationError as error:
            raise ObjectRefusedError(findings(error)) from error
        if not self._exchanges.steering(session_id):
            self._connection.violations.note(
                f"PUT active profile {session_id}", "no PUT of ours was ever accepted (14.4.2.4)"
            )
        self.active_profiles.record(ActiveProfilePush(request.at, session_id, profile))
        return envelope(request)

    def _take_result(self, request: Request) -> Response:
        keys = parse_qs(request.query).get(RESPONSE_KEY, [])
        if len(keys) != 1:
            raise ObjectRefusedError(f"the response URL was changed: {RESPONSE_KEY} is there {len(keys)} times")
        self._exchanges.take_result(keys[0], body_object(request), request.at)
        return envelope(request)
