"""A partner pairs a charge point with its customer, by the code that the driver has from the CPO."""

from ocpi_bridge.domain.pairing import CodeUnknown, TooManyAttempts, code_hash, seconds_until_next_window
from ocpi_bridge.domain.stations import Evse
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.pairing import PairingStore


@dataclass(frozen=True, slots=True)
class PairDriver:
    """Redeems codes: each once, and for a partner whose pairing is switched on."""

    store: PairingStore
    clock: Clock

    def __call__(self, partner_id: str, code: str) -> Evse:
        """The EVSE that the code is for; from now on the partner may steer what the code grants.

        An attempt is counted before the code is looked at, and given back by success: guesses that come all at once
        are bounded like those that come in turn. Raises CodeUnknown, also for a partner that does not pair or is not
        connected; TooManyAttempts; RegistrationRefused when the registry cannot take the assignment; Contended.
        """
        now = self.clock.now()
        partner = self.store.partner(partner_id)
        if partner is None or not partner.connected or partner.pairing is None:
            raise CodeUnknown
        if not self.store.count_attempt(partner_id, now):
            raise TooManyAttempts(seconds_until_next_window(now))
        found = self.store.code(code_hash(code))
        if found is None or not found.opens(partner_id, now):
            raise CodeUnknown
        evse = self.store.evse(found.grant.evse_uid)
        if evse is None:
            # It was taken down since the code was made: there is nothing to pair any more.
            raise CodeUnknown
        self.store.redeem(found, found.grant.assignment(partner_id, found.ending, now), now)
        return evse
