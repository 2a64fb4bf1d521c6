"""Watches: what one partner was told of the profile that a session's charge point follows (OCPI 14.4.2.4).

From a partner's first accepted PUT on a session until the session's end, it is told of every change that the bridge
learns of and that is not its own. A watch remembers how far that duty is done.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.plans import Plan, RateUnit, same_course

# What is pushed is between 5 and 60 minutes long (14.4.2.4); the partner can ask for more.
PUSHED_SECONDS = 3600
# Composite schedules move their period starts by a second or two between two readings.
TOLERANCE_SECONDS = 5
# A limit that went from W to A per phase and back is lower by up to 0.1 A on each of three phases.
TOLERANCES = {RateUnit.WATT: Decimal(100), RateUnit.AMPERE: Decimal("0.2")}


@dataclass(frozen=True, slots=True)
class Watch:
    """How far a partner knows the profile that is followed.

    `own` is the bridge's own request under way: a CLEAR of the partner's plan, or a GET to learn what is followed.
    Doubts up to `settled_at` are settled; `forced`: the bridge itself changed something, or a push failed. `told` is the
    request that brought the profile pushed last, `told_number` the session's newest number then. `attempts` counts
    failures in a row.
    """

    session_id: str
    partner_id: str
    own: str | None = None
    settled_at: datetime | None = None
    forced: bool = False
    told: str | None = None
    told_number: int = 0
    attempts: int = 0

    def in_doubt(self, doubt_at: datetime | None) -> bool:
        """Whether what the partner knows may be wrong."""
        if self.forced:
            return True
        return doubt_at is not None and (self.settled_at is None or self.settled_at < doubt_at)

    def failed(self, *, forced: bool | None = None) -> "Watch":
        """After an attempt that came to nothing; it is made again."""
        return replace(self, own=None, attempts=self.attempts + 1, forced=self.forced if forced is None else forced)

    def settled(self, at: datetime) -> "Watch":
        """After the profile was read at an instant and was no news."""
        return replace(self, own=None, settled_at=at, forced=False, attempts=0)


def no_news(known: Plan, followed: Plan, now: datetime) -> bool:
    """Whether the profile that is followed is what the partner knows, for as long as both of them say something.

    `known` may be relative to no other instant than its own start; both are in one unit, or it is news.
    """
    if known.unit is not followed.unit or known.start is None:
        return False
    until = now + timedelta(seconds=PUSHED_SECONDS)
    ends = [plan.start + timedelta(seconds=plan.duration) for plan in (known, followed) if plan.start and plan.duration]
    until = min([until, *ends])
    if until <= now:
        return False
    return same_course(known, followed, now, until, TOLERANCE_SECONDS, TOLERANCES[known.unit])
