"""A Smart Charging Service Provider as Jedlix is one: serves what the bridge calls, and calls the bridge."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.counterparts.http_service import Fault, HttpService
from tools.counterparts.journal import Journal
from tools.partner_simulator.client import BridgeClient
from tools.partner_simulator.exchanges import Exchanges, ReceivedResult
from tools.partner_simulator.models import Session
from tools.partner_simulator.receiver import PROFILES_PATH, RESPONSE_PATH, SESSIONS_PATH, ActiveProfilePush, PartnerApi
from tools.partner_simulator.sessions import SessionPush, SessionStore
from tools.partner_simulator.transport import Credentials, Party, Violation, Violations

# Jedlix has not published its party id; this one is ours.
JEDLIX = Party("NL", "JED")


class PartnerSimulator:
    """The partner, running in background threads on a loopback port until it is stopped.

    `credentials` hold both tokens, `cpo` is the party that the bridge speaks for. Everything received is recorded:
    `sessions`, `results`, `active_profiles`, `violations`. Call `connect` before calling the bridge.
    """

    def __init__(self, credentials: Credentials, *, cpo: Party, party: Party = JEDLIX, host: str = "localhost") -> None:
        self.party = party
        self.cpo = cpo
        self._credentials = credentials
        self._violations = Violations()
        self.sessions = SessionStore(self._violations)
        self.exchanges = Exchanges(self._violations)
        self._api = PartnerApi(
            credentials=credentials,
            party=party,
            cpo=cpo,
            sessions=self.sessions,
            exchanges=self.exchanges,
            violations=self._violations,
        )
        self.http = HttpService(self._api.handle, name="partner-simulator", host=host)
        self._client: BridgeClient | None = None

    def start(self) -> Self:
        """Serve in the background."""
        self.http.start()
        return self

    def stop(self) -> None:
        """End every connection."""
        if self._client is not None:
            self._client.close()
        self.http.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # Addresses, for the registration at the bridge

    @property
    def sessions_url(self) -> str:
        """The partner's sessions RECEIVER endpoint."""
        return self.http.url + SESSIONS_PATH

    @property
    def charging_profiles_url(self) -> str:
        """The partner's chargingprofiles SENDER endpoint."""
        return self.http.url + PROFILES_PATH

    # Calling the bridge

    def connect(self, bridge_url: str, *, ca_file: Path | None = None) -> BridgeClient:
        """Choose the bridge to call: base URL of OcpiApi, and the CA file that signed its certificate."""
        if self._client is not None:
            self._client.close()
        self._client = BridgeClient(
            bridge_url,
            response_base=self.http.url + RESPONSE_PATH,
            credentials=self._credentials,
            party=self.party,
            cpo=self.cpo,
            exchanges=self.exchanges,
            violations=self._violations,
            ca_file=ca_file,
        )
        return self._client

    @property
    def bridge(self) -> BridgeClient:
        """The client for PUT, GET and DELETE; raises RuntimeError before `connect`."""
        if self._client is None:
            raise RuntimeError("connect the partner to a bridge first")
        return self._client

    # What was received

    @property
    def results(self) -> Journal[ReceivedResult]:
        """Every result posted to a response URL."""
        return self.exchanges.results

    @property
    def active_profiles(self) -> Journal[ActiveProfilePush]:
        """Every active charging profile pushed."""
        return self._api.active_profiles

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

    def misbehave(self, fault: Fault, *, path: str = "", method: str | None = None, times: int | None = 1) -> None:
        """Let a fault hit the next `times` requests (None: all) whose path contains `path`; see `faults`."""
        self.http.plan(fault, path=path, method=method, times=times)

    def behave(self) -> None:
        """Answer properly again."""
        self.http.clear_faults()
