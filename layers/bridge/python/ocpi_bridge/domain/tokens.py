"""Credentials tokens (OCPI 4.1.2, 7.3.1): how they are made, recognised in a header, and stored.

A token that a partner presents to us is stored as its SHA-256 only. The hash has no salt, because it is the key of the
lookup; what protects it is the token's own entropy. Nothing compares tokens: whoever times lookups learns of a hash that
he cannot choose. Secrets that are compared (event keys, MACs) are compared in constant time.
"""

import binascii
import hashlib
import secrets
from datetime import datetime
from enum import StrEnum

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.values import dataclass

# OCPI 7.3.1: string(64).
TOKEN_MAX_LENGTH = 64
# 48 random bytes are exactly 64 characters of URL-safe Base64: all that the specification has room for.
_RANDOM_BYTES = 48
_TOKEN = "token"
_BEARER = "bearer"
# What may stand around a header's value (RFC 9110, 5.6.3).
_WHITESPACE = " \t"


class TokenUse(StrEnum):
    """What a token opens."""

    REGISTRATION = "registration"  # CREDENTIALS_TOKEN_A (7.1.1): versions and credentials, nothing else (4.1.2)
    CREDENTIALS = "credentials"  # every module


@dataclass(frozen=True, slots=True)
class AcceptedToken:
    """A token that we accept from a partner, by its hash. `party` is the partner's: who the token speaks for.

    `supersedes` are the hashes of tokens that end when this one is first used: until then an answer that carried this
    one may have been lost. `spent_at` is when a registration token did its work: from then on only the same POST may be
    repeated with it. `bearer`: it may come as `Bearer` too.
    """

    token_hash: str
    partner_id: str
    party: Party
    created_at: datetime
    use: TokenUse = TokenUse.CREDENTIALS
    supersedes: tuple[str, ...] = ()
    spent_at: datetime | None = None
    bearer: bool = False


def new_token() -> str:
    """A new token: 64 printable characters from the system's random source."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def is_token(text: str) -> bool:
    """Whether this can be a credentials token: 1 to 64 of the printable characters U+0021 to U+007E (OCPI 7.3.1)."""
    return 0 < len(text) <= TOKEN_MAX_LENGTH and all("!" <= character <= "~" for character in text)


def token_hash(token: str) -> str:
    """The SHA-256 of the token's UTF-8 bytes in hexadecimal: what is stored instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def candidates(authorization: str | None) -> tuple[str, ...]:
    """The tokens that an Authorization header may mean, at most two; none where it has no credential that we know.

    Scheme `Token`: first the Base64 decoded value (4.1.2; the printed examples carry a newline at the end, which is
    stripped), then the value as it stands: older peers send it plain, and a plain token may well be valid Base64, so
    both must be tried. Scheme `Bearer` (RFC 6750): the value as it stands, for partners that may use it (`is_bearer`).
    Schemes are compared without case; spaces around the value do not count (RFC 9110, 11.4). Raises nothing.
    """
    scheme, value = _credential(authorization)
    if scheme == _TOKEN:
        return tuple(token for token in (_decoded(value), value) if token is not None and is_token(token))
    return (value,) if scheme == _BEARER and is_token(value) else ()


def is_bearer(authorization: str | None) -> bool:
    """Whether the header's scheme is `Bearer`, which counts only with a token that may come so."""
    return _credential(authorization)[0] == _BEARER


def _credential(authorization: str | None) -> tuple[str, str]:
    """The scheme in lower case, and the value."""
    scheme, _, value = (authorization or "").strip(_WHITESPACE).partition(" ")
    return scheme.lower(), value.strip(_WHITESPACE)


def _decoded(value: str) -> str | None:
    try:
        return binascii.a2b_base64(value, strict_mode=True).decode().rstrip()
    except ValueError:  # not ASCII, not Base64 or not UTF-8: binascii's and the codec's errors are all ValueErrors
        return None
