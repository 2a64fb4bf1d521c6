"""What platforms tell each other about themselves: versions, endpoints, credentials (OCPI 6 and 7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from tools.partner_simulator.datatypes import CountryCode, PartyId, Text
from tools.partner_simulator.models import OcpiObject
from tools.partner_simulator.transport import Party

CREDENTIALS = "credentials"
SESSIONS = "sessions"
CHARGING_PROFILES = "chargingprofiles"


class OcpiVersion(StrEnum):
    """The versions that have charging profiles as this partner knows them, oldest first."""

    V221 = "2.2.1"
    V230 = "2.3.0"

    @property
    def extra(self) -> Literal["forbid", "ignore"]:
        """What becomes of fields nobody defined: 2.3.0 forbids to refuse them (4.1), before a test wants to see them."""
        return "forbid" if self is OcpiVersion.V221 else "ignore"


def _absolute(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an absolute URL")
    return url


def _once(roles: list["CredentialsRole"]) -> list["CredentialsRole"]:
    keys = [(role.role, role.country_code.casefold(), role.party_id.casefold()) for role in roles]
    if len(set(keys)) != len(keys):
        raise ValueError("a role stands there twice")
    return roles


Url = Annotated[str, Field(max_length=255), AfterValidator(_absolute)]
TokenText = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$", repr=False)]
Name = Annotated[str, Field(min_length=1, max_length=100)]


class Version(OcpiObject):
    """6.1.3."""

    version: Name
    url: Url


class Endpoint(OcpiObject):
    """6.2.3; the role of credentials has no meaning."""

    identifier: Name
    role: Literal["SENDER", "RECEIVER"]
    url: Url


class VersionDetails(OcpiObject):
    """6.2.2, with no module twice in one role, and credentials once."""

    version: Name
    endpoints: Annotated[list[Endpoint], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_each_once(self) -> Self:
        keys = [(one.identifier, "" if one.identifier == CREDENTIALS else one.role) for one in self.endpoints]
        if len(set(keys)) != len(keys):
            raise ValueError("a module stands there twice")
        return self

    def url_of(self, identifier: str, role: str | None = None) -> str | None:
        """Where a module is served, in any role when none is given."""
        return next(
            (one.url for one in self.endpoints if one.identifier == identifier and role in {None, one.role}), None
        )


class BusinessDetails(OcpiObject):
    """7.4.2, as much of it as a platform needs."""

    name: Name
    website: Text | None = None
    logo: object = None


class CredentialsRole(OcpiObject):
    """7.3.2."""

    role: Literal["CPO", "EMSP", "HUB", "NAP", "NSP", "OTHER", "SCSP"]
    business_details: BusinessDetails
    party_id: PartyId
    country_code: CountryCode

    @property
    def party(self) -> Party:
        """Who has the role."""
        return Party(self.country_code, self.party_id)


class PlatformCredentials(OcpiObject):
    """Credentials (7.3.1): the token to call a platform with, its versions endpoint, who is behind it."""

    token: TokenText
    url: Url
    roles: Annotated[list[CredentialsRole], Field(min_length=1), AfterValidator(_once)]

    def parties(self, role: str) -> tuple[Party, ...]:
        """Who has a role, in the order of the list."""
        return tuple(one.party for one in self.roles if one.role == role)


@dataclass(frozen=True, slots=True)
class BridgeEndpoints:
    """Where the bridge serves one version; `versions` and `credentials` are None without a handshake."""

    version: OcpiVersion
    sessions: str
    charging_profiles: str
    credentials: str | None = None
    versions: str | None = None

    @classmethod
    def below(cls, base_url: str, version: OcpiVersion) -> Self:
        """The addresses of a bridge that was agreed on without a handshake, by its base URL."""
        base = f"{base_url.rstrip('/')}/ocpi/{version}"
        return cls(version, f"{base}/{SESSIONS}", f"{base}/{CHARGING_PROFILES}")


def newest(versions: Iterable[OcpiVersion]) -> OcpiVersion | None:
    """The newest of some versions, None of none."""
    known = list(OcpiVersion)
    return max(versions, key=known.index, default=None)
