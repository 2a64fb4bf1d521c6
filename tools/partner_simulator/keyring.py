"""The tokens of one connection: what the partner presents, and what it accepts while they are being replaced (7.1)."""

import secrets
import threading
import time
from collections.abc import Callable
from enum import Enum
from hmac import compare_digest

from tools.partner_simulator.errors import NotConnectedError
from tools.partner_simulator.transport import Credentials

# 43 characters, all allowed in a credentials token of at most 64 (7.3.1).
TOKEN_BYTES = 32
# What was on its way when its token was replaced is refused, but no fault of the bridge.
STALE_SECONDS = 10.0


class Recognition(Enum):
    """What a presented token is."""

    CURRENT = "current"
    REGISTRATION = "registration"
    JUST_REPLACED = "replaced a moment ago"
    REPLACED = "replaced"
    UNKNOWN = "unknown"


class Keyring:
    """Tokens of both directions. Thread safe.

    A new token for the bridge goes through `expect` (the handshake is open: old and new are accepted), then `settle`
    (the bridge has it: the old one ends when the new one is first seen) or `abandon` (it never got it).
    """

    def __init__(self, credentials: Credentials | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._ours = None if credentials is None else credentials.ours
        # Oldest first; at most the last one is still `_unsettled`.
        self._accepted = [] if credentials is None else [credentials.theirs]
        self._unsettled: str | None = None
        self._registration: str | None = None
        self._replaced: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._accepted)} accepted)"

    @property
    def ours(self) -> str:
        """The token that the partner presents; raises NotConnectedError when it has none."""
        with self._lock:
            if self._ours is None:
                raise NotConnectedError("the partner has no token of the bridge")
            return self._ours

    @property
    def theirs(self) -> str:
        """The newest token that the bridge is sure to have; raises NotConnectedError when there is none."""
        with self._lock:
            settled = [token for token in self._accepted if token != self._unsettled]
            if not settled:
                raise NotConnectedError("the bridge has no token of the partner")
            return settled[-1]

    def present(self, token: str) -> None:
        """Present this token from now on."""
        with self._lock:
            self._ours = token

    def invite(self) -> str:
        """Forget every other token and accept a new one for registration."""
        self.clear()
        with self._lock:
            self._registration = new_token()
            return self._registration

    def expect(self, token: str | None = None) -> str:
        """Accept one more token and return it; without `token` the one of an attempt that is still open, or a new one.

        An attempt stays open when its answer is lost: the bridge may have the token or not.
        """
        with self._lock:
            chosen = token or self._unsettled or new_token()
            if chosen not in self._accepted:
                self._accepted.append(chosen)
            self._replaced.pop(chosen, None)
            self._unsettled = chosen
            return chosen

    def settle(self) -> None:
        """The bridge has the expected token; a token for registration ends."""
        with self._lock:
            self._unsettled = None
            if self._registration is not None:
                self._replaced[self._registration] = self._clock()
                self._registration = None

    def abandon(self, token: str) -> None:
        """The bridge refused the handshake: it does not have this token."""
        with self._lock:
            self._replace([token] if token in self._accepted else [])
            self._unsettled = None

    def clear(self) -> None:
        """Forget everything: the registration is over."""
        with self._lock:
            self._replace(list(self._accepted))
            if self._registration is not None:
                self._replace([self._registration])
            self._registration = self._ours = self._unsettled = None

    def recognise(self, presented: str) -> Recognition:
        """What a token is that somebody presents; the first sight of a settled one ends those before it."""
        with self._lock:
            if self._registration is not None and _same(presented, self._registration):
                return Recognition.REGISTRATION
            for position, token in enumerate(self._accepted):
                if _same(presented, token):
                    if token != self._unsettled:
                        self._replace(self._accepted[:position])
                    return Recognition.CURRENT
            replaced_at = next((at for token, at in self._replaced.items() if _same(presented, token)), None)
            if replaced_at is None:
                return Recognition.UNKNOWN
            fresh = self._clock() - replaced_at <= STALE_SECONDS
            return Recognition.JUST_REPLACED if fresh else Recognition.REPLACED

    def _replace(self, tokens: list[str]) -> None:
        now = self._clock()
        for token in tokens:
            self._replaced[token] = now
        self._accepted = [token for token in self._accepted if token not in tokens]


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def _same(one: str, other: str) -> bool:
    return compare_digest(one.encode(), other.encode())
