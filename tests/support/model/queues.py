"""The queues: order and de-duplication of FIFO, visibility, and giving up, as the stack has them (infra.constructs.queues)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ocpi_bridge.adapters.sqs.messages import deduplication_id, delay_seconds
from ocpi_bridge.domain.events import StationEvent
from ocpi_bridge.ports.messages import (
    CommandMessage,
    DeadlineMessage,
    FailedDelivery,
    Message,
    OverdueSession,
    PushMessage,
    ResultMessage,
)
from tests.support.clocks import ManualClock

# SQS's own: a FIFO queue drops a repetition within this time.
DEDUPLICATED_FOR = timedelta(minutes=5)


class Queue(StrEnum):
    """The queues, by what lies in them."""

    COMMANDS = "charger-commands"
    DEADLINES = "request-deadlines"
    RESULTS = "result-callbacks"
    UPDATES = "partner-updates"
    EVENTS = "csms-events"
    FAILED = "result-callbacks-dlq"


VISIBILITY = {
    Queue.COMMANDS: timedelta(seconds=30),
    Queue.DEADLINES: timedelta(seconds=72),
    Queue.RESULTS: timedelta(seconds=72),
    Queue.UPDATES: timedelta(seconds=180),
    Queue.EVENTS: timedelta(seconds=180),
}
TRIES = {Queue.COMMANDS: 20, Queue.DEADLINES: 20, Queue.RESULTS: 20, Queue.UPDATES: 5, Queue.EVENTS: 5}


@dataclass(eq=False)
class Entry:
    """A message in its queue; those of a group stay in order."""

    queue: Queue
    message: Message | StationEvent
    visible_at: datetime
    group: str | None = None
    receipts: int = 0


class ModelQueues:
    """Outbox, and what workers take out. `failed` are the results that were given up; `dead` what ended in another DLQ."""

    def __init__(self, clock: ManualClock) -> None:
        self.entries: list[Entry] = []
        self.failed: list[FailedDelivery] = []
        self.dead: list[Entry] = []
        self._clock = clock
        self._seen: dict[str, datetime] = {}

    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        for message in messages:
            self._send(message, again)

    def report(self, event: StationEvent) -> None:
        """A CSMS reports."""
        self.entries.append(Entry(Queue.EVENTS, event, self._clock.now()))

    def due(self) -> Entry | None:
        """The next message that a worker may take now."""
        blocked: set[tuple[Queue, str]] = set()
        for entry in self.entries:
            place = (entry.queue, entry.group or "")
            if entry.group is not None and place in blocked:
                continue
            if entry.visible_at <= self._clock.now():
                return entry
            if entry.group is not None:
                blocked.add(place)
        return None

    def taken(self, entry: Entry) -> None:
        """A worker received it: others do not see it for a while."""
        entry.receipts += 1
        entry.visible_at = self._clock.now() + VISIBILITY[entry.queue]

    def done(self, entry: Entry) -> None:
        """It was done, by whoever took it."""
        if entry in self.entries:
            self.entries.remove(entry)

    def comes_back(self, entry: Entry, seconds: float | None = None) -> None:
        """It was not done: it is seen again after so many seconds, or after its visibility, if it has any try left."""
        if seconds is not None:
            entry.visible_at = self._clock.now() + timedelta(seconds=max(1, round(seconds)))
        if entry.receipts >= TRIES[entry.queue]:
            self.done(entry)
            self.dead.append(entry)

    @property
    def next_at(self) -> datetime | None:
        """When the next message is seen."""
        return min((entry.visible_at for entry in self.entries), default=None)

    def repeat(self, entry: Entry) -> None:
        """At-least-once: the message is there a second time."""
        self.entries.append(Entry(entry.queue, entry.message, entry.visible_at, entry.group))

    def lying_in(self, queue: Queue) -> list[Entry]:
        return [entry for entry in self.entries if entry.queue is queue]

    def _send(self, message: Message, again: str | None) -> None:
        now = self._clock.now()
        match message:
            case CommandMessage():
                self._fifo(Queue.COMMANDS, message, message.station_key, again)
            case PushMessage():
                self._fifo(Queue.UPDATES, message, f"{message.partner_id}#{message.session_id}", again)
            case DeadlineMessage():
                delay = timedelta(seconds=delay_seconds(message, now))
                self.entries.append(Entry(Queue.DEADLINES, message, now + delay))
            case ResultMessage():
                self.entries.append(Entry(Queue.RESULTS, message, now))
            case OverdueSession():
                self.entries.append(Entry(Queue.EVENTS, message, now))
            case FailedDelivery():
                self.failed.append(message)

    def _fifo(self, queue: Queue, message: CommandMessage | PushMessage, group: str, again: str | None) -> None:
        now, mark = self._clock.now(), f"{queue}:{deduplication_id(message, again)}"
        if mark in self._seen and now < self._seen[mark] + DEDUPLICATED_FOR:
            return
        self._seen[mark] = now
        self.entries.append(Entry(queue, message, now, group))
