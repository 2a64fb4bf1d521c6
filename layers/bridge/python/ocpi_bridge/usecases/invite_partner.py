"""An operator invites a partner to register (OCPI 7.1.1): an entry, and the token with which the handshake begins."""

from dataclasses import replace

from ocpi_bridge.domain.errors import Contended, InvalidInput
from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, new_token, token_hash
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.credentials import RegistrationStore


@dataclass(frozen=True, slots=True)
class InvitePartner:
    """Invites partners that are not connected, again and again if need be."""

    registrations: RegistrationStore
    clock: Clock

    def __call__(self, partner: Partner) -> str:
        """Makes the entry; gives the registration token, which is stored as a hash only. An earlier one ends.

        Raises RegistrationRefused where the partner is connected already, or Contended.
        """
        before = self.registrations.standing(partner.partner_id)
        if before is not None and before.partner.connected:
            problem = f"partner {partner.partner_id!r} is connected already ({before.partner.registration})"
            raise RegistrationRefused([InvalidInput("partner_id", problem)])
        token = new_token()
        made = AcceptedToken(
            token_hash(token),
            partner.partner_id,
            partner.party,
            self.clock.now(),
            use=TokenUse.REGISTRATION,
            bearer=partner.accepts_bearer,
        )
        if not self.registrations.commit(before, replace(partner, registration=Registration.INVITED), (made,)):
            raise Contended("somebody else changed this partner at the same time; invite it again")
        return token
