"""A partner registers, or renews its registration (OCPI 7.2.2, 7.2.3): POST and PUT credentials."""

from dataclasses import field

from ocpi_bridge.domain.connections import registered, succession
from ocpi_bridge.domain.tokens import AcceptedToken, new_token, token_hash
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.credentials import Credentials
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.credentials import PlatformKey, Standing
from ocpi_bridge.usecases.commit_registration import CommitRegistration, Committed
from ocpi_bridge.usecases.discover_platform import DiscoverPlatform


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of it: the partner's entry, and the token that it presents from now on."""

    committed: Committed
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AcceptRegistration:
    """Calls the partner back while its own call waits, and commits only what was seen to work."""

    discover: DiscoverPlatform
    commit: CommitRegistration
    clock: Clock

    def __call__(self, standing: Standing, presented: AcceptedToken, version: str, given: Credentials) -> Accepted:
        """Registers the partner in the version whose endpoint it called, with what it gave.

        `presented` is one of the partner's tokens, and it is this one's turn (`domain.connections`): it is valid until
        the new token is first used, so a lost answer is mended by the same call again. Raises InvalidInput("url"),
        RegistrationFailed or Contended; nothing has changed then.
        """
        self.discover.check_url(given.url, "url")
        key = PlatformKey(given.token, standing.partner.token_encoding)
        platform = self.discover(given.url, key, (version,))
        partner = registered(standing.partner, platform, given.roles)
        now, token = self.clock.now(), new_token()
        made = AcceptedToken(token_hash(token), partner.partner_id, partner.party, now, bearer=partner.accepts_bearer)
        return Accepted(
            self.commit.with_secret(standing, partner, succession(presented, made, now), present=given.token), token
        )
