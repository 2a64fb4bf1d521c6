"""What can be done about dead letters: what a redrive would lead to, and doing it; nothing is lost on the way.

A letter is removed only after what it stands for is on its way again. Whoever is cut off in between leaves it lying, and
what it started a second time changes nothing: all of the bridge's workers take repetitions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from ocpi_bridge.adapters.dynamodb.deliveries import DynamoDeliveryStore
from ocpi_bridge.domain.delivery import STARTED_AGAIN
from ocpi_bridge.domain.errors import BridgeError, UnknownEntity
from ocpi_bridge.domain.requests import UNDELIVERED_RESULT, WAITING, Origin, Request, RequestState
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.runtime.clock import SystemClock
from tools.bridge.dlq_entries import (
    COMMANDS,
    DEADLINES,
    EVENTS,
    RELAY,
    RESULTS,
    UPDATES,
    Entry,
    Standing,
    Standings,
    read_entry,
)
from tools.bridge.dlq_queues import DeadLetterBox, DeadLetterQueue, Letter, Looked

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

# What one look reads of a queue, if nothing else is said.
MOST = 100
# The stack's output of each queue; the relay's has no queue that it belongs to.
OUTPUTS: Mapping[str, str] = {
    COMMANDS: "ChargerCommands",
    DEADLINES: "RequestDeadlines",
    RESULTS: "ResultCallbacks",
    UPDATES: "PartnerUpdates",
    EVENTS: "CsmsEvents",
    RELAY: "RelayFailures",
}


class AmbiguousEntry(BridgeError):
    """Several entries begin like that."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a redrive of an entry leads to now; `useful` is False where nothing would come of it.

    `stale`: the partner would be told a result after the timeout that it was told, so a person must want it.
    """

    does: str
    useful: bool = True
    stale: bool = False


class Done(StrEnum):
    """What became of an entry."""

    REDRIVEN = "redriven"
    DISCARDED = "discarded"
    LEFT = "left"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry with what it is about, as that stands now, and what a redrive would do."""

    entry: Entry
    standing: Standing
    effect: Effect


@dataclass(frozen=True, slots=True)
class Listed:
    """The entries of a queue, the oldest first, and how many more there are."""

    queue: DeadLetterQueue
    entries: tuple[tuple[Entry, Request | None], ...]
    looked: Looked


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead letters of one deployment."""

    box: DeadLetterBox
    queues: Sequence[DeadLetterQueue]
    standings: Standings
    deliveries: DynamoDeliveryStore
    clock: Clock

    @classmethod
    def on_aws(
        cls,
        sqs: "SQSClient",
        dynamodb: "DynamoDBClient",
        output: Callable[[str], str],
        *,
        sessions: str,
        requests: str,
        registry: str,
    ) -> Self:
        """Those of a stack; `output` gives its outputs."""
        queues = [
            DeadLetterQueue(name, output(f"{key}QueueUrl"))
            if name == RELAY
            else DeadLetterQueue(name, output(f"{key}DeadLetterQueueUrl"), output(f"{key}QueueUrl"))
            for name, key in OUTPUTS.items()
        ]
        clock = SystemClock()
        return cls(
            DeadLetterBox(sqs),
            queues,
            Standings(dynamodb, sessions, requests, registry),
            DynamoDeliveryStore(dynamodb, sessions, requests, registry, clock),
            clock,
        )

    # --- Looking -----------------------------------------------------------------------------------------------------

    def listed(self, name: str | None = None, most: int = MOST) -> Iterator[Listed]:
        """What lies in one queue, or in all. Raises UnknownEntity."""
        for queue in self._named(name):
            looked = self.box.look(queue, most)
            entries = sorted(self._read(queue, looked.letters), key=lambda entry: entry.at)
            yield Listed(queue, tuple(self.standings.completed(entries)), looked)

    def find(self, beginning: str, name: str | None = None, most: int = MOST) -> Found:
        """The entry whose id begins like that, as all of it stands now. Raises UnknownEntity or AmbiguousEntry."""
        found: dict[str, tuple[Entry, Request | None]] = {}
        unread = 0
        for listed in self.listed(name, most):
            found |= {
                one.entry_id: (one, request) for one, request in listed.entries if one.entry_id.startswith(beginning)
            }
            unread += listed.looked.unread
        if not found:
            hint = f" among those that were read; {unread} were not (--most)" if unread else ""
            raise UnknownEntity("dead letter", f"{beginning}{hint}")
        if len(found) > 1:
            raise AmbiguousEntry(f"{len(found)} dead letters begin with {beginning!r}: give more of the id")
        [(entry, request)] = found.values()
        return self.judged(entry, request)

    def judged(self, entry: Entry, request: Request | None) -> Found:
        """An entry with what it is about, and what a redrive would do."""
        standing = self.standings.standing(entry, request)
        return Found(entry, standing, effect_of(entry, standing, self.clock.now()))

    # --- Doing -------------------------------------------------------------------------------------------------------

    def redrive(self, found: Sequence[Found], most: int = MOST) -> dict[str, Done]:
        """Has the work of entries of one queue done again, where that leads to something."""
        useful = {one.entry.entry_id: one for one in found if one.effect.useful}
        done = self._each(useful, most, self._start)
        return {one.entry.entry_id: done.get(one.entry.entry_id, Done.LEFT) for one in found}

    def discard(self, found: Sequence[Found], most: int = MOST) -> dict[str, Done]:
        """Deletes entries of one queue for good."""
        return self._each({one.entry.entry_id: one for one in found}, most, lambda _found, _letter: Done.DISCARDED)

    def _each(self, found: Mapping[str, Found], most: int, do: Callable[[Found, Letter], Done]) -> dict[str, Done]:
        """Takes the letters once more: between the look and a person's word another person may have been faster."""
        done = dict.fromkeys(found, Done.GONE)
        for queue in {one.entry.queue for one in found.values()}:
            with self.box.held(queue, most) as looked:
                for letter in looked.letters:
                    if letter.message_id not in found:
                        continue
                    done[letter.message_id] = do(found[letter.message_id], letter)
                    if done[letter.message_id] is not Done.LEFT:
                        self.box.remove(queue, letter)
        return done

    def _start(self, found: Found, letter: Letter) -> Done:
        request = found.standing.request
        if found.entry.queue.name == RESULTS and request is not None and request.state is RequestState.UNDELIVERED:
            now = self.clock.now()
            started = self.deliveries.deliver_again(request, now, now + STARTED_AGAIN)
            return Done.REDRIVEN if started else Done.LEFT
        self.box.put_back(found.entry.queue, letter)
        return Done.REDRIVEN

    def _named(self, name: str | None) -> Sequence[DeadLetterQueue]:
        if name is None:
            return self.queues
        named = [queue for queue in self.queues if queue.name == name]
        if not named:
            raise UnknownEntity("queue", f"{name}; there are {', '.join(queue.name for queue in self.queues)}")
        return named

    def _read(self, queue: DeadLetterQueue, letters: Sequence[Letter]) -> list[Entry]:
        speechless = any(letter.failure is None for letter in letters)
        tries = self.box.tries(queue) if speechless else None
        return [read_entry(queue, letter, tries) for letter in letters]


