"""What the sweep reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.messages import OverdueSession


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """What the sweep sees of a request that is not at its end."""

    request_id: str
    state: str
    step: int
    attempts: int
    station_key: str
    partner_id: str | None
    created_at: datetime
    deadline: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DuePush:
    """A push that the sweep wakes."""

    session_id: str
    partner_id: str


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that is over, and the partners that it concerns: they are woken once more, whatever they know by now."""

    session_id: str
    partner_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DueInSessions:
    """What is due in the sessions table: pushes, and sessions whose end is taken for granted."""

    pushes: Sequence[DuePush] = ()
    overdue: Sequence[OverdueSession] = ()


@dataclass(frozen=True, slots=True)
class Reassessment:
    """A partner whose live sessions are to be looked at again, and how far that is: the shard, and the id before.

    `begun` tells one walk from the next.
    """

    partner_id: str
    begun: str
    shard: int = 0
    after: str = ""


class SweepStore(Protocol):
    """What the sweep reads, in bounded pages and from an index."""

    def open_requests(self, due_before: datetime) -> Sequence[OpenRequest]:
        """Requests not at their end that are due before an instant, the most overdue first."""

    def due_in_sessions(self, due_before: datetime) -> DueInSessions:
        """Pushes that are due before an instant, and sessions that are over by then (Session.closes_at)."""

    def ended(self, due_before: datetime, most: int) -> Sequence[EndedSession]:
        """Sessions that are over for a while and of whose end nobody was told again; `most` of them, the oldest first."""

    def end_told(self, session_id: str) -> None:
        """Whoever a session concerns that is over was woken: it is not due any more."""

    def reassessments(self) -> Sequence[Reassessment]:
        """Partners whose live sessions are to be looked at again; where that is all of them, it is noted for each."""

    def live_sessions(self, reassessment: Reassessment) -> tuple[Sequence[str], Reassessment | None]:
        """The next page of the partner's live sessions, and where to go on; None at the end."""

    def reassessed(self, before: Reassessment, after: Reassessment | None) -> None:
        """Remembers how far it is (None: done), unless it was begun anew meanwhile."""
