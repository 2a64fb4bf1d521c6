"""Each minute: wake whatever a stream, a queue or a crash dropped. It reads states; it never decides anything."""

from dataclasses import dataclass
from datetime import timedelta

from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.ports import (
    Clock,
    CommandMessage,
    DeadlineMessage,
    Message,
    OpenRequest,
    Outbox,
    PushMessage,
    ResultMessage,
    SweepStore,
)

# A request that moves by itself is through its first steps long before; younger ones are left alone.
STALLED_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Swept:
    """How much was woken, for metrics: it is normally nothing."""

    requests: int
    pushes: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Wakes requests that stalled and pushes that are due. Everything it sends is safe to receive twice."""

    store: SweepStore
    outbox: Outbox
    clock: Clock

    def __call__(self) -> Swept:
        """Raises what the outbox raises; the next sweep is a minute away."""
        now = self.clock.now()
        stalled = self.store.open_requests(due_before=now - STALLED_AFTER)
        due = self.store.due_pushes(due_before=now)
        again = f"sweep-{now:%Y%m%dT%H%M}"
        messages: list[Message] = [message for request in stalled for message in _wake(request)]
        messages += [PushMessage(push.session_id, push.partner_id, again) for push in due]
        if messages:
            self.outbox.send(messages, again=again)
        return Swept(requests=len(stalled), pushes=len(due))


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
