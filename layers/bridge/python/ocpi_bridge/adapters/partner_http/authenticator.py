"""How we authenticate at a partner's interfaces: the headers that its `auth` asks for, from our secrets."""

from collections.abc import Mapping
from datetime import datetime

from ocpi_bridge.adapters.partner_http.authorization import authorization, bearer
from ocpi_bridge.adapters.partner_http.oauth2 import AccessTokens, TokenRefused
from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.partners import OutboundAuth, Partner
from ocpi_bridge.ports.partners import Receipt
from ocpi_bridge.ports.secrets import PartnerSecret, SecretStore


class NotAuthenticated(Exception):
    """We have nothing to show; `receipt` is that of the call that needs it."""

    def __init__(self, receipt: Receipt) -> None:
        self.receipt = receipt
        super().__init__(receipt.error)


class Authenticator:
    """Makes the headers of one call. They are for the partner's hosts and no other."""

    def __init__(self, secrets: SecretStore, access_tokens: AccessTokens) -> None:
        self._secrets = secrets
        self._access_tokens = access_tokens

    def headers(self, partner: Partner, end: datetime, *, renew: bool = False) -> Mapping[str, str]:
        """The headers; a token that must be fetched first is not waited for beyond `end`.

        `renew`, after a 401: the secret is read again, and an access token that was kept is not used any more. Raises
        NotAuthenticated.
        """
        secret = self._secret(partner, fresh=renew)
        if partner.auth is OutboundAuth.OAUTH2:
            if renew:
                self._access_tokens.forget(partner.partner_id)
            return self._with_access_token(partner, secret, end, read_again=not renew)
        assert secret.token is not None
        if partner.auth is OutboundAuth.BEARER:
            return {"Authorization": bearer(secret.token)}
        return {"Authorization": authorization(secret.token, partner.token_encoding)}

    def _with_access_token(
        self, partner: Partner, secret: PartnerSecret, end: datetime, *, read_again: bool
    ) -> Mapping[str, str]:
        client = partner.oauth2
        assert client is not None
        assert secret.client_secret is not None
        try:
            token = self._access_tokens.get(partner.partner_id, client, secret.client_secret, end)
        except TokenRefused as refused:
            newest = self._secret(partner, fresh=True) if refused.by_credentials and read_again else secret
            if newest.client_secret == secret.client_secret:
                raise NotAuthenticated(refused.receipt) from refused
            return self._with_access_token(partner, newest, end, read_again=False)
        headers = {"Authorization": bearer(token)}
        if client.api_key_header is not None and secret.api_key is not None:
            headers[client.api_key_header] = secret.api_key
        return headers

    def _secret(self, partner: Partner, *, fresh: bool) -> PartnerSecret:
        """The secret, with all that `auth` asks for; read again where it lacks something: the entry may be newer."""
        try:
            secret = self._secrets.partner_secret(partner, fresh=fresh)
        except UnknownEntity:
            raise NotAuthenticated(Receipt(delivered=False, error="no_token")) from None
        missing = _missing(partner, secret)
        if missing is None:
            return secret
        if fresh:
            raise NotAuthenticated(Receipt(delivered=False, error=missing))
        return self._secret(partner, fresh=True)


def _missing(partner: Partner, secret: PartnerSecret) -> str | None:
    """The error for what `auth` asks for and the secret does not have."""
    if partner.auth is not OutboundAuth.OAUTH2:
        return "no_token" if secret.token is None else None
    if partner.oauth2 is None or secret.client_secret is None:
        return "no_client_secret"
    if partner.oauth2.api_key_header is not None and secret.api_key is None:
        return "no_api_key"
    return None
