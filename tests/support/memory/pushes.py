"""What partners acknowledged, are owed, and wish, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.preferences import PreferencesChange
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.pushes import PushContext, Pushed
from ocpi_bridge.ports.sessions import Place
from tests.support.memory.books import MemoryBooks, whole_ms


@dataclass(frozen=True, slots=True)
class MemoryPushStore:
    """PushStore."""

    books: MemoryBooks

    def push_context(self, session_id: str, partner_id: str) -> PushContext:
        key = session_id.casefold(), partner_id
        pushed, _ = self.books.pushed.get(key, (Pushed(session_id, partner_id), None))
        return PushContext(
            session=self.books.sessions.sessions.get(session_id.casefold()),
            partner=self.books.partners.get(partner_id),
            pushed=replace(pushed, session_id=session_id, at=whole_ms(pushed.at) if pushed.at else None),
            control=self.books.control(session_id),
            watch=self.books.watches.get(key),
        )

    def periods(self, session_id: str, after: int) -> Sequence[ChargingPeriod]:
        closed = self.books.sessions.closed
        kept = next((found for one, found in closed.items() if one.casefold() == session_id.casefold()), [])
        return sorted((one for one in kept if one.index > after), key=lambda one: one.index)

    def save_pushed(self, pushed: Pushed, due_at: datetime | None) -> None:
        self.books.pushed[pushed.session_id.casefold(), pushed.partner_id] = pushed, due_at


@dataclass(frozen=True, slots=True)
class MemoryPreferences:
    """PreferencesStore: nobody reads them but the stream."""

    books: MemoryBooks

    def save(self, change: PreferencesChange) -> None:
        self.books.changes.append(change)


@dataclass(frozen=True, slots=True)
class MemoryWatchStore:
    """WatchStore."""

    books: MemoryBooks

    def request(self, request_id: str) -> Request | None:
        return self.books.requests.get(request_id)

    def plan(self, request_id: str) -> Plan | None:
        return self.books.plans.get(request_id)

    def active_profile(self, request_id: str) -> Plan | None:
        return self.books.profiles.get(request_id)

    def save_active_profile(self, request_id: str, profile: Plan) -> None:
        self.books.profiles[request_id] = profile

    def place(self, session: Session) -> Place:
        return self.books.sessions.place(session.csms_id, session.station_id)

    def save_watch(self, watch: Watch) -> None:
        self.books.watches[watch.session_id.casefold(), watch.partner_id] = watch
