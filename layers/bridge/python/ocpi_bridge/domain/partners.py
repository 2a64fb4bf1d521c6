"""Partners: the Smart Charging Service Providers that see and steer sessions, and how they and we reach each other."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Party:
    """An OCPI party: ISO 3166 country code and party id, compared without case (CiString)."""

    country_code: str
    party_id: str

    def is_same(self, other: "Party") -> bool:
        """Whether both name one party."""
        return (self.country_code.casefold(), self.party_id.casefold()) == (
            other.country_code.casefold(),
            other.party_id.casefold(),
        )


class TokenEncoding(StrEnum):
    """How the token stands in the Authorization header that we send: Base64 by 4.1.1, plain for older peers."""

    BASE64 = "base64"
    PLAIN = "plain"


class Registration(StrEnum):
    """How far the registration of a partner is (OCPI 7)."""

    STATIC = "static"  # no handshake: endpoints and tokens come from the operator
    INVITED = "invited"  # the partner has a registration token and nothing else
    REGISTERED = "registered"  # by the handshake, whoever began it
    LEFT = "left"  # it, or the operator, ended it: no automated traffic

    @property
    def connected(self) -> bool:
        """Whether the partner may call functional modules and be called."""
        return self in {Registration.STATIC, Registration.REGISTERED}


class OutboundAuth(StrEnum):
    """How we authenticate at the partner's interfaces."""

    OCPI_TOKEN = "ocpi_token"  # Authorization: Token (4.1.2)
    BEARER = "bearer"  # Authorization: Bearer with a token that does not change by itself
    OAUTH2 = "oauth2_client_credentials"  # Authorization: Bearer with an access token (RFC 6749, 4.4)


@dataclass(frozen=True, slots=True)
class OAuth2Client:
    """We as a client of the partner's authorization server; the client secret and the API key are kept as secrets.

    `api_key_header` names the header for the API key that goes beside the access token, None where there is none.
    """

    token_url: str
    client_id: str
    audience: str | None = None
    scope: str | None = None
    api_key_header: str | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairing of drivers' charge points with the partner's customers by a code, as Jedlix does it.

    `url` is the partner's endpoint for codes that the driver has from the partner; None where it has none.
    """

    url: str | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `burst` requests at once, one more every `seconds_per_request` seconds."""

    burst: int
    seconds_per_request: Decimal


# A PUT follows every session update that we push (Jedlix); pushes are minutes apart, so this is generous.
DEFAULT_RATE = Rate(burst=10, seconds_per_request=Decimal(10))
# A DELETE may be the driver's boost, so it has a bucket of its own that is hard to empty.
DEFAULT_CLEAR_RATE = Rate(burst=30, seconds_per_request=Decimal(2))


# Seconds. Of what moves each minute a partner plans nothing; a change of anything else does not wait for it.
DEFAULT_METER_PUSH_INTERVAL = 300

# Long enough for a partner that is away for a while, short enough for a driver who needs the car in the morning.
FAIL_SAFE_SECONDS = 7200


@dataclass(frozen=True, slots=True)
class Partner:
    """An SCSP. Endpoint URLs are those of its own interfaces; None where it has none.

    `party` is who we speak to; `parties` are all that share the partner's token. `callback_hosts` are exact host names,
    or suffixes that begin with a dot (`.jedlix.com`); beside them and the hosts of its endpoints no host is ever called
    for this partner. `meter_push_interval` (s) is the least time between two pushes that only move the meter.

    `version` is the OCPI version that both speak. `credential` names the secret that we present, so that a new one is
    in use at the moment when this entry says so; empty is the partner's first one. `accepts_bearer`: its calls may
    carry our token as `Bearer`. `pairing` is None where it is switched off. `fail_safe` (s) is how long a plan that ends
    in a pause outlasts the beginning of that pause when nobody renews it; None where such plans stay for ever.
    """

    partner_id: str
    name: str
    party: Party
    callback_hosts: tuple[str, ...]
    sessions_url: str | None = None
    charging_profiles_url: str | None = None
    token_encoding: TokenEncoding = TokenEncoding.BASE64
    rate: Rate = DEFAULT_RATE
    clear_rate: Rate = DEFAULT_CLEAR_RATE
    meter_push_interval: int = DEFAULT_METER_PUSH_INTERVAL
    registration: Registration = Registration.STATIC
    versions_url: str | None = None
    version: str = "2.2.1"
    parties: tuple[Party, ...] = ()
    credential: str = ""
    auth: OutboundAuth = OutboundAuth.OCPI_TOKEN
    oauth2: OAuth2Client | None = None
    accepts_bearer: bool = False
    pairing: Pairing | None = None
    fail_safe: int | None = FAIL_SAFE_SECONDS

    @property
    def connected(self) -> bool:
        """Whether the partner may call functional modules and be called."""
        return self.registration.connected

    @property
    def secret_name(self) -> str:
        """The secret that we present to the partner, below the stage's folder."""
        return f"partners/{self.partner_id}" + (f"/{self.credential}" if self.credential else "")


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when a partner answers nothing, and until when no push calls it (docs/decisions/0029)."""

    since: datetime
    until: datetime
