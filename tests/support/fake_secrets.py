"""A secret store in memory. Like the real one it keeps what it read until somebody asks afresh."""

from collections.abc import Mapping
from typing import TypeVar

from ocpi_bridge.domain.errors import UnknownEntity
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.ports.secrets import CsmsSecrets, PartnerSecret

_Secret = TypeVar("_Secret", PartnerSecret, CsmsSecrets)


class InMemorySecretStore:
    """`partners` (by the name of the secret), `csms` and `signing_key` are what stands in the vault.

    `reads` are the names fetched from it.
    """

    def __init__(self) -> None:
        self.partners: dict[str, PartnerSecret] = {}
        self.csms: dict[str, CsmsSecrets] = {}
        self.signing_key: bytes | None = None
        self.reads: list[str] = []
        self._kept_partners: dict[str, PartnerSecret] = {}
        self._kept_csms: dict[str, CsmsSecrets] = {}

    def partner_secret(self, partner: Partner, *, fresh: bool = False) -> PartnerSecret:
        name = partner.secret_name
        if fresh or name not in self._kept_partners:
            self._kept_partners.pop(name, None)
            self._kept_partners[name] = self._fetch(self.partners, name, name)
        return self._kept_partners[name]

    def csms_secrets(self, csms_id: str, *, fresh: bool = False) -> CsmsSecrets:
        if fresh or csms_id not in self._kept_csms:
            self._kept_csms.pop(csms_id, None)
            self._kept_csms[csms_id] = self._fetch(self.csms, csms_id, f"csms/{csms_id}")
        return self._kept_csms[csms_id]

    def callback_signing_key(self) -> bytes:
        if self.signing_key is None:
            raise UnknownEntity("secret", "callback-signing")
        return self.signing_key

    def _fetch(self, vault: Mapping[str, _Secret], key: str, name: str) -> _Secret:
        self.reads.append(name)
        if key not in vault:
            raise UnknownEntity("secret", name)
        return vault[key]
