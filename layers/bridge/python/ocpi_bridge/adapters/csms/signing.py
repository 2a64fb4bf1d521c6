"""Signatures between the bridge and a CSMS: one-time callback URLs, the events that it posts, and where frames go.

A CSMS calls back without credentials, and its body names neither command nor station. So the URL itself is the
credential: it names one command and carries a MAC over it. It works as long as the command waits for an answer.

An event carries `X-Signature: t=<unix seconds>,v1=<hex>`, where v1 is HMAC-SHA256 with the CSMS's event key over the
seconds, a dot and the raw body. While a key is replaced the sender may give a v1 for each.

CitrineOS posts raw frames without any credential too, to a URL that stays: its token is a MAC over the CSMS's id with
that event key, so a new key makes a new URL and ends the old one.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from ocpi_bridge.domain.errors import InvalidInput

SIGNATURE_HEADER = "X-Signature"
# What clocks may differ by, and how long a message may be on its way; older ones are replays.
TOLERANCE = timedelta(seconds=300)
# Two keys during a replacement, and one to spare.
MAX_SIGNATURES = 3
MAX_HEADER_LENGTH = 512

# Keeps a MAC of one purpose from being valid for another under the same key.
_CALLBACK_DOMAIN = b"ocpi-bridge/csms-callback/v1\n"
_FRAMES_DOMAIN = b"ocpi-bridge/csms-frames/v1\n"
# Between a command and its CSMS in the name that a callback URL signs: in no request's id, and plain in a URL.
_OF = "~"
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_HEX_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
# Base64 of 32 bytes for URLs, without its padding.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def callback_url(base_url: str, command_id: str, key: bytes, csms_id: str | None = None) -> str:
    """The URL at which the CSMS gives the answer to one command. `base_url` is the CSMS API's, stage included.

    With `csms_id` it also says whose command it is, so that the answer needs one reading less.
    """
    name = command_id if csms_id is None else f"{command_id}{_OF}{csms_id}"
    return f"{base_url.rstrip('/')}/csms/v1/callback/{quote(name, safe='')}/{_sign_command(name, key)}"


def command_of(name: str) -> tuple[str, str | None]:
    """The command that a callback URL names, and whose it is where the URL says so."""
    command_id, _, csms_id = name.partition(_OF)
    return command_id, csms_id or None


def verify(name: str, signature: str, key: bytes) -> bool:
    """Whether the signature in a callback URL is ours, for what it names. In constant time."""
    return _same(signature, _sign_command(name, key))


def frames_url(base_url: str, csms_id: str, key: str) -> str:
    """The secret URL to which a CitrineOS posts raw frames. `base_url` is the CSMS API's, stage included."""
    return f"{base_url.rstrip('/')}/csms/v1/citrineos/{quote(csms_id, safe='')}/{frames_token(csms_id, key)}"


def frames_token(csms_id: str, key: str) -> str:
    """What makes that URL secret: it names the CSMS by its event key."""
    return _mac(_FRAMES_DOMAIN + csms_id.encode(), key.encode())


def can_be_frames_token(token: str) -> bool:
    """Whether a token could be anybody's. For a door that will not read a key for everybody who knocks."""
    return _TOKEN.fullmatch(token) is not None


def verify_frames_token(csms_id: str, token: str, key: str) -> bool:
    """Whether the token in a URL for raw frames is this CSMS's. In constant time."""
    return _same(token, frames_token(csms_id, key))


def sign_event(body: bytes, key: str, at: datetime) -> str:
    """The signature header of an event, as a CSMS makes it."""
    timestamp = str(int(at.timestamp()))
    return f"t={timestamp},v1={_sign_event(timestamp, body, key)}"


def check_event_header(header: str | None, now: datetime) -> None:
    """Refuses what no key could make right: a header that is missing, malformed, or too far from `now`.

    Raises InvalidInput("X-Signature", ...). For a door that will not read a key for everybody who knocks.
    """
    timestamp, _ = _parse(header)
    if abs(now - datetime.fromtimestamp(int(timestamp), UTC)) > TOLERANCE:
        raise InvalidInput(SIGNATURE_HEADER, f"has a time more than {int(TOLERANCE.total_seconds())} s from ours")


def verify_event_signature(header: str | None, body: bytes, key: str, now: datetime) -> str:
    """Returns the event's MAC (hex), which names this message for whoever must refuse to take it twice.

    Raises InvalidInput("X-Signature", ...) where the header is missing or malformed, its time is further from `now`
    than the tolerance, or no signature in it is the key's. The digests are compared in constant time.
    """
    check_event_header(header, now)
    timestamp, signatures = _parse(header)
    expected = _sign_event(timestamp, body, key)
    # All are compared, so that the time taken does not tell which one was right.
    matches = [_same(signature.lower(), expected) for signature in signatures]
    if True not in matches:
        raise InvalidInput(SIGNATURE_HEADER, "has no signature by the key of this CSMS over this body")
    return expected


def _parse(header: str | None) -> tuple[str, Sequence[str]]:
    if not header:
        raise InvalidInput(SIGNATURE_HEADER, "is missing")
    if len(header) > MAX_HEADER_LENGTH:
        raise InvalidInput(SIGNATURE_HEADER, f"is longer than {MAX_HEADER_LENGTH} characters")
    parts = [part.strip().partition("=") for part in header.split(",")]
    timestamps = [value for name, _, value in parts if name == "t"]
    # Other schemes than v1 are left to whoever knows them.
    signatures = [value for name, _, value in parts if name == "v1"]
    if len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]):
        raise InvalidInput(SIGNATURE_HEADER, "needs one t=<unix seconds>")
    if not 0 < len(signatures) <= MAX_SIGNATURES or not all(_HEX_DIGEST.fullmatch(value) for value in signatures):
        raise InvalidInput(SIGNATURE_HEADER, f"needs 1 to {MAX_SIGNATURES} v1=<hex of HMAC-SHA256>")
    return timestamps[0], signatures


def _sign_command(command_id: str, key: bytes) -> str:
    return _mac(_CALLBACK_DOMAIN + command_id.encode(), key)


def _mac(text: bytes, key: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).rstrip(b"=").decode("ascii")


def _sign_event(timestamp: str, body: bytes, key: str) -> str:
    return hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _same(given: str, expected: str) -> bool:
    # As bytes: the comparison refuses text beyond ASCII, and a URL can carry any.
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
