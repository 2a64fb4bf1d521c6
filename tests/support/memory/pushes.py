"""What partners acknowledged, are owed, and wish, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ocpi_bridge.domain.partners import Silence
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
        pushed, due_at = self.books.pushed.get(key, (Pushed(session_id, partner_id), None))
        return PushContext(
            session=self.books.sessions.sessions.get(session_id.casefold()),
            partner=self.books.partners.get(partner_id),
            pushed=replace(pushed, session_id=session_id, at=whole_ms(pushed.at) if pushed.at else None),
            control=self.books.control(session_id),
            watch=self.books.watches.get(key),
            push_due_at=whole_ms(due_at) if due_at else None,
            silence=self.books.silences.get(partner_id) if partner_id in self.books.partners else None,
        )

    def periods(self, session_id: str, after: int) -> Sequence[ChargingPeriod]:
        closed = self.books.sessions.closed
        kept = next((found for one, found in closed.items() if one.casefold() == session_id.casefold()), [])
        return sorted((one for one in kept if one.index > after), key=lambda one: one.index)

    def save_pushed(self, pushed: Pushed, due_at: datetime | None) -> None:
        self.books.pushed[pushed.session_id.casefold(), pushed.partner_id] = pushed, due_at


@dataclass(frozen=True, slots=True)
class MemorySilences:
    """SilenceStore."""

    books: MemoryBooks

    def begin_silence(self, partner_id: str, silence: Silence) -> bool:
        before, new = self.books.silences.get(partner_id), _whole(silence)
        if partner_id not in self.books.partners or (before is not None and before.until > new.since):
            return False
        self.books.silences[partner_id] = new
        return True

    def move_silence(self, partner_id: str, silence: Silence, until: datetime) -> bool:
        if not self._stands(partner_id, silence):
            return False
        self.books.silences[partner_id] = replace(self.books.silences[partner_id], until=whole_ms(until))
        return True

    def end_silence(self, partner_id: str, silence: Silence) -> bool:
        return self._stands(partner_id, silence) and self.books.silences.pop(partner_id) is not None

    def _stands(self, partner_id: str, silence: Silence) -> bool:
        now = self.books.silences.get(partner_id)
        return partner_id in self.books.partners and now is not None and now.until == whole_ms(silence.until)


def _whole(silence: Silence) -> Silence:
    return Silence(whole_ms(silence.since), whole_ms(silence.until))


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
