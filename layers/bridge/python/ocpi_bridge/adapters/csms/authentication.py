"""How we authenticate at a CSMS's API: the headers that its `auth` asks for, from our secrets.

The credential of a CSMS is one secret, its `api_credential`: a token (bearer), the value of a header, `user:password`
(basic) or the client secret (OAuth 2.0). It goes to the CSMS's base URL, a client secret to its `token_url`, and
neither follows a redirect.
"""

import base64
from collections.abc import Mapping
from datetime import datetime

from ocpi_bridge.adapters.bounded_http.exchange import HttpExchange
from ocpi_bridge.adapters.partner_http.authorization import bearer
from ocpi_bridge.adapters.partner_http.oauth2 import AccessTokens, TokenRefused
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.stations import Csms, CsmsAuth
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.secrets import SecretStore


class CsmsAuthenticator:
    """Makes the headers of one call. Access tokens are kept in memory, one for each CSMS."""

    def __init__(self, secrets: SecretStore, clock: Clock, http: HttpExchange, *, allow_loopback: bool) -> None:
        self._secrets = secrets
        # Authorization servers are asked as those of partners are: https, by a name, no redirect.
        self._access_tokens = AccessTokens(http, clock, allow_loopback=allow_loopback)

    def headers(self, csms: Csms, end: datetime, *, renew: bool = False) -> Mapping[str, str]:
        """The headers; an access token that must be fetched first is not waited for beyond `end`.

        `renew`, after a 401: the secret is read again, and an access token that was kept is not used any more. Raises
        InvalidInput where the registry's entry or the secret lacks something, TokenRefused where the authorization
        server gives no token; errors of the secret store's service are passed on.
        """
        if csms.auth is CsmsAuth.NONE:
            return {}
        credential = self._credential(csms, fresh=renew)
        match csms.auth:
            case CsmsAuth.HEADER:
                return {csms.auth_header: credential}
            case CsmsAuth.BASIC:
                return {"Authorization": _basic(csms, credential)}
            case CsmsAuth.OAUTH2:
                if renew:
                    self._access_tokens.forget(csms.csms_id)
                return self._with_access_token(csms, credential, end, read_again=not renew)
            case _:
                return {"Authorization": bearer(credential)}

    def _with_access_token(
        self, csms: Csms, client_secret: str, end: datetime, *, read_again: bool
    ) -> Mapping[str, str]:
        if csms.oauth2 is None:
            raise InvalidInput("oauth2", f"is missing: auth {csms.auth.value!r} needs it")
        try:
            token = self._access_tokens.get(csms.csms_id, csms.oauth2, client_secret, end)
        except TokenRefused as refused:
            newest = self._credential(csms, fresh=True) if refused.by_credentials and read_again else client_secret
            if newest == client_secret:
                raise
            return self._with_access_token(csms, newest, end, read_again=False)
        return {"Authorization": bearer(token)}

    def _credential(self, csms: Csms, *, fresh: bool) -> str:
        credential = self._secrets.csms_secrets(csms.csms_id, fresh=fresh).api_credential
        if credential is None:
            raise InvalidInput("api_credential", f"is missing in the secret of CSMS {csms.csms_id}")
        return credential


def _basic(csms: Csms, credential: str) -> str:
    """RFC 7617 (2): a user has no colon, a password may have some."""
    if ":" not in credential:
        raise InvalidInput("api_credential", f"of CSMS {csms.csms_id} must be user:password")
    return f"Basic {base64.b64encode(credential.encode()).decode('ascii')}"
