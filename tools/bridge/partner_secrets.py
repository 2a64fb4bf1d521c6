"""What we show a partner: what an operator gives must be what the partner's `auth` asks for, all of it and no more."""

from ocpi_bridge.adapters.partner_http.authorization import MAX_BEARER_LENGTH, is_bearer_token
from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.partners import OutboundAuth, Partner
from ocpi_bridge.domain.tokens import TOKEN_MAX_LENGTH, is_token
from ocpi_bridge.ports.secrets import PartnerSecret

NOTHING = PartnerSecret()

# Of a client secret and an API key; those in use have some 100. It bounds a file that was named by mistake.
MAX_SECRET_LENGTH = 1_024


class SecretRefused(BridgeError):
    """A secret does not fit the partner's `auth`; the text says which, why and what to give instead, and no secret."""


def complete(partner: Partner, given: PartnerSecret, present: PartnerSecret = NOTHING) -> PartnerSecret | None:
    """What is to be kept for the partner: what is given, and for the rest what is there (`present`).

    None where there is nothing yet, so nothing can be delivered. Raises SecretRefused, also where what is there belongs
    to another `auth` and nothing is given in its place.
    """
    whole = _oauth2(partner, given, present) if partner.auth is OutboundAuth.OAUTH2 else _token(partner, given, present)
    if whole is None and present != NOTHING:
        raise SecretRefused(
            f"the file says auth {partner.auth.value!r}, and what is kept for it is for another; {how_to_give(partner)}"
        )
    return whole


def how_to_give(partner: Partner) -> str:
    """The options that give what the partner's `auth` asks for."""
    if partner.auth is not OutboundAuth.OAUTH2:
        return "give the token by --present-token"
    if partner.oauth2 is not None and partner.oauth2.api_key_header is not None:
        return "give the client secret by --client-secret and the API key by --api-key"
    return "give the client secret by --client-secret"


def _token(partner: Partner, given: PartnerSecret, present: PartnerSecret) -> PartnerSecret | None:
    if given.client_secret is not None or given.api_key is not None:
        raise SecretRefused(
            f"the file says auth {partner.auth.value!r}, so there is neither a client secret nor an API key; "
            f"{how_to_give(partner)}"
        )
    token = given.token if given.token is not None else present.token
    if token is None:
        return None
    if partner.auth is OutboundAuth.BEARER and not is_bearer_token(token):
        length = f"1 to {MAX_BEARER_LENGTH}"
        raise SecretRefused(f"the bearer token to present must have {length} printable characters and no spaces")
    if partner.auth is OutboundAuth.OCPI_TOKEN and not is_token(token):
        problem = f"the token to present must have 1 to {TOKEN_MAX_LENGTH} printable characters and no spaces"
        raise SecretRefused(f"{problem} (OCPI 7.3.1)")
    return PartnerSecret(token)


def _oauth2(partner: Partner, given: PartnerSecret, present: PartnerSecret) -> PartnerSecret | None:
    if given.token is not None:
        raise SecretRefused(
            f"the file says auth {partner.auth.value!r}, so there is no token to give; {how_to_give(partner)}"
        )
    header = partner.oauth2.api_key_header if partner.oauth2 is not None else None
    if header is None and given.api_key is not None:
        raise SecretRefused("the file names no api_key_header, so there is no API key to give")
    client_secret = given.client_secret if given.client_secret is not None else present.client_secret
    api_key = given.api_key if given.api_key is not None else present.api_key
    if client_secret is None and given.api_key is None:
        return None
    if client_secret is None:
        raise SecretRefused("an API key is of no use alone: give the client secret by --client-secret, too")
    if header is None:
        return PartnerSecret(client_secret=_checked("client secret", client_secret))
    if api_key is None:
        raise SecretRefused(f"the file names the api_key_header {header!r}: give the API key by --api-key, too")
    return PartnerSecret(client_secret=_checked("client secret", client_secret), api_key=_checked("API key", api_key))


def _checked(what: str, secret: str) -> str:
    if not 0 < len(secret) <= MAX_SECRET_LENGTH or not (secret.isascii() and secret.isprintable()):
        raise SecretRefused(f"the {what} must have 1 to {MAX_SECRET_LENGTH} printable ASCII characters")
    return secret
