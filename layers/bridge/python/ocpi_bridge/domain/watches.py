"""Watches: what one partner was told of the profile that a session's charge point follows (OCPI 14.4.2.4).

From a partner's first accepted PUT on a session until the session's end, it is told of every change that the bridge
learns of and that is not its own. A watch remembers how far that duty is done.
"""

from dataclasses import replace
from datetime import datetime

from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Watch:
    """How far a partner knows the profile that is followed.

    `own` is the bridge's own request under way. Doubts up to `settled_at` are settled; `forced`: the bridge itself
    changed something, or a push failed, so what is read is told whatever it is; `look`: it is to be read, and told if it
    is news. `told` is the request that brought the profile pushed last, `told_number` the session's newest number then.
    `attempts` counts failures in a row.

    `missing` names the installed plan (by its request) that the charge point turned out not to follow; `resent` the
    request that sent it again, at `resent_at`. `lapsed` names the plan whose fail-safe end was looked at. `heard_at` is
    when the partner last took a push. `hints_at`: hints up to then are explained. `cleared`: the session is over and its
    plan was cleared.
    """

    session_id: str
    partner_id: str
    own: str | None = None
    settled_at: datetime | None = None
    forced: bool = False
    told: str | None = None
    told_number: int = 0
    attempts: int = 0
    look: bool = False
    missing: str | None = None
    resent: str | None = None
    resent_at: datetime | None = None
    lapsed: str | None = None
    heard_at: datetime | None = None
    hints_at: datetime | None = None
    cleared: bool = False
    due_at: datetime | None = None

    def in_doubt(self, doubt_at: datetime | None) -> bool:
        """Whether what the partner knows may be wrong."""
        if self.forced or self.look:
            return True
        return doubt_at is not None and (self.settled_at is None or self.settled_at < doubt_at)

    def hinted(self, hint_at: datetime | None) -> bool:
        """Whether the charge point showed something that was neither explained nor looked into."""
        seen = [at for at in (self.hints_at, self.settled_at) if at is not None]
        return hint_at is not None and (not seen or max(seen) < hint_at)

    def failed(self, *, forced: bool | None = None) -> "Watch":
        """After an attempt that came to nothing; it is made again."""
        return replace(self, own=None, attempts=self.attempts + 1, forced=self.forced if forced is None else forced)

    def settled(self, at: datetime) -> "Watch":
        """After the profile was read at an instant and was no news."""
        return replace(self, own=None, settled_at=at, forced=False, look=False, attempts=0)

    def found_missing(self, request_id: str, doubt_at: datetime | None) -> bool:
        """Whether the plan of a request, which is not followed, is to be sent again: once for each doubt."""
        if self.resent != request_id or self.resent_at is None:
            return True
        return doubt_at is not None and self.resent_at < doubt_at
