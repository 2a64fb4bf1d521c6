"""Connections with partners: what a handshake (OCPI 7) makes of a partner's entry and of the tokens that we accept.

At any time a partner has at most two tokens of a handshake: the one that it uses, and a successor that it was given in
an answer that may have been lost. The first use of the successor ends the other one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ocpi_bridge.domain.partners import OutboundAuth, Partner, Party, Registration, TokenEncoding
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse
from ocpi_bridge.domain.values import dataclass

# How long the POST may be repeated with its registration token when the answer was lost: a client's own retries, and a
# person who presses the button again. Later the token, which came by mail or telephone, is dead whatever happened.
REPEAT_WINDOW = timedelta(minutes=10)

_SCSP = "SCSP"


@dataclass(frozen=True, slots=True)
class Role:
    """What a party does (7.3.2): a Role of OCPI, or one that we do not know."""

    role: str
    party: Party


@dataclass(frozen=True, slots=True)
class Platform:
    """The other side as its versions module describes it, in one version; `token_encoding` is the one that it takes.

    `credentials_url` is empty where nobody asked for it.
    """

    version: str
    versions_url: str
    sessions_url: str
    charging_profiles_url: str
    credentials_url: str
    token_encoding: TokenEncoding


@dataclass(frozen=True, slots=True)
class OwnPlatform:
    """Us, as the other side is told: where our versions are, and who we are."""

    versions_url: str
    party: Party
    business_name: str


def is_dead(token: AcceptedToken, method: str, now: datetime) -> bool:
    """Whether a registration token did its work and opens nothing any more: a repeated POST, for a short while."""
    if token.spent_at is None:
        return False
    return method != "POST" or now - token.spent_at > REPEAT_WINDOW


def open_methods(token: AcceptedToken, partner: Partner) -> tuple[str, ...]:
    """The methods that the credentials endpoint has for this caller (7.2): the others are answered with 405.

    A partner that the operator described without a handshake has no registration to change.
    """
    if token.use is TokenUse.REGISTRATION:
        repeated = token.spent_at is not None
        return ("GET", "POST") if repeated or partner.registration is Registration.INVITED else ("GET",)
    return ("GET", "PUT", "DELETE") if partner.registration is Registration.REGISTERED else ("GET",)


def distinct_parties(roles: Iterable[Role]) -> tuple[Party, ...]:
    """The parties behind roles, each once, in their order; compared without case."""
    parties: list[Party] = []
    for role in roles:
        if not any(role.party.is_same(known) for known in parties):
            parties.append(role.party)
    return tuple(parties)


def main_party(roles: Sequence[Role], known: Party) -> Party:
    """Who we speak to: the party that the operator named if it is among them, else the first SCSP, else the first."""
    if any(role.party.is_same(known) for role in roles):
        return known
    return next((role.party for role in roles if role.role == _SCSP), roles[0].party)


def registered(partner: Partner, platform: Platform, roles: Sequence[Role]) -> Partner:
    """The partner after a handshake. What the operator said beyond the connection stays: hosts, rates, pairing.

    A token of a handshake is presented by the scheme `Token` (4.1.2), whatever the entry said before. The credential is
    still the former one.
    """
    return replace(
        partner,
        registration=Registration.REGISTERED,
        party=main_party(roles, partner.party),
        parties=distinct_parties(roles),
        version=platform.version,
        versions_url=platform.versions_url,
        sessions_url=platform.sessions_url,
        charging_profiles_url=platform.charging_profiles_url,
        token_encoding=platform.token_encoding,
        auth=OutboundAuth.OCPI_TOKEN,
        oauth2=None,
    )


def left(partner: Partner) -> Partner:
    """The partner after its registration ended: nothing of it can be called any more."""
    return replace(
        partner,
        registration=Registration.LEFT,
        versions_url=None,
        sessions_url=None,
        charging_profiles_url=None,
        credential="",
    )


def succession(
    presented: AcceptedToken, successor: AcceptedToken, now: datetime
) -> tuple[AcceptedToken, AcceptedToken]:
    """A partner's tokens after its POST or PUT: all others end, an unused earlier successor among them.

    The one that it presented ends at the first use of the successor. If it is a registration token it is spent; spent
    before, it keeps its time.
    """
    spent_at = presented.spent_at or now if presented.use is TokenUse.REGISTRATION else None
    kept = replace(presented, supersedes=(), spent_at=spent_at)
    return kept, replace(successor, supersedes=(presented.token_hash,))


def handover(tokens: Iterable[AcceptedToken], made: AcceptedToken) -> tuple[AcceptedToken, ...]:
    """A partner's tokens after a handshake that we began: the one that we made opens every module now.

    Those that opened modules before end at its first use: until then calls with them may be under way. Registration
    tokens end at once.
    """
    kept = tuple(one for one in tokens if one.use is TokenUse.CREDENTIALS and one.token_hash != made.token_hash)
    opened = replace(made, use=TokenUse.CREDENTIALS, supersedes=tuple(one.token_hash for one in kept))
    return (*kept, opened)
