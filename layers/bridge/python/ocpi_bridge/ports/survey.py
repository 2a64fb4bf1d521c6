"""What is looked at to see how it goes, without a scan."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.pushes import Pushed


@dataclass(frozen=True, slots=True)
class LiveSessions:
    """How many sessions that a partner sees are not over, and a few of them."""

    count: int
    some: Sequence[str] = ()


class SurveyStore(Protocol):
    """What a survey reads, from an index."""

    def connected_partners(self) -> Mapping[str, Silence | None]:
        """The partners that are called, by id, and their silence; None while they answer."""

    def live_sessions(self, partner_id: str) -> LiveSessions:
        """The sessions that the partner sees and that are not over."""

    def pushed(self, partner_id: str, session_ids: Sequence[str]) -> Sequence[Pushed]:
        """What the partner last acknowledged of these sessions; those that it was never told of are left out."""
