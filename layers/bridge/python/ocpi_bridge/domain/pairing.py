"""Pairing by a code, as Jedlix publishes it: a driver's charge point is made known to a partner, with the driver's word.

A code is short enough to be typed, so it lives for minutes, opens once, and guesses are counted (`ATTEMPTS`). Like a
token it is stored as its SHA-256; that keeps it from whoever glances at the table, and its short life from all others.
"""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

from ocpi_bridge.domain.assignments import Assignment, Right, Scope, Share
from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.values import dataclass

# Ten guesses an hour at a hundred million codes: with a thousand codes open at once, one hit in more than a year.
CODE_DIGITS = 8
# A driver types it from one app into another; who comes later asks for a new one.
DEFAULT_VALIDITY = timedelta(minutes=15)
SHORTEST_VALIDITY = timedelta(minutes=1)
# As a letter takes. The longer a code lives, the more of them can be guessed at.
LONGEST_VALIDITY = timedelta(days=7)
# What a partner may get wrong in an hour: drivers mistype, and this is far more than they do.
ATTEMPTS = 10
ATTEMPT_WINDOW = timedelta(hours=1)

_DIGITS = "0123456789"
# What people put between digits to read them: "1234 5678", "1234-5678".
_SEPARATORS = str.maketrans("", "", " -")
# What is kept of a code, so that driver and operator can tell which one it was.
_ENDING = 2


class CodeUnknown(BridgeError):
    """There is no such code for this partner now: mistyped, used, expired, or never made. Which, is not said."""

    def __init__(self) -> None:
        super().__init__("unknown code: it may be mistyped, used already or expired")


class TooManyAttempts(BridgeError):
    """The partner was wrong too often; until `retry_after` (s) is over no code of its is looked at."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many attempts with wrong codes; try again later")
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Grant:
    """What a pairing gives: the EVSE that the partner learns of, and the scope in which it may steer from then on.

    `shares` is what the driver lets it know of himself.
    """

    evse_uid: str
    scope: Scope
    key: str
    shares: frozenset[Share] = frozenset()

    def assignment(self, partner_id: str, ending: str, at: datetime) -> Assignment:
        """The assignment that the pairing makes; its consent names the day (UTC) and the code by its last digits."""
        return Assignment(
            partner_id=partner_id,
            scope=self.scope,
            key=self.key,
            right=Right.STEER,
            valid_from=at,
            consent=f"pairing of EVSE {self.evse_uid} on {at.astimezone(UTC):%Y-%m-%d}, code ...{ending}",
            shares=self.shares,
        )


@dataclass(frozen=True, slots=True)
class PairingCode:
    """A code that we gave to a driver, by its hash. `partner_id` is the one partner that it is for, None for any."""

    code_hash: str
    ending: str
    grant: Grant
    created_at: datetime
    expires_at: datetime
    partner_id: str | None = None

    def opens(self, partner_id: str, at: datetime) -> bool:
        """Whether the partner can use it at an instant; the end is no longer part of it."""
        return self.partner_id in {None, partner_id} and at < self.expires_at


def new_code() -> str:
    """A new code: digits from the system's random source."""
    return "".join(secrets.choice(_DIGITS) for _ in range(CODE_DIGITS))


def code_hash(code: str) -> str:
    """The SHA-256 of a code in hexadecimal; spaces and hyphens that people put between digits do not count."""
    return hashlib.sha256(code.translate(_SEPARATORS).encode()).hexdigest()


def ending_of(code: str) -> str:
    """The last digits of a code: what may be kept and shown of it."""
    return code.translate(_SEPARATORS)[-_ENDING:]


def attempts_since(at: datetime) -> datetime:
    """The beginning of the window in which attempts are counted at an instant; windows do not overlap."""
    return datetime.fromtimestamp(at.timestamp() // _window() * _window(), UTC)


def seconds_until_next_window(at: datetime) -> int:
    """How long (s, rounded up) the window of an instant goes on."""
    return max(1, -int((at - attempts_since(at) - ATTEMPT_WINDOW) // timedelta(seconds=1)))


def _window() -> float:
    return ATTEMPT_WINDOW.total_seconds()
