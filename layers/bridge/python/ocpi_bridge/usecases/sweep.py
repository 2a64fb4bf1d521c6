"""Each minute: wake what a stream, a queue or a crash dropped, what is due, and what an assignment may have changed.

It reads states; it never decides anything.
"""

from datetime import datetime, timedelta

from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.messages import CommandMessage, DeadlineMessage, Message, Outbox, PushMessage, ResultMessage
from ocpi_bridge.ports.sweep import OpenRequest, Reassessment, SweepStore

# A request that moves by itself is through its first steps long before; younger ones are left alone.
STALLED_AFTER = timedelta(seconds=15)
# For each partner, a sweep wakes about so many live sessions again; the next one goes on from there.
REASSESSED_AT_ONCE = 500
# So many sessions that are over are read, woken and noted in one go.
ENDS_AT_ONCE = 500
# A sweep tells ends again and again for so long, which leaves the other half of its 30 s to what comes after.
ENDS_FOR = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was woken, for metrics: it is normally nothing."""

    requests: int
    pushes: int
    reassessed: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class Sweep:
    """Wakes requests that stalled, pushes that are due, and the live sessions of partners that are reassessed.

    Sessions whose end never came are told to be over, as an event that goes the way of all others. Who a session concerns
    that is over is woken once more: nothing else would make up for a record of its end that was lost.
    Everything it sends is safe to receive twice.
    """

    store: SweepStore
    outbox: Outbox
    clock: Clock

    def __call__(self) -> Swept:
        """Raises what the outbox raises; the next sweep is a minute away."""
        now = self.clock.now()
        stalled = self.store.open_requests(due_before=now - STALLED_AFTER)
        due = self.store.due_in_sessions(due_before=now)
        again = f"sweep-{now:%Y%m%dT%H%M}"
        messages: list[Message] = [message for request in stalled for message in _wake(request)]
        messages += [PushMessage(push.session_id, push.partner_id, again) for push in due.pushes]
        messages += due.overdue
        if messages:
            self.outbox.send(messages, again=again)
        self._tell_ends(now, again)
        reassessed = sum(self._reassess(one) for one in self.store.reassessments())
        return Swept(len(stalled), len(due.pushes), reassessed, len(due.overdue))

    def _tell_ends(self, now: datetime, again: str) -> None:
        """Page after page, until nothing is left or the time is over: the next sweep goes on."""
        while ended := self.store.ended(due_before=now, most=ENDS_AT_ONCE):
            messages = [PushMessage(one.session_id, partner, again) for one in ended for partner in one.partner_ids]
            self.outbox.send(messages, again=again)
            for one in ended:
                self.store.end_told(one.session_id)
            if len(ended) < ENDS_AT_ONCE or self.clock.now() - now >= ENDS_FOR:
                return

    def _reassess(self, reassessment: Reassessment) -> int:
        """The partner's live sessions, or as many as one sweep wakes; it is noted how far that is after they were sent."""
        partner_id, version = reassessment.partner_id, f"reassess-{self.clock.now():%Y%m%dT%H%M%S}"
        woken = 0
        place: Reassessment | None = reassessment
        while place is not None and woken < REASSESSED_AT_ONCE:
            session_ids, place = self.store.live_sessions(place)
            if session_ids:
                self.outbox.send([PushMessage(one, partner_id, version, reassess=True) for one in session_ids])
            woken += len(session_ids)
        self.store.reassessed(reassessment, place)
        return woken


def _wake(request: OpenRequest) -> list[Message]:
    deadline = DeadlineMessage(request.request_id, request.deadline)
    match request.state:
        case RequestState.PENDING:
            command = CommandMessage(request.request_id, request.step, request.attempts, request.station_key)
            return [command, deadline]
        case RequestState.SENT:
            return [deadline]
        case _:
            return [ResultMessage(request.request_id, request.partner_id or "")]
