"""Secrets, read and kept for a while."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CsmsSecrets:
    """The secrets shared with one CSMS: the key of its event signatures, and our credential at its API."""

    event_key: str = field(repr=False)
    api_credential: str | None = field(default=None, repr=False)


class SecretStore(Protocol):
    """Reads secrets and keeps them in memory for a while; `fresh` reads again."""

    def partner_token(self, partner_id: str, *, fresh: bool = False) -> str:
        """The token that we present to the partner. Raises UnknownEntity."""

    def csms_secrets(self, csms_id: str, *, fresh: bool = False) -> CsmsSecrets:
        """The secrets shared with the CSMS. Raises UnknownEntity."""

    def callback_signing_key(self) -> bytes:
        """The key that signs the callback URLs given to CSMSs."""
