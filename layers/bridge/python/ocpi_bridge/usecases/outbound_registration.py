"""We register at a partner, renew what we have there, or end it (OCPI 7.1): the handshake from the other end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from ocpi_bridge.domain.connections import OwnPlatform, Platform, handover, registered
from ocpi_bridge.domain.errors import BridgeError, Contended, InvalidInput, PlatformUnusable, RegistrationFailed
from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, new_token, token_hash
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ocpi.credentials import Credentials, own_credentials
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.credentials import PartnerPlatform, PlatformCall, PlatformKey, RegistrationStore, Standing
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from ocpi_bridge.usecases.commit_registration import CommitRegistration, Committed
from ocpi_bridge.usecases.discover_platform import DiscoverPlatform

T = TypeVar("T")

# The partner calls us back before it answers (7.1.2), and servers behind a gateway answer within 30 s or not at all.
EXCHANGE_BUDGET = timedelta(seconds=30)
# What an interrupted handshake leaves of the token that it made goes by itself.
RESERVATION = timedelta(hours=1)
# The partner has said yes by then, so its yes is not thrown away because an operator edits the entry meanwhile.
COMMIT_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Found:
    """A partner's platform, and what opens it."""

    platform: Platform
    key: PlatformKey


@dataclass(frozen=True, slots=True)
class OutboundRegistration:
    """Handshakes that we begin. The token that we make for the partner is accepted before it is sent.

    The partner calls us back with it while our own call waits. Until the end it opens configuration modules only.
    """

    discover: DiscoverPlatform
    platform: PartnerPlatform
    registrations: RegistrationStore
    commit: CommitRegistration
    own: OwnPlatform
    clock: Clock

    def register(self, partner: Partner, versions_url: str, registration_token: str) -> Committed:
        """Registers us by a POST, with the partner's registration token, in the newest version that both speak.

        `partner` becomes the entry, with what the handshake adds. Raises RegistrationRefused where it is connected
        already, InvalidInput("versions_url"), RegistrationFailed, Contended; nothing is left of it here then, and
        where only our commit failed the partner is asked to forget us.
        """
        self._not_connected(partner.partner_id)
        self.discover.check_url(versions_url, "versions_url")
        found = self._found(versions_url, PlatformKey(registration_token, partner.token_encoding))
        with self._reserved(partner) as (made, token):
            given = self._exchange("POST", found, token)
            try:
                return self._insist(lambda: self._commit_first(partner, found.platform, given, made))
            except Exception:
                self._forget_us(replace(found, key=replace(found.key, token=given.token)))
                raise

    def rotate(self, partner_id: str) -> Committed:
        """Renews the credentials by a PUT: a new token for the partner, a new one from it, its endpoints read again.

        It goes to the newest version that both speak by then, which is the one in use from then on.
        The partner's former token is valid until its new one is first used. Raises RegistrationRefused where it is not
        registered, RegistrationFailed or Contended; the former credentials stay in use then. A partner whose answer was
        lost may have switched all the same: both its tokens are accepted from then on, and rotating again mends it.
        """
        partner = self._registered(partner_id).partner
        found = self._found(partner.versions_url or "", self._key(partner))
        with self._reserved(partner) as (made, token):
            try:
                given = self._exchange("PUT", found, token)
                return self._insist(lambda: self._commit_renewal(partner_id, found.platform, given, made))
            except Exception as error:
                refused = isinstance(error, PlatformUnusable) and not error.unclear
                if not refused:
                    self._insist(lambda: self._accept_both(partner_id, made))
                raise

    def unregister(self, partner_id: str) -> str | None:
        """Asks the partner by a DELETE to end the registration; why it did not work, None where it did.

        Nothing changes here. Raises RegistrationRefused where the partner is not registered.
        """
        partner = self._registered(partner_id).partner
        try:
            return self._forget_us(self._found(partner.versions_url or "", self._key(partner)))
        except BridgeError as error:
            return str(error)

    def _found(self, versions_url: str, key: PlatformKey) -> _Found:
        platform = self.discover(versions_url, key, versions.VERSIONS, with_credentials=True)
        return _Found(platform, replace(key, encoding=platform.token_encoding))

    def _key(self, partner: Partner) -> PlatformKey:
        return PlatformKey(self.commit.secrets.token(partner.secret_name), partner.token_encoding)

    def _exchange(self, method: str, found: _Found, token: str) -> Credentials:
        """Gives the partner our credentials with the token for it; its own are the answer."""
        answer = self._call(method, found, own_credentials(token, self.own, self.registrations.parties()))
        try:
            return Credentials.read(answer)
        except InvalidInput as error:
            raise PlatformUnusable(f"{method} credentials: in the answer, {error}", unclear=True) from error

    def _call(self, method: str, found: _Found, body: JsonObject | None = None) -> JsonValue:
        call = PlatformCall(method, versions.CREDENTIALS, found.platform.credentials_url, found.key, body)
        return self.platform.call(call, EXCHANGE_BUDGET.total_seconds())

    def _commit_first(self, partner: Partner, platform: Platform, given: Credentials, made: AcceptedToken) -> Committed:
        """Where the partner registered itself meanwhile, it has two tokens now, and the one made here supersedes."""
        before = self.registrations.standing(partner.partner_id)
        if before is not None and before.partner.registration is Registration.STATIC:
            raise _refused(f"partner {partner.partner_id!r} was added without a handshake meanwhile")
        return self._commit(before, partner, platform, given, made)

    def _commit_renewal(
        self, partner_id: str, platform: Platform, given: Credentials, made: AcceptedToken
    ) -> Committed:
        before = self._registered(partner_id)
        return self._commit(before, before.partner, platform, given, made)

    def _commit(
        self, before: Standing | None, partner: Partner, platform: Platform, given: Credentials, made: AcceptedToken
    ) -> Committed:
        entry = registered(partner, platform, given.roles)
        held = before.tokens if before is not None else ()
        tokens = handover(held, replace(made, party=entry.party))
        return self.commit.with_secret(before, entry, tokens, present=given.token)

    def _accept_both(self, partner_id: str, made: AcceptedToken) -> None:
        """Opens every module to the partner's new token too; the former one stays until it is first used."""
        now = self._registered(partner_id)
        self.commit.write(now, now.partner, handover(now.tokens, made))

    def _insist(self, write: Callable[[], T]) -> T:
        """Writes on what the registry has now, and again when somebody else was faster."""
        for _ in range(COMMIT_ATTEMPTS - 1):
            with suppress(Contended):
                return write()
        return write()

    def _forget_us(self, found: _Found) -> str | None:
        try:
            self._call("DELETE", found)
        except RegistrationFailed as error:
            return str(error)
        return None

    @contextmanager
    def _reserved(self, partner: Partner) -> Iterator[tuple[AcceptedToken, str]]:
        """A new token for the partner, accepted at configuration modules at once; afterwards only if it was opened."""
        token, now = new_token(), self.clock.now()
        made = AcceptedToken(
            token_hash(token),
            partner.partner_id,
            partner.party,
            now,
            use=TokenUse.REGISTRATION,
            bearer=partner.accepts_bearer,
        )
        self.registrations.reserve(made, now + RESERVATION)
        try:
            yield made, token
        finally:
            self.registrations.release(made.token_hash)

    def _not_connected(self, partner_id: str) -> None:
        standing = self.registrations.standing(partner_id)
        if standing is not None and standing.partner.connected:
            raise _refused(f"partner {partner_id!r} is connected already ({standing.partner.registration})")

    def _registered(self, partner_id: str) -> Standing:
        standing = self.registrations.standing(partner_id)
        if standing is None or standing.partner.registration is not Registration.REGISTERED:
            raise _refused(f"partner {partner_id!r} is not registered by a handshake")
        return standing


def _refused(problem: str) -> RegistrationRefused:
    return RegistrationRefused([InvalidInput("partner_id", problem)])
