"""What the credentials endpoint is made of."""

from ocpi_bridge.adapters.dynamodb.registrations import DynamoRegistrations
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_platform
from ocpi_bridge.adapters.secrets.partner_secrets import SecretsManagerPartnerSecrets
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.url_guard.urls import host_of
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.credentials import Credentials, check_call, own_credentials, presented_token
from ocpi_bridge.ocpi.transport import TransportError
from ocpi_bridge.ocpi.versions import version_in, versions_url
from ocpi_bridge.ports.credentials import RegistrationStore, Standing
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.ocpi_door import PartnerCall
from ocpi_bridge.runtime.settings import Settings, variable
from ocpi_bridge.runtime.wiring.ocpi import OcpiModule, ocpi_module
from ocpi_bridge.usecases.accept_registration import AcceptRegistration
from ocpi_bridge.usecases.commit_registration import CommitRegistration, Committed
from ocpi_bridge.usecases.discover_platform import DiscoverPlatform
from ocpi_bridge.usecases.end_registration import EndRegistration


@dataclass(frozen=True, slots=True)
class Registrant:
    """Who calls: the partner's registration as it is now, and the token that was presented."""

    standing: Standing
    token: AcceptedToken


@dataclass(frozen=True, slots=True)
class CredentialsEndpoint(OcpiModule):
    """The credentials endpoint (OCPI 7.2) of all versions."""

    registrations: RegistrationStore
    accept: AcceptRegistration
    end: EndRegistration
    own: OwnPlatform

    def registrant(self, call: PartnerCall) -> Registrant:
        """Who calls, if the call fits the registration. Raises TransportError: 401 or 405, before the body is read."""
        standing = self.registrations.standing(call.caller.partner_id) if call.caller.partner_id else None
        known = standing.tokens if standing is not None else ()
        token = next(
            (one for one in known if call.caller.token and one.token_hash == call.caller.token.token_hash), None
        )
        if standing is None or token is None:
            # It ended since the door looked at it.
            raise TransportError(401, "unknown token")
        check_call(call.request.method, token, standing.partner, self.clock.now())
        return Registrant(standing, token)

    def show(self, call: PartnerCall, registrant: Registrant) -> JsonObject:
        """Our Credentials with the token that was presented: it is the one that the caller is to present (7.2.1)."""
        return own_credentials(presented_token(call.request, registrant.token), self.own, self.registrations.parties())

    def register(self, call: PartnerCall, registrant: Registrant) -> JsonObject:
        """Registers the partner, or renews its registration; our Credentials with the token that is new (7.2.2, 7.2.3)."""
        version = version_in(call.request.path)
        if version is None:
            raise TransportError(404, "no version that is served")
        given = Credentials.parse(call.request)
        # Before the commit: whatever fails after it costs the partner its answer.
        parties = self.registrations.parties()
        accepted = self.accept(registrant.standing, registrant.token, version, given)
        _log("partner.registered", accepted.committed)
        return own_credentials(accepted.token, self.own, parties)

    def leave(self, registrant: Registrant) -> None:
        """Ends the registration (7.2.4)."""
        _log("partner.left", self.end(registrant.standing))


def credentials() -> CredentialsEndpoint:
    """The credentials endpoint."""
    settings, module = Settings(), ocpi_module()
    registrations = DynamoRegistrations(clients.dynamodb(), variable("REGISTRY_TABLE"))
    secrets = SecretsManagerPartnerSecrets(clients.secrets_manager, variable("SECRETS_PREFIX"))
    commit = CommitRegistration(registrations, secrets)
    discover = DiscoverPlatform(
        platform=guarded_partner_platform(allow_loopback=settings.is_local),
        clock=module.clock,
        allow_loopback_http=settings.is_local,
    )
    return CredentialsEndpoint(
        callers=module.callers,
        clock=module.clock,
        party=module.party,
        registrations=registrations,
        accept=AcceptRegistration(discover, commit, module.clock),
        end=EndRegistration(commit),
        own=OwnPlatform(versions_url(variable("OCPI_API_URL")), module.party, variable("OCPI_BUSINESS_NAME")),
    )


def _log(message: str, committed: Committed) -> None:
    partner = committed.partner
    about = {"partner_id": partner.partner_id, "version": partner.version, "host": host_of(partner.versions_url or "")}
    logger.info(message, extra=about)
    if committed.leftover is not None:
        # Nobody can use it any more; it costs until somebody deletes it.
        logger.warning("partner.secret_left", extra={"partner_id": partner.partner_id, "reason": committed.leftover})
