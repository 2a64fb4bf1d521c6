"""Handshakes (OCPI 7) as an operator begins and ends them: the use cases of the functions, with the operator's rights."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ocpi_bridge.adapters.dynamodb.registrations import DynamoRegistrations
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_platform
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.adapters.secrets.partner_secrets import SecretsManagerPartnerSecrets
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.errors import BridgeError, PlatformUnusable, UnknownEntity
from ocpi_bridge.domain.partners import OutboundAuth, Partner, Registration
from ocpi_bridge.domain.tokens import TOKEN_MAX_LENGTH, is_token
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.credentials import PartnerSecrets, RegistrationStore
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.usecases.commit_registration import CommitRegistration, Committed
from ocpi_bridge.usecases.discover_platform import DiscoverPlatform
from ocpi_bridge.usecases.end_registration import EndRegistration
from ocpi_bridge.usecases.invite_partner import InvitePartner
from ocpi_bridge.usecases.outbound_registration import OutboundRegistration

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient


class HandshakeRefused(BridgeError):
    """A handshake was not begun. The text says why and what to do instead."""


class HandshakeUnclear(BridgeError):
    """The partner's answer was lost: it may have done its part. The text says where that leaves both sides."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A registration that ended here. `not_told`: why the partner could not be asked to end it too, None where it was."""

    committed: Committed
    not_told: str | None


@dataclass(frozen=True, slots=True)
class Handshakes:
    """The handshakes of one deployment. `platform` makes the client that calls partners, when it is first needed."""

    registrations: RegistrationStore
    secrets: PartnerSecrets
    own: OwnPlatform
    platform: Callable[[], HttpPartnerPlatform]
    allow_loopback: bool = False
    clock: Clock = field(default_factory=SystemClock)

    @classmethod
    def on_aws(
        cls,
        dynamodb: "DynamoDBClient",
        table: str,
        secrets_manager: "SecretsManagerClient",
        prefix: str,
        *,
        own: OwnPlatform,
        allow_loopback: bool,
        ca_file: Path | None,
    ) -> Self:
        """Over a deployment's registry and secrets. `allow_loopback`, `ca_file`: see `guarded_partner_platform`."""
        return cls(
            DynamoRegistrations(dynamodb, table),
            SecretsManagerPartnerSecrets(lambda: secrets_manager, prefix),
            own,
            lambda: guarded_partner_platform(allow_loopback=allow_loopback, extra_ca_file=ca_file),
            allow_loopback,
        )

    def known(self, partner_id: str) -> Partner:
        """The partner's entry. Raises UnknownEntity."""
        standing = self.registrations.standing(partner_id)
        if standing is None:
            raise UnknownEntity("partner", partner_id)
        return standing.partner

    def invite(self, partner: Partner) -> str:
        """Makes the entry and the registration token with which the partner registers at us.

        Raises HandshakeRefused, RegistrationRefused or Contended.
        """
        _check_auth(partner)
        return InvitePartner(self.registrations, self.clock)(partner)

    def register(self, partner: Partner, versions_url: str, token: str) -> Committed:
        """Registers us at the partner with its registration token.

        Raises HandshakeRefused, HandshakeUnclear, or as OutboundRegistration; nothing is left here then.
        """
        _check_auth(partner)
        if not is_token(token):
            problem = f"a registration token has 1 to {TOKEN_MAX_LENGTH} printable characters and no spaces"
            raise HandshakeRefused(f"{problem} (OCPI 7.3.1)")
        try:
            with self._outbound() as outbound:
                return outbound.register(partner, versions_url, token)
        except PlatformUnusable as error:
            if not error.unclear:
                raise
            raise HandshakeUnclear(
                f"{error}\nThe partner may have registered us all the same. Nothing is left of it here: "
                "ask the partner to end it, and for a new registration token."
            ) from error

    def rotate(self, partner_id: str) -> Committed:
        """Renews the credentials of both sides. Raises HandshakeUnclear, or as OutboundRegistration."""
        try:
            with self._outbound() as outbound:
                return outbound.rotate(partner_id)
        except PlatformUnusable as error:
            if not error.unclear:
                raise
            raise HandshakeUnclear(
                f"{error}\nThe partner may have switched to its new token all the same, so it may use either. "
                f"Rotate again: bridge partner rotate {partner_id}"
            ) from error

    def unregister(self, partner_id: str) -> Ended:
        """Ends a registration or an invitation here, whether or not the partner can be asked to end it too.

        Raises UnknownEntity, HandshakeRefused or Contended.
        """
        partner, not_told = self.known(partner_id), None
        if partner.registration is Registration.STATIC:
            problem = f"partner {partner_id!r} was added without a handshake"
            raise HandshakeRefused(f"{problem}; `bridge partner remove {partner_id}` removes it")
        if partner.registration is Registration.REGISTERED:
            with self._outbound() as outbound:
                not_told = outbound.unregister(partner_id)
        # Read after the call: the partner may have answered with a DELETE of its own.
        standing = self.registrations.standing(partner_id)
        if standing is None:
            raise UnknownEntity("partner", partner_id)
        return Ended(EndRegistration(self._commit())(standing), not_told)

    @contextmanager
    def _outbound(self) -> Iterator[OutboundRegistration]:
        with closing(self.platform()) as platform:
            discover = DiscoverPlatform(platform, self.clock, self.allow_loopback)
            yield OutboundRegistration(discover, platform, self.registrations, self._commit(), self.own, self.clock)

    def _commit(self) -> CommitRegistration:
        return CommitRegistration(self.registrations, self.secrets)


def _check_auth(partner: Partner) -> None:
    if partner.auth is not OutboundAuth.OCPI_TOKEN:
        problem = f"a handshake gives us an OCPI token, and the file says auth {partner.auth.value!r}"
        raise HandshakeRefused(f"{problem}; `bridge partner add` adds a partner without a handshake")
