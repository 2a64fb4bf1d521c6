"""The store of what watching the active profile needs. Writes as in requests."""

from typing import Protocol

from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.sessions import Place


class WatchStore(Protocol):
    """What watching the active profile needs."""

    def request(self, request_id: str) -> Request | None:
        """The request, or None."""

    def plan(self, request_id: str) -> Plan | None:
        """The plan that a SET carried, or None."""

    def active_profile(self, request_id: str) -> Plan | None:
        """The active profile that a GET was answered with, or None."""

    def save_active_profile(self, request_id: str, profile: Plan) -> None:
        """Remembers the profile that was told for a GET, where the charge point itself gave none."""

    def place(self, session: Session) -> Place:
        """The CSMS and the station of the session, and what is known of the station beside."""

    def save_watch(self, watch: Watch) -> None:
        """Remembers how far the duty is done; the sweep wakes it at its `due_at`."""
