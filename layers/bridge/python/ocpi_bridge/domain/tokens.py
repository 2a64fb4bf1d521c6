"""Credentials tokens (OCPI 4.1.2, 7.3.1): how they are made, recognised in a header, and stored.

A token that a partner presents to us is stored as its SHA-256 only. The hash has no salt, because it is the key of the
lookup; what protects it is the token's own entropy.
"""

import binascii
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from ocpi_bridge.domain.partners import Party

# OCPI 7.3.1: string(64).
TOKEN_MAX_LENGTH = 64
# 48 random bytes are exactly 64 characters of URL-safe Base64: all that the specification has room for.
_RANDOM_BYTES = 48
_SCHEME = "token"


@dataclass(frozen=True, slots=True)
class AcceptedToken:
    """A token that we accept from a partner, by its hash. `party` is the partner's: who the token speaks for."""

    token_hash: str
    partner_id: str
    party: Party
    created_at: datetime


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
    """The tokens that an Authorization header may mean, at most two; none when it has no `Token` credential.

    First the Base64 decoded value (4.1.2; the printed examples carry a newline at the end, which is stripped), then the
    value as it stands: older peers send it plain, and a plain token may well be valid Base64, so both must be tried.
    """
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.casefold() != _SCHEME:
        return ()
    return tuple(token for token in (_decoded(value), value) if token is not None and is_token(token))


def _decoded(value: str) -> str | None:
    try:
        return binascii.a2b_base64(value, strict_mode=True).decode().rstrip()
    except ValueError:  # not ASCII, not Base64 or not UTF-8: binascii's and the codec's errors are all ValueErrors
        return None
