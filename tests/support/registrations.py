"""A bridge that registers partners, on moto: its registry and secrets, a manual clock, and one partner's server."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.adapters.dynamodb.registrations import DynamoRegistrations
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.adapters.secrets.partner_secrets import SecretsManagerPartnerSecrets
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.tokens import AcceptedToken, token_hash
from ocpi_bridge.ocpi.credentials import Credentials
from ocpi_bridge.ports.credentials import Standing
from ocpi_bridge.usecases.accept_registration import Accepted, AcceptRegistration
from ocpi_bridge.usecases.commit_registration import CommitRegistration
from ocpi_bridge.usecases.discover_platform import DiscoverPlatform
from ocpi_bridge.usecases.end_registration import EndRegistration
from ocpi_bridge.usecases.invite_partner import InvitePartner
from ocpi_bridge.usecases.outbound_registration import OutboundRegistration
from tests.support.clocks import ManualClock
from tests.support.partner_platform import ROLES, TOKEN_B, VERSIONS_URL, PartnerServer
from tests.support.registry_entries import csms
from tests.support.tables import AwsTables

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

PREFIX = "ocpi-bridge/test"
OURS = OwnPlatform("https://ocpi.example/prod/ocpi/versions", Party("NL", "CPO"), "Example CPO")
INVITED = Partner("jedlix", "Jedlix", Party("NL", "XXX"), (".jedlix.com",))


def credentials_body(
    token: str = TOKEN_B, url: str = VERSIONS_URL, roles: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {"token": token, "url": url, "roles": ROLES if roles is None else roles}


@dataclass
class Site:
    """`partner` is the other side; everything else is the bridge."""

    tables: AwsTables
    vault: "SecretsManagerClient"
    clock: ManualClock = field(default_factory=ManualClock)
    partner: PartnerServer = field(default_factory=PartnerServer)

    def __post_init__(self) -> None:
        platform = HttpPartnerPlatform(self.partner)
        self.secrets = SecretsManagerPartnerSecrets(lambda: self.vault, PREFIX)
        self.registrations = DynamoRegistrations(self.tables.client, self.tables.registry)
        self.registry = DynamoRegistry(self.tables.client, self.tables.registry)
        commit = CommitRegistration(self.registrations, self.secrets)
        discover = DiscoverPlatform(platform, self.clock)
        self.accept = AcceptRegistration(discover, commit, self.clock)
        self.end = EndRegistration(commit)
        self.invite = InvitePartner(self.registrations, self.clock)
        self.outbound = OutboundRegistration(discover, platform, self.registrations, commit, OURS, self.clock)
        self.registry.add_csms(csms())

    # --- What the partner does -------------------------------------------------------------------------------------------

    def call(self, token: str, *, version: str = "2.2.1", body: dict[str, Any] | None = None) -> Accepted:
        """POST or PUT credentials with a token that the bridge knows."""
        standing = self.standing
        return self.accept(standing, self.accepted(token), version, Credentials.read(body or credentials_body()))

    def use(self, token: str) -> None:
        """Any call with a token: what the door does at its first use."""
        intake = DynamoIntakeStore(self.tables.client, self.tables.sessions, self.tables.requests, self.tables.registry)
        caller = intake.caller([token_hash(token)])
        assert caller.token is not None
        intake.settle_token(caller.token)

    # --- What a test looks at --------------------------------------------------------------------------------------------

    @property
    def standing(self) -> Standing:
        standing = self.registrations.standing("jedlix")
        assert standing is not None
        return standing

    def accepted(self, token: str) -> AcceptedToken:
        [found] = [one for one in self.standing.tokens if one.token_hash == token_hash(token)]
        return found

    def accepts(self, token: str) -> bool:
        return any(one.token_hash == token_hash(token) for one in self.registry.list_tokens("jedlix"))

    @property
    def secrets_held(self) -> dict[str, Any]:
        """All secrets, by name below the prefix."""
        names = [secret["Name"] for secret in self.vault.list_secrets()["SecretList"]]
        return {
            name.removeprefix(f"{PREFIX}/"): json.loads(self.vault.get_secret_value(SecretId=name)["SecretString"])
            for name in sorted(names)
        }

    @property
    def state(self) -> object:
        """All that is stored but for what is counted, to be compared before and after."""
        stored = [item for item in self.tables.items(self.tables.registry) if item["pk"]["S"] != "REFUSED_HOST"]
        items = sorted(stored, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))
        return items, self.secrets_held

    def close(self) -> None:
        self.tables.clear()
        for secret in self.vault.list_secrets()["SecretList"]:
            self.vault.delete_secret(SecretId=secret["Name"], ForceDeleteWithoutRecovery=True)