def effect_of(entry: Entry, standing: Standing, now: datetime) -> Effect:
    """What a redrive of an entry would do now. Pure."""
    match entry.queue.name:
        case "relay-failures":
            return _nothing("it names positions in a stream, and no messages; the sweep has woken what was not relayed")
        case "csms-events":
            return Effect("the report is taken in once more; what is older than what is known changes nothing")
        case "partner-updates":
            if entry.session_id is not None and standing.session is None:
                return _nothing("the session is not kept any more")
            return Effect("the newest state of the session is compared with what the partner knows; news is pushed")
    if entry.request_id is None:
        return Effect("its worker gets it once more, and can read it no better unless it was mended")
    if standing.request is None:
        return _nothing("the request is not kept any more, or cannot be read")
    match entry.queue.name:
        case "charger-commands":
            return _of_a_command(standing.request, now)
        case "request-deadlines":
            return _of_a_deadline(standing.request, now)
        case _:
            return _of_a_result(standing.request, now)


def _nothing(why: str) -> Effect:
    return Effect(f"nothing: {why}", useful=False)


def _of_a_command(request: Request, now: datetime) -> Effect:
    if request.state not in WAITING:
        return _nothing(f"the request is {request.state.value}")
    if now >= request.deadline:
        return _nothing("the request is past its deadline; the sweep expires it within a minute")
    return Effect("the command is sent to the charge point, if the time to its deadline is enough")


def _of_a_deadline(request: Request, now: datetime) -> Effect:
    if request.state in WAITING:
        return Effect("the request expires and is answered REJECTED")
    return _of_a_result(request, now) if request.state in UNDELIVERED_RESULT else _nothing(_ended(request))


def _of_a_result(request: Request, now: datetime) -> Effect:
    if request.state in WAITING or request.origin is not Origin.PARTNER or request.result is None:
        return _nothing(f"the request is {request.state.value}, and has no result to deliver")
    late = now >= request.deliver_until
    if request.state in UNDELIVERED_RESULT:
        if late:
            return Effect("the result is too late and is given up; it lies here again then, with its reason")
        return Effect(f"the partner is told {request.result.value}")
    if request.state is not RequestState.UNDELIVERED:
        return _nothing(_ended(request))
    return Effect(f"the partner is told {request.result.value}", stale=now >= request.timeout_at)


def _ended(request: Request) -> str:
    told = "its result was delivered" if request.state is RequestState.DELIVERED else "its result was given up"
    return f"the request is {request.state.value}: {told}"
