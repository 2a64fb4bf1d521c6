"""Secrets, read and kept for a while."""

from dataclasses import field
from typing import Protocol

from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class PartnerSecret:
    """What we show a partner to be let in; which of these there are follows from the partner's `auth`.

    `token` is the credentials token (OCPI 7.3.1) or a static bearer token. `client_secret` is for the partner's
    authorization server and nobody else; `api_key` goes beside the access token that it buys.
    """

    token: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CsmsSecrets:
    """The secrets shared with one CSMS: the key of its event signatures, and our credential at its API."""

    event_key: str = field(repr=False)
    api_credential: str | None = field(default=None, repr=False)


class SecretStore(Protocol):
    """Reads secrets and keeps them in memory for a while; `fresh` reads again."""

    def partner_secret(self, partner: Partner, *, fresh: bool = False) -> PartnerSecret:
        """What we show the partner, by the name in its entry (`secret_name`). Raises UnknownEntity."""

    def csms_secrets(self, csms_id: str, *, fresh: bool = False) -> CsmsSecrets:
        """The secrets shared with the CSMS. Raises UnknownEntity."""

    def callback_signing_key(self) -> bytes:
        """The key that signs the callback URLs given to CSMSs."""
