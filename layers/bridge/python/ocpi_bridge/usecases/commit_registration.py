"""The commit of a handshake: secret first, then the registry in one transaction, then the former secret goes.

At no moment does the registry name a secret that is not there, and no failure leaves a new one behind (decision 8).
"""

import secrets as random
from collections.abc import Sequence
from dataclasses import replace

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.credentials import PartnerSecrets, RegistrationStore, Standing

# Tells the secrets of one partner apart; the name is no secret itself.
_CREDENTIAL_BYTES = 8


@dataclass(frozen=True, slots=True)
class Committed:
    """A partner's entry as it is now. `leftover` names a secret that is of no use any more and could not be removed."""

    partner: Partner
    leftover: str | None = None


@dataclass(frozen=True, slots=True)
class CommitRegistration:
    """Writes what a handshake led to."""

    registrations: RegistrationStore
    secrets: PartnerSecrets

    def with_secret(
        self, before: Standing | None, partner: Partner, tokens: Sequence[AcceptedToken], present: str
    ) -> Committed:
        """Makes the entry `partner` under a new credential that holds the token `present`, its tokens exactly `tokens`.

        Raises Contended when somebody else changed the partner since `before` was read; nothing is left then.
        """
        partner = replace(partner, credential=random.token_hex(_CREDENTIAL_BYTES))
        self.secrets.put(partner.secret_name, present)
        try:
            self.write(before, partner, tokens)
        except Exception:
            # The answer alone may have been lost; then the partner is registered, and its secret must stay.
            if not self._is_in_use(partner):
                self.secrets.remove(partner.secret_name)
                raise
        return self._without_former_secret(before, partner)

    def without_secret(self, before: Standing, partner: Partner, tokens: Sequence[AcceptedToken]) -> Committed:
        """Makes the entry `partner`, which presents nothing any more, and its tokens exactly `tokens`.

        Raises Contended when somebody else changed the partner since `before` was read.
        """
        self.write(before, partner, tokens)
        return self._without_former_secret(before, partner)

    def write(self, before: Standing | None, partner: Partner, tokens: Sequence[AcceptedToken]) -> None:
        """Makes the entry `partner`, which presents what it presented before, and its tokens exactly `tokens`.

        Raises Contended when somebody else changed the partner since `before` was read.
        """
        if not self.registrations.commit(before, partner, tokens):
            raise Contended(
                "somebody else changed this registration at the same time; nothing was changed by this call"
            )

    def _is_in_use(self, partner: Partner) -> bool:
        """Whether the registry names the new secret."""
        standing = self.registrations.standing(partner.partner_id)
        return standing is not None and standing.partner.credential == partner.credential

    def _without_former_secret(self, before: Standing | None, partner: Partner) -> Committed:
        if before is None or not before.partner.connected:
            return Committed(partner)
        former = before.partner.secret_name
        return Committed(partner, None if self.secrets.remove(former) else former)
