"""What the sweep reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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


class SweepStore(Protocol):
    """What the sweep reads, both in bounded pages and from an index."""

    def open_requests(self, due_before: datetime) -> Sequence[OpenRequest]:
        """Requests not at their end that are due before an instant, the most overdue first."""

    def due_pushes(self, due_before: datetime) -> Sequence[DuePush]:
        """Pushes that are due before an instant."""
