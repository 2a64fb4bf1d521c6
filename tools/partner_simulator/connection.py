"""What both directions of the partner's connection with the bridge share."""

from pathlib import Path

from tools.counterparts.http_service import Request
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject
from tools.partner_simulator.errors import NotConnectedError
from tools.partner_simulator.keyring import Keyring
from tools.partner_simulator.manner import Manner
from tools.partner_simulator.platform_models import BridgeEndpoints, CredentialsRole, OcpiVersion
from tools.partner_simulator.transport import Party, Violations

BASE_PATH = "/ocpi"
VERSIONS_PATH = f"{BASE_PATH}/versions"
# Not the start of any other path, so that a fault planned for the details hits nothing else.
DETAILS = "details"


def details_path(version: OcpiVersion) -> str:
    """Where the partner serves the details of a version."""
    return f"{BASE_PATH}/{version}/{DETAILS}"


class Connection:
    """One bridge and this partner: who they are, where they serve, which tokens hold, how the partner behaves.

    Each attribute is replaced as a whole, so that server threads read it without a lock. `config_reads` records the
    bridge's reads of versions and details.
    """

    def __init__(self, *, party: Party, cpo: Party, keys: Keyring, manner: Manner, violations: Violations) -> None:
        self.party = party
        self.cpo = cpo
        self.keys = keys
        self.manner = manner
        self.violations = violations
        self.base_url = ""
        self.ca_file: Path | None = None
        self.config_reads: Journal[Request] = Journal()
        self._spoken: frozenset[OcpiVersion] = frozenset()
        self._version = OcpiVersion.V221
        self._endpoints: BridgeEndpoints | None = None
        self._bridge_parties: tuple[Party, ...] = ()

    # The partner's own side

    @property
    def parties(self) -> tuple[Party, ...]:
        """Who the partner is; the first one is its main party."""
        return (self.party, *self.manner.other_parties)

    @property
    def versions_url(self) -> str:
        """The partner's versions endpoint."""
        return self.base_url + VERSIONS_PATH

    def own_url(self, module: str, version: OcpiVersion | None = None) -> str:
        """Where the partner serves a module."""
        return f"{self.base_url}{BASE_PATH}/{version or self.version}/{module}"

    def credentials(self, token: str) -> JsonObject:
        """The partner's Credentials (7.3.1) with a token for the bridge; every party is an SCSP."""
        roles = [
            {
                "role": "SCSP",
                "business_details": {"name": f"Simulated SCSP {party.party_id}"},
                "party_id": party.party_id,
                "country_code": party.country_code,
            }
            for party in self.parties
        ]
        return {"token": token, "url": self.versions_url, "roles": roles}

    # The bridge's side

    @property
    def version(self) -> OcpiVersion:
        """The version in use; 2.2.1 before there is a connection."""
        return self._version

    @property
    def endpoints(self) -> BridgeEndpoints:
        """Where the bridge is called; raises NotConnectedError."""
        if self._endpoints is None:
            raise NotConnectedError("connect the partner to a bridge first, or register it")
        return self._endpoints

    @property
    def bridge_parties(self) -> tuple[Party, ...]:
        """Who the bridge may speak for: the party agreed on, and those that it told in a handshake."""
        return (self.cpo, *self._bridge_parties)

    def speaks(self, version: OcpiVersion) -> bool:
        """Whether the bridge may use this version: the one in use, or one that it is being changed from or to."""
        return version is self.version or version in self._spoken

    def negotiate(self, version: OcpiVersion) -> None:
        """Let the bridge use a version whose handshake is open."""
        self._spoken |= {version}

    def connect(self, endpoints: BridgeEndpoints, roles: tuple[CredentialsRole, ...] = ()) -> None:
        """Use these endpoints from now on."""
        self.negotiate(endpoints.version)
        self._bridge_parties = tuple(
            role.party for role in roles if role.role == "CPO" and not role.party.is_same(self.cpo)
        )
        self._version, self._endpoints = endpoints.version, endpoints

    def end(self) -> None:
        """Forget every token; where the bridge is stays known."""
        self.keys.clear()
