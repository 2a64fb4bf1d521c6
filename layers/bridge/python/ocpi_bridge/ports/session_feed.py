"""The feed: the sessions that a partner sees, in the order of their last updates."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class FeedWindow:
    """What of a partner's feed is wanted: sessions with `since` <= last_updated < `until`, both whole milliseconds.

    `party` (one of ours) leaves the sessions of our other parties out.
    """

    partner_id: str
    since: datetime
    until: datetime | None = None
    party: Party | None = None

    def shows(self, session: Session) -> bool:
        """Whether the session, as it is now, belongs in it."""
        ours = Party(session.country_code, session.party_id)
        return (
            self.partner_id in session.rights.seen_by
            and self.since <= session.last_updated
            and (self.until is None or session.last_updated < self.until)
            and (self.party is None or self.party.is_same(ours))
        )


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A session's place in the feed: its shard, and the last update (whole milliseconds) by which it stands there."""

    shard: int
    at: datetime
    session_id: str


class SessionFeed(Protocol):
    """Reads the feed and the sessions that it names.

    Shards are walked one after the other, each of them upwards. A session stays in its shard and only ever moves up, so
    a walk meets every session that was in its window when it began, however many change meanwhile: one that moves is
    either behind the walk, and was met, or it moves to a place that the walk still comes to (or out of the window's end,
    and then it belongs to the next window). Some are met twice. A walk without an end of its window ends as soon as it
    is faster than the sessions change. What was written within the last moments may be missing, since the index follows
    its table.
    """

    def entries(self, window: FeedWindow, after: FeedEntry | None, most: int) -> Sequence[FeedEntry]:
        """The next entries of the window, at most so many; fewer only at its end. `after` need not exist any more."""

    def count(self, window: FeedWindow, after: FeedEntry) -> int:
        """How many entries follow; where there are very many, how many were counted until that was too much to read."""

    def sessions(self, session_ids: Sequence[str]) -> Mapping[str, Session]:
        """The sessions as they are now, by the ids that were asked for; those that are gone are absent."""

    def periods(self, sessions: Sequence[Session]) -> Mapping[str, Sequence[ChargingPeriod]]:
        """The closed charging periods of these sessions, in order, by session id."""

    def is_ours(self, party: Party) -> bool:
        """Whether a registered CSMS has stations of this party."""
