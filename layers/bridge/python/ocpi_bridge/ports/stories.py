"""The store that looks back: what became of a session and of what was asked of its charge point. Nothing is written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.pushes import Pushed


@dataclass(frozen=True, slots=True)
class Milestones:
    """When a request came where it is; None for what did not happen (yet).

    `first_sent_at` and `sent_at` are the first and the latest attempt at the charge point; `answered_at` is also when it
    expired; `first_delivery_at` is when its result was first taken to the partner, `closed_at` when that was over.
    """

    first_sent_at: datetime | None = None
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    first_delivery_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RequestStory:
    """A request and when it came where it is, the plan that it carried, the active profile that it was answered with."""

    request: Request
    milestones: Milestones = Milestones()
    plan: Plan | None = None
    profile: Plan | None = None


@dataclass(frozen=True, slots=True)
class PartnerStory:
    """What a partner last acknowledged of the session, and how far its duty to be told the active profile is done."""

    pushed: Pushed
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class SessionStory:
    """All that is known of a session. Requests are in the order of their making, periods in that of the session.

    `earlier_requests`, `earlier_periods`: there are some before the first that is listed.
    """

    session: Session
    control: Control
    requests: Sequence[RequestStory] = ()
    periods: Sequence[ChargingPeriod] = ()
    partners: Sequence[PartnerStory] = ()
    earlier_requests: bool = False
    earlier_periods: bool = False


class StoryStore(Protocol):
    """What looking back needs. Every reading is bounded; requests of the last moment may be missing (an index)."""

    def story_of(self, session_id: str) -> SessionStory | None:
        """The newest part of a session's story, or None where there is no such session; ids are compared without case."""

    def request(self, request_id: str) -> RequestStory | None:
        """One request's story, or None."""

    def newest_at(self, csms_id: str, station_id: str) -> Sequence[Session]:
        """The station's sessions that are not over, and the newest of each place, the newest first."""
