"""What handshakes with partners need (OCPI 6, 7): the other side's platform, the registry, and the secrets."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.partners import Partner, Party, TokenEncoding
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class PlatformKey:
    """The token that we present to the other side, and how it stands in the header (4.1.2)."""

    token: str = field(repr=False)
    encoding: TokenEncoding = TokenEncoding.BASE64


@dataclass(frozen=True, slots=True)
class PlatformCall:
    """One request to a configuration module of the other side. `module` names it in errors ("version details").

    The URL was checked: it is as public as its spelling can tell.
    """

    method: str
    module: str
    url: str = field(repr=False)
    key: PlatformKey
    body: JsonObject | None = field(default=None, repr=False)


class PartnerPlatform(Protocol):
    """Calls configuration modules: no routing headers (4.1.8), no redirects, public addresses only."""

    def call(self, call: PlatformCall, budget: float) -> JsonValue:
        """Calls once, within `budget` seconds in all; gives the `data` of a 2xx answer with a 1xxx code.

        Raises PlatformUnusable for everything else that the other side or the network does; TokenRefused for a 401.
        """


@dataclass(frozen=True, slots=True)
class Standing:
    """A partner as the registry knows it: its entry with the entry's version, and the tokens that we accept from it."""

    partner: Partner
    version: int
    tokens: tuple[AcceptedToken, ...]


class RegistrationStore(Protocol):
    """The registry, as handshakes read and change it."""

    def standing(self, partner_id: str) -> Standing | None:
        """The partner and its tokens, or None."""

    def parties(self) -> Sequence[Party]:
        """The parties that the registered CSMSs are operated for, in the order of the CSMSs' ids."""

    def commit(self, before: Standing | None, partner: Partner, tokens: Sequence[AcceptedToken]) -> bool:
        """Makes the entry `partner`, and its tokens exactly these, in one transaction; its sessions are looked at again.

        False, and nothing is written, when the entry changed since `before` was read (None: there was none), or a token
        that stays has ended meanwhile. Raises Contended.
        """

    def reserve(self, token: AcceptedToken, until: datetime) -> None:
        """Accepts a registration token while its handshake goes on; some time after `until` it goes by itself."""

    def release(self, token_hash: str) -> None:
        """Takes a reservation back; a token that `commit` made one for every module stays."""


class PartnerSecrets(Protocol):
    """The secrets that we present to partners, by name (`Partner.secret_name`)."""

    def token(self, name: str) -> str:
        """The token of that name. Raises UnknownEntity."""

    def put(self, name: str, token: str) -> None:
        """Keeps a token under a name that is new."""

    def remove(self, name: str) -> bool:
        """Removes a secret at once, if it is there. False: the service refused; what stays is of no use to anybody."""
