"""A Smart Charging Service Provider as Jedlix is one: serves what the bridge calls, and calls the bridge."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.counterparts.http_service import Fault, HttpService, Request, Response
from tools.counterparts.journal import Journal
from tools.partner_simulator.api import PartnerApi
from tools.partner_simulator.client import BridgeClient, request_keys
from tools.partner_simulator.connection import DETAILS, VERSIONS_PATH, Connection
from tools.partner_simulator.door import TokenDoor
from tools.partner_simulator.exchanges import Exchanges, ReceivedResult
from tools.partner_simulator.handshake import Handshake, Registration
from tools.partner_simulator.keyring import Keyring
from tools.partner_simulator.manner import Manner
from tools.partner_simulator.models import Session
from tools.partner_simulator.oauth import TOKEN_PATH, OAuthServer, OAuthSettings
from tools.partner_simulator.page_rules import SessionPage
from tools.partner_simulator.pairing import SCSP_PATH, PairingDesk
from tools.partner_simulator.platform_api import PlatformApi
from tools.partner_simulator.platform_models import (
    CHARGING_PROFILES,
    SESSIONS,
    BridgeEndpoints,
    OcpiVersion,
    PlatformCredentials,
)
from tools.partner_simulator.receiver import ActiveProfilePush, Receiver
from tools.partner_simulator.sessions import SessionPush, SessionStore
from tools.partner_simulator.transport import Credentials, Party, Violation, Violations
from tools.partner_simulator.wire import Wire

# Jedlix has not published its party id; this one is ours.
JEDLIX = Party("NL", "JED")
BY_THE_BOOK = Manner()


class PartnerSimulator:
    """The partner, running in background threads on a loopback port until it is stopped.

    `credentials` hold both tokens of a connection without a handshake, None for a partner that registers or is
    registered. `cpo` is the party that the bridge speaks for. With `oauth` every interface of the partner takes access
    tokens of its own authorization server, and no others. Everything received is recorded: `sessions`, `results`,
    `active_profiles`, `pages`, `violations`. `connect`, `register` or `invite` before calling the bridge.
    """

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        cpo: Party,
        party: Party = JEDLIX,
        host: str = "localhost",
        manner: Manner = BY_THE_BOOK,
        oauth: OAuthSettings | None = None,
    ) -> None:
        if credentials is not None and credentials.plain:
            manner = replace(manner, plain_tokens=True)
        self._violations = Violations()
        self._credentials = Keyring(credentials)
        self._connection = Connection(
            party=party, cpo=cpo, keys=self._credentials, manner=manner, violations=self._violations
        )
        self._wire = Wire(self._connection)
        self.sessions = SessionStore(self._violations)
        self.exchanges = Exchanges(self._violations)
        self.pages: Journal[SessionPage] = Journal()
        self._oauth = None if oauth is None else OAuthServer(oauth, self._violations)
        self._receiver = Receiver(self._connection, sessions=self.sessions, exchanges=self.exchanges)
        self._api = PartnerApi(
            self._connection,
            door=self._oauth or TokenDoor(self._connection),
            platform=PlatformApi(self._connection, self._wire),
            receiver=self._receiver,
        )
        # Jedlix's pairing takes Bearer, whatever its other interfaces take.
        self.pairing = PairingDesk(
            self._connection, self._wire, self._oauth or TokenDoor(self._connection, bearer=True)
        )
        self._handshake = Handshake(self._connection, self._wire)
        self._client = BridgeClient(self._connection, self._wire, self.exchanges, self.pages, request_keys(), party)
        self.http = HttpService(self._serve, name="partner-simulator", host=host)
        self._connection.base_url = self.http.url
        self.behave_as(manner)

    def start(self) -> Self:
        """Serve in the background."""
        self.http.start()
        return self

    def stop(self) -> None:
        """End every connection."""
        self._wire.close()
        self.http.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # Who it is, and its addresses

    @property
    def party(self) -> Party:
        """The partner's main party."""
        return self._connection.party

    @property
    def cpo(self) -> Party:
        """The party that the bridge speaks for."""
        return self._connection.cpo

    @property
    def token(self) -> str:
        """The token that the partner presents to the bridge now; raises NotConnectedError when it has none."""
        return self._credentials.ours

    @property
    def version(self) -> OcpiVersion:
        """The OCPI version in use; 2.2.1 before there is a connection."""
        return self._connection.version

    @property
    def versions_url(self) -> str:
        """The partner's versions endpoint."""
        return self._connection.versions_url

    @property
    def sessions_url(self) -> str:
        """The partner's sessions RECEIVER endpoint in the version in use."""
        return self._connection.own_url(SESSIONS)

    @property
    def charging_profiles_url(self) -> str:
        """The partner's chargingprofiles SENDER endpoint in the version in use."""
        return self._connection.own_url(CHARGING_PROFILES)

    @property
    def token_url(self) -> str:
        """The token endpoint of the partner's authorization server."""
        return self.http.url + TOKEN_PATH

    @property
    def pairing_url(self) -> str:
        """Where the partner takes charge points that the CPO pairs."""
        return self.http.url + SCSP_PATH

    @property
    def oauth(self) -> OAuthServer:
        """The partner's authorization server; raises LookupError for a partner without one."""
        if self._oauth is None:
            raise LookupError("the partner has no authorization server")
        return self._oauth

    # Coming together with a bridge

    def connect(
        self, bridge_url: str, *, ca_file: Path | None = None, version: OcpiVersion = OcpiVersion.V221
    ) -> BridgeClient:
        """Use a bridge without a handshake: base URL of OcpiApi, and the CA file that signed its certificate."""
        self._trust(ca_file)
        self._connection.connect(BridgeEndpoints.below(bridge_url, version))
        return self._client

    def register(
        self,
        versions_url: str,
        registration_token: str,
        *,
        ca_file: Path | None = None,
        version: OcpiVersion | None = None,
        token: str | None = None,
    ) -> Registration:
        """Register at the bridge with a token A (OCPI 7.1.1): versions, details, POST credentials.

        The newest version that both have, unless `version`. `token` is the one to give to the bridge; by default that
        of an attempt whose answer was lost, or a new one. It is accepted from the POST on. Raises
        BridgeUnreachableError, AnswerLostError, and HandshakeError when the bridge refuses or lacks something (then
        nothing is posted); after each of them the next try works.
        """
        self._trust(ca_file)
        return self._handshake.register(versions_url, registration_token, version=version, token=token)

    def rotate(self, *, version: OcpiVersion | None = None, token: str | None = None) -> Registration:
        """Replace both tokens with PUT credentials, and read the endpoints again (7.1.3).

        The bridge may come with the old token until it has been seen with the new one. Options and errors as for
        `register`; NotConnectedError without a registration.
        """
        return self._handshake.rotate(version=version, token=token)

    def read_credentials(self) -> PlatformCredentials:
        """GET credentials: what the bridge says the partner has to use, which is what it uses (7.2.1).

        Raises BridgeUnreachableError, HandshakeError for any answer without Credentials, NotConnectedError.
        """
        return self._handshake.read()

    def unregister(self) -> None:
        """End the registration with DELETE credentials; afterwards the bridge is refused.

        Raises BridgeUnreachableError and HandshakeError (then the registration goes on), NotConnectedError without one.
        """
        self._handshake.unregister()

    def invite(self, *, ca_file: Path | None = None) -> tuple[str, str]:
        """The partner's versions endpoint and a new token A for a bridge that starts the registration (7.1.1).

        Every earlier token ends. `ca_file` is for the calls back to the bridge.
        """
        self._trust(ca_file)
        return self.versions_url, self._credentials.invite()

    @property
    def bridge(self) -> BridgeClient:
        """The client for every call to the bridge; raises NotConnectedError before there is one."""
        _ = self._connection.endpoints
        return self._client

    # Behaviour

    @property
    def manner(self) -> Manner:
        """How the partner behaves."""
        return self._connection.manner

    def behave_as(self, manner: Manner) -> None:
        """Behave in this manner from now on; what `misbehave` planned ends."""
        self._connection.manner = manner
        self.behave()

    def misbehave(self, fault: Fault, *, path: str = "", method: str | None = None, times: int | None = 1) -> None:
        """Let a fault hit the next `times` requests (None: all) whose path contains `path`; see `faults`."""
        self.http.plan(fault, path=path, method=method, times=times)

    def behave(self) -> None:
        """End what `misbehave` planned; the manner stays."""
        self.http.clear_faults()
        for fault, path in (
            (self.manner.versions_fault, VERSIONS_PATH),
            (self.manner.details_fault, f"/{DETAILS}"),
        ):
            if fault is not None:
                self.http.plan(fault, path=path, method="GET", times=None)

    # What was received

    @property
    def results(self) -> Journal[ReceivedResult]:
        """Every result posted to a response URL."""
        return self.exchanges.results

    @property
    def active_profiles(self) -> Journal[ActiveProfilePush]:
        """Every active charging profile pushed."""
        return self._receiver.active_profiles

    @property
    def session_pushes(self) -> Journal[SessionPush]:
        """Every PUT and PATCH of a session that was stored."""
        return self.sessions.pushes

    def violations(self) -> list[Violation]:
        """Every rule of OCPI that the bridge broke so far."""
        return self._violations.all()

    def wait_for_session(self, predicate: Callable[[Session], bool], timeout: float) -> Session:
        """Return a session whose present state satisfies the predicate; raises NotObservedError."""
        return self.sessions.wait_for(predicate, timeout)

    def wait_for_active_profile(self, session_id: str, timeout: float, *, since: int = 0) -> ActiveProfilePush:
        """Return the first active profile pushed for a session from position `since` on; raises NotObservedError."""
        return self.active_profiles.wait_for(
            lambda push: push.session_id.casefold() == session_id.casefold(),
            timeout,
            since=since,
            what=f"an active profile of {session_id}",
        )

    def forget_session(self, session_id: str) -> None:
        """Lose a session, as a partner does after an accident."""
        self.sessions.forget(session_id)

    def _serve(self, request: Request) -> Response:
        if self._oauth is not None and self._oauth.serves(request):
            return self._oauth.issue(request)
        if self.pairing.serves(request):
            return self.pairing.answer(request)
        return self._api.handle(request)

    def _trust(self, ca_file: Path | None) -> None:
        self._connection.ca_file = ca_file
        self._wire.close()
