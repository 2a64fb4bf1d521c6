"""Reading the bridge's versions and endpoints, instead of building its URLs (OCPI 6)."""

from pydantic import ValidationError

from tools.partner_simulator.connection import Connection
from tools.partner_simulator.errors import HandshakeError
from tools.partner_simulator.models import findings
from tools.partner_simulator.platform_models import (
    CHARGING_PROFILES,
    CREDENTIALS,
    SESSIONS,
    BridgeEndpoints,
    OcpiVersion,
    Version,
    VersionDetails,
    newest,
)
from tools.partner_simulator.wire import Incoming, Module, Wire

# Status codes of a handshake that fails (5.4).
UNUSABLE_API = 3001
UNSUPPORTED_VERSION = 3002
MISSING_ENDPOINTS = 3003


class Discovery:
    """Reads the bridge's configuration; what is wrong in it is noted, and ends the handshake where it has to."""

    def __init__(self, connection: Connection, wire: Wire) -> None:
        self._connection = connection
        self._wire = wire

    def read(self, versions_url: str, *, token: str, version: OcpiVersion | None = None) -> BridgeEndpoints:
        """Where the bridge serves `version`, by default the newest that both have.

        Raises BridgeUnreachableError, and HandshakeError with the code 3001, 3002 or 3003 that names the reason.
        """
        offered = self._versions(versions_url, token)
        spoken = [one for one in self._connection.manner.versions if one in offered]
        chosen = newest(spoken) if version is None else version
        if chosen is None or chosen not in spoken:
            raise HandshakeError("no version that both have", status_code=UNSUPPORTED_VERSION)
        details = self._details(offered[chosen], chosen, token)
        sessions, profiles, credentials = (
            details.url_of(SESSIONS, "SENDER"),
            details.url_of(CHARGING_PROFILES, "RECEIVER"),
            details.url_of(CREDENTIALS),
        )
        if sessions is None or profiles is None or credentials is None:
            listed = ", ".join(f"{one.identifier} {one.role}" for one in details.endpoints)
            raise HandshakeError(f"expected endpoints are missing, there are: {listed}", status_code=MISSING_ENDPOINTS)
        return BridgeEndpoints(chosen, sessions, profiles, credentials=credentials, versions=versions_url)

    def _versions(self, url: str, token: str) -> dict[OcpiVersion, str]:
        where = "GET versions"
        answer = self._get(url, token, where)
        if not isinstance(answer.data, list) or not answer.data:
            raise HandshakeError(f"{where}: data is no list of versions", status_code=UNUSABLE_API)
        offered: dict[OcpiVersion, str] = {}
        seen: set[str] = set()
        for entry in answer.data:
            try:
                # Which version's rules hold is not known yet, so that a field more is nobody's fault.
                listed = Version.model_validate(entry, extra="ignore")
            except ValidationError as error:
                self._wire.note(where, findings(error))
                continue
            if listed.version in seen:
                self._wire.note(where, f"{listed.version} stands there twice")
            seen.add(listed.version)
            if listed.version in list(OcpiVersion):
                offered.setdefault(OcpiVersion(listed.version), listed.url)
        return offered

    def _details(self, url: str, version: OcpiVersion, token: str) -> VersionDetails:
        where = f"GET version details of {version}"
        answer = self._get(url, token, where)
        details = self._wire.read(answer, VersionDetails, version, where=where)
        if details is None:
            raise HandshakeError(f"{where}: data is no version details", status_code=UNUSABLE_API)
        if details.version != version:
            self._wire.note(where, f"the details are those of {details.version}")
        return details

    def _get(self, url: str, token: str, where: str) -> Incoming:
        answer = self._wire.send(
            self._wire.prepare("GET", url, module=Module.CONFIGURATION, token=token), where=f"answer to {where}"
        )
        if not answer.is_success:
            raise HandshakeError(
                f"{where}: HTTP {answer.status}, OCPI {answer.status_code}",
                status=answer.status,
                status_code=UNUSABLE_API,
            )
        return answer
