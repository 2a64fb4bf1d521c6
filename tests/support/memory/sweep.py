"""What the sweep reads, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from ocpi_bridge.adapters.dynamodb.reassessments import EVERYBODY
from ocpi_bridge.adapters.dynamodb.session_items import FEED_SHARDS, feed_shard
from ocpi_bridge.adapters.dynamodb.sweep import OVERDUE_PAGE, REASSESSMENTS_PAGE, SWEEP_PAGE
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.ports.sweep import DueInSessions, DuePush, EndedSession, OpenRequest, Reassessment
from tests.support.memory.books import MemoryBooks, whole_ms


@dataclass(frozen=True, slots=True)
class MemorySweepStore:
    """SweepStore, with the pages of the real one."""

    books: MemoryBooks

    def open_requests(self, due_before: datetime) -> Sequence[OpenRequest]:
        due = [one for one in self.books.open_requests() if whole_ms(one.created_at) <= whole_ms(due_before)]
        return [_seen(one) for one in sorted(due, key=lambda one: one.created_at)[:SWEEP_PAGE]]

    def due_in_sessions(self, due_before: datetime) -> DueInSessions:
        kept = [(due_at, DuePush(*key)) for key, (_, due_at) in self._pushes() if due_at is not None]
        kept += [
            (watch.due_at, DuePush(watch.session_id, watch.partner_id))
            for watch in self.books.watches.values()
            if watch.due_at is not None
        ]
        due = sorted((one for one in kept if whole_ms(one[0]) <= whole_ms(due_before)), key=lambda one: one[0])
        overdue = self.books.sessions.overdue(due_before)
        return DueInSessions([push for _, push in due[:SWEEP_PAGE]], overdue[:OVERDUE_PAGE])

    def ended(self, due_before: datetime, most: int) -> Sequence[EndedSession]:
        due = sorted((due_at, folded) for folded, due_at in self.books.sessions.ended.items())
        sessions = [
            self.books.sessions.sessions[folded] for due_at, folded in due if whole_ms(due_at) <= whole_ms(due_before)
        ]
        return [EndedSession(session.session_id, session.concerns) for session in sessions[:most]]

    def end_told(self, session_id: str) -> None:
        self.books.sessions.ended.pop(session_id.casefold(), None)

    def reassessments(self) -> Sequence[Reassessment]:
        notes = self.books.reassessments
        everybody = notes.pop(EVERYBODY, None)
        if everybody is not None:
            notes |= {one: Reassessment(one, everybody.begun) for one in self.books.partners}
        return list(islice((notes[one] for one in sorted(notes)), REASSESSMENTS_PAGE))

    def live_sessions(self, reassessment: Reassessment) -> tuple[Sequence[str], Reassessment | None]:
        found = sorted(
            one.session_id
            for one in self.books.sessions.sessions.values()
            if not one.over
            and reassessment.partner_id in one.rights.seen_by
            and feed_shard(one.session_id) == reassessment.shard
            and one.session_id > (reassessment.after or " ")
        )
        page = found[:SWEEP_PAGE]
        if len(found) > len(page):
            return page, replace(reassessment, after=page[-1])
        if reassessment.shard + 1 < FEED_SHARDS:
            return page, replace(reassessment, shard=reassessment.shard + 1, after="")
        return page, None

    def reassessed(self, before: Reassessment, after: Reassessment | None) -> None:
        if self.books.reassessments.get(before.partner_id) != before:
            return
        if after is None:
            del self.books.reassessments[before.partner_id]
        else:
            self.books.reassessments[before.partner_id] = replace(before, shard=after.shard, after=after.after)

    def _pushes(self) -> list[tuple[tuple[str, str], tuple[object, datetime | None]]]:
        """By the session's id as it is written."""
        return [((pushed.session_id, pushed.partner_id), (pushed, due)) for pushed, due in self.books.pushed.values()]


def _seen(request: Request) -> OpenRequest:
    return OpenRequest(
        request_id=request.request_id,
        state=request.state,
        step=request.step,
        attempts=request.attempts,
        station_key=request.station_key,
        partner_id=request.partner_id,
        created_at=whole_ms(request.created_at),
        deadline=whole_ms(request.deadline),
        due_at=whole_ms(request.created_at),
    )
