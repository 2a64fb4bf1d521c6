"""The Authorization header of our calls to partners."""

import base64
import re

from ocpi_bridge.domain.partners import TokenEncoding

# Servers take some 8 KB of headers in all; the largest access tokens in use, signed ones with many claims, have 4 KB.
MAX_BEARER_LENGTH = 6_144

# What may follow the scheme in a header: RFC 6750 (2.1) allows less, and servers issue more.
_BEARER_TOKEN = re.compile(r"[!-~]+")


def authorization(token: str, encoding: TokenEncoding) -> str:
    """The Authorization header for a credentials token (4.1.2): Base64 of its UTF-8 bytes, or plain for older peers."""
    if encoding is TokenEncoding.PLAIN:
        return f"Token {token}"
    return f"Token {base64.b64encode(token.encode()).decode('ascii')}"


def bearer(token: str) -> str:
    """The Authorization header for a bearer token (RFC 6750, 2.1)."""
    return f"Bearer {token}"


def is_bearer_token(text: str) -> bool:
    """Whether this can stand in a header as a bearer token: printable characters without spaces, bounded."""
    return len(text) <= MAX_BEARER_LENGTH and _BEARER_TOKEN.fullmatch(text) is not None
