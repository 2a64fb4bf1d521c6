"""What an operator's description may change of a partner: its registration (OCPI 7) is not the operator's to overwrite."""

from dataclasses import replace
from typing import Final

from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.domain.values import dataclass

# What a handshake agreed on, beside the party.
_AGREED: Final = (
    "parties",
    "version",
    "versions_url",
    "sessions_url",
    "charging_profiles_url",
    "token_encoding",
    "auth",
    "oauth2",
)


@dataclass(frozen=True, slots=True)
class Replacement:
    """A partner's entry after an operator described it anew; `kept` names the fields where the description lost."""

    partner: Partner
    kept: tuple[str, ...]


def replacement(before: Partner, given: Partner) -> Replacement:
    """The entry to be: how far the registration is, and the credential that came with it, always stay.

    Of a partner that registered, so does all that the handshake agreed on. The party may be any of those that it
    registered for.
    """
    after = replace(given, registration=before.registration, credential=before.credential)
    if before.registration is not Registration.REGISTERED:
        return Replacement(after, ())
    after = replace(after, **{name: getattr(before, name) for name in _AGREED})
    kept = tuple(name for name in _AGREED if getattr(given, name) != getattr(before, name))
    if not any(given.party.is_same(party) for party in (before.party, *before.parties)):
        after, kept = replace(after, party=before.party), ("party", *kept)
    return Replacement(after, kept)
