"""Partners: the Smart Charging Service Providers that see and steer sessions, and what they may do."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Party:
    """An OCPI party: ISO 3166 country code and party id, compared without case (CiString)."""

    country_code: str
    party_id: str


class TokenEncoding(StrEnum):
    """How the token stands in the Authorization header that we send: Base64 by 4.1.1, plain for older peers."""

    BASE64 = "base64"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: `burst` requests at once, one more every `seconds_per_request` seconds."""

    burst: int
    seconds_per_request: Decimal


# A PUT follows every session update that we push (Jedlix); pushes are minutes apart, so this is generous.
DEFAULT_RATE = Rate(burst=10, seconds_per_request=Decimal(10))
# A DELETE may be the driver's boost, so it has a bucket of its own that is hard to empty.
DEFAULT_CLEAR_RATE = Rate(burst=30, seconds_per_request=Decimal(2))


@dataclass(frozen=True, slots=True)
class Partner:
    """An SCSP. Endpoint URLs are those of its own interfaces; None where it has none.

    `callback_hosts` are exact host names, or suffixes that begin with a dot (`.jedlix.com`); beside them and the hosts
    of its endpoints no host is ever called for this partner. `meter_push_interval` (s) is the least time between two pushes that only move the meter.
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
    meter_push_interval: int = 300


# Country, party and nine characters of its own, without the optional check digit: what is shorter is no eMI3 id.
MIN_CONTRACT_ID = 14


class Scope(StrEnum):
    """What an assignment is about, the most specific first."""

    TOKEN = "token"
    CONTRACT = "contract"
    EVSE = "evse"
    LOCATION = "location"
    EMSP = "emsp"


class Right(StrEnum):
    """What an assignment allows: to see sessions, or to steer (and see) them."""

    SEE = "see"
    STEER = "steer"


@dataclass(frozen=True, slots=True)
class Assignment:
    """The CPO's word that a partner may see or steer the sessions in a scope. Without one a partner sees nothing.

    `key` is the EVSE's uid, the location's id, the token's uid, the contract's id, or `CC/PPP` of the eMSP.
    `consent` says where the permission comes from, for the CPO's own records.
    """

    partner_id: str
    scope: Scope
    key: str
    right: Right
    valid_from: datetime
    valid_until: datetime | None = None
    consent: str = ""


@dataclass(frozen=True, slots=True)
class Rights:
    """Who sees a session, and the one partner that may steer it (at most one)."""

    seen_by: frozenset[str] = frozenset()
    steered_by: str | None = None


def emsp_of(contract_id: str) -> Party | None:
    """The eMSP that a contract id by eMI3 begins with (NL-ABC-C12345678-X or NLABC...); None where it names none."""
    plain = contract_id.replace("-", "").upper()
    if len(plain) < MIN_CONTRACT_ID or not (plain.isascii() and plain[:2].isalpha() and plain[2:5].isalnum()):
        return None
    return Party(plain[:2], plain[2:5])


def rights(assignments: tuple[Assignment, ...], at: datetime) -> Rights:
    """Decides who sees and who steers, from the assignments that touch a session, at an instant.

    Where several partners may steer, the most specific scope wins, then the oldest assignment.
    """
    valid = [
        assignment
        for assignment in assignments
        if assignment.valid_from <= at and (assignment.valid_until is None or at < assignment.valid_until)
    ]
    scopes = list(Scope)
    steering = sorted(
        (assignment for assignment in valid if assignment.right is Right.STEER),
        key=lambda assignment: (scopes.index(assignment.scope), assignment.valid_from, assignment.partner_id),
    )
    return Rights(
        seen_by=frozenset(assignment.partner_id for assignment in valid),
        steered_by=steering[0].partner_id if steering else None,
    )
