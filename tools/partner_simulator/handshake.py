"""Registration that the partner starts, the replacement of tokens, and the end of it (OCPI 7.1 and 7.2)."""

from dataclasses import dataclass

from tools.counterparts.json_types import write_json
from tools.partner_simulator.connection import VERSIONS_PATH, Connection, details_path
from tools.partner_simulator.credentials_rules import bridge_findings
from tools.partner_simulator.discovery import UNUSABLE_API, Discovery
from tools.partner_simulator.errors import AnswerLostError, HandshakeError, NotConnectedError
from tools.partner_simulator.platform_models import BridgeEndpoints, CredentialsRole, OcpiVersion, PlatformCredentials
from tools.partner_simulator.wire import Incoming, Module, Wire

NO_HANDSHAKE = "what was agreed on without a handshake has no credentials module"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a handshake led to."""

    endpoints: BridgeEndpoints
    roles: tuple[CredentialsRole, ...]

    @property
    def version(self) -> OcpiVersion:
        """The version in use."""
        return self.endpoints.version


class Handshake:
    """Calls the bridge's credentials module. Nothing changes unless the bridge says success and the answer arrives."""

    def __init__(self, connection: Connection, wire: Wire) -> None:
        self._connection = connection
        self._wire = wire
        self._discovery = Discovery(connection, wire)

    def register(
        self,
        versions_url: str,
        registration_token: str,
        *,
        version: OcpiVersion | None = None,
        token: str | None = None,
    ) -> Registration:
        """Register with a token A; options and errors as PartnerSimulator.register."""
        endpoints = self._discovery.read(versions_url, token=registration_token, version=version)
        return self._exchange("POST", endpoints, presented=registration_token, offered=token)

    def rotate(self, *, version: OcpiVersion | None = None, token: str | None = None) -> Registration:
        """Replace both tokens and read the endpoints again; options and errors as PartnerSimulator.rotate."""
        versions_url = self._connection.endpoints.versions
        if versions_url is None:
            raise NotConnectedError(NO_HANDSHAKE)
        presented = self._connection.keys.ours
        endpoints = self._discovery.read(versions_url, token=presented, version=version)
        return self._exchange("PUT", endpoints, presented=presented, offered=token)

    def read(self) -> PlatformCredentials:
        """What the bridge says the partner has to use; errors as PartnerSimulator.read_credentials."""
        presented = self._connection.keys.ours
        answer = self._send("GET", self._url(), presented=presented)
        where = "answer to GET credentials"
        told = self._wire.read(answer, PlatformCredentials, self._connection.version, where=where)
        if told is None:
            raise _refusal("GET", answer)
        self._connection.violations.extend(where, bridge_findings(told, self._connection.cpo))
        if told.token != presented:
            self._wire.note(where, "the token is not the one in use (7.2.1)")
        return told

    def unregister(self) -> None:
        """End the registration at the bridge, then here; errors as PartnerSimulator.unregister."""
        answer = self._send("DELETE", self._url(), presented=self._connection.keys.ours)
        if not answer.is_success:
            raise _refusal("DELETE", answer)
        self._connection.end()

    def _url(self) -> str:
        url = self._connection.endpoints.credentials
        if url is None:
            raise NotConnectedError(NO_HANDSHAKE)
        return url

    def _exchange(
        self, method: str, endpoints: BridgeEndpoints, *, presented: str, offered: str | None
    ) -> Registration:
        keys = self._connection.keys
        theirs = keys.expect(offered)
        self._connection.negotiate(endpoints.version)
        reads = self._connection.config_reads.mark()
        body = write_json(self._connection.credentials(theirs)).encode()
        answer = self._send(method, endpoints.credentials or "", presented=presented, body=body)
        if self._connection.manner.loses_answers:
            raise AnswerLostError(f"{method} credentials: the answer is lost")
        if not answer.is_success:
            keys.abandon(theirs)
            raise _refusal(method, answer)
        where = f"answer to {method} credentials"
        told = self._wire.read(answer, PlatformCredentials, endpoints.version, where=where)
        if told is None:
            raise HandshakeError(
                f"{method} credentials: data is no Credentials", status=answer.status, status_code=UNUSABLE_API
            )
        self._judge(where, told, endpoints, used=(presented, theirs), reads=reads)
        keys.present(told.token)
        keys.settle()
        self._connection.connect(endpoints, tuple(told.roles))
        return Registration(endpoints, tuple(told.roles))

    def _judge(
        self, where: str, told: PlatformCredentials, endpoints: BridgeEndpoints, *, used: tuple[str, str], reads: int
    ) -> None:
        self._connection.violations.extend(where, bridge_findings(told, self._connection.cpo))
        if told.token in used:
            self._wire.note(where, "the token is none of its own making, or not new (7.2.2, 7.2.3)")
        if told.url != endpoints.versions:
            self._wire.note(where, f"the versions endpoint is {told.url}, not the one that was called")
        read = {request.path for request in self._connection.config_reads.entries(reads)}
        for path in (VERSIONS_PATH, details_path(endpoints.version)):
            if path not in read:
                self._wire.note(where, f"{path} was not read while the request was open (7.1)")

    def _send(self, method: str, url: str, *, presented: str, body: bytes | None = None) -> Incoming:
        outgoing = self._wire.prepare(method, url, module=Module.CONFIGURATION, token=presented, body=body)
        return self._wire.send(outgoing, where=f"answer to {method} credentials")


def _refusal(method: str, answer: Incoming) -> HandshakeError:
    return HandshakeError(
        f"{method} credentials: HTTP {answer.status}, OCPI {answer.status_code}: {answer.message}",
        status=answer.status,
        status_code=answer.status_code,
    )
