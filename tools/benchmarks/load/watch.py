"""What is seen from outside while a step runs: the queues, and who uses the processors."""

import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import httpx
import psutil

from tools.benchmarks.load.findings import Processors, QueueFinding
from tools.counterparts.json_types import JsonObject, as_int, as_list, as_object
from tools.local_stack import LocalStack
from tools.prove.every import Every

# The embedded AWS says so of all messages at once; asking more often would be a load of its own.
LOOK_EVERY = 1.0
LOOK_SECONDS = 30.0
QUEUE, DEAD_LETTERS, FAILURES = "QueueUrl", "DeadLetterQueueUrl", "RelayFailuresQueueUrl"


@dataclass(frozen=True, slots=True)
class QueueLook:
    """One look at one queue: messages that could be handed out, the age of the oldest (s), and those in flight.

    What is delayed is neither: it has been handed to nobody, and nobody may have it yet.
    """

    waiting: int = 0
    oldest: float = 0.0
    in_flight: int = 0


def look_at(messages: Sequence[JsonObject], now: float) -> QueueLook:
    """The look that the messages of a queue give; `now` is in seconds since 1970."""
    waiting = [one for one in messages if one.get("IsVisible")]
    in_flight = sum(not one.get("IsVisible") and bool(one.get("ReceiveCount")) for one in messages)
    ages = [now - (as_int(one.get("SentTimestamp")) or now) for one in waiting]
    return QueueLook(len(waiting), max(0.0, *ages) if ages else 0.0, in_flight)


def queue_finding(name: str, looks: Sequence[QueueLook]) -> QueueFinding:
    """What all looks at a queue say together."""
    if not looks:
        return QueueFinding(name)
    return QueueFinding(
        name,
        deepest=max(look.waiting for look in looks),
        oldest=max(look.oldest for look in looks),
        in_flight=max(look.in_flight for look in looks),
        serial=sum(look.waiting > 0 and look.in_flight <= 1 for look in looks) / len(looks),
    )


class Queues:
    """The queues of a stack, and what lies in them. Thread safe."""

    def __init__(self, stack: LocalStack) -> None:
        outputs = stack.outputs
        urls = [url for name, url in outputs.items() if name.endswith(QUEUE) and not name.endswith(DEAD_LETTERS)]
        queues = [url.rpartition("/")[2] for url in urls if url != outputs[FAILURES]]
        prefix = f"{stack.description.stack_name}-"
        self._names = {queue: queue.removeprefix(prefix) for queue in queues}
        trust = ssl.create_default_context(cafile=str(stack.ca_file))
        self._client = httpx.Client(base_url=stack.description.endpoint, verify=trust, trust_env=False)

    def look(self) -> Mapping[str, QueueLook]:
        """Every queue as it is now, by its name without the stack's."""
        answer = self._client.get("/_ministack/sqs/messages", timeout=LOOK_SECONDS)
        answer.raise_for_status()
        now = time.time()
        found = {name: QueueLook() for name in self._names.values()}
        for regions in as_object(as_object(answer.json()).get("messages")).values():
            for queues in as_object(regions).values():
                for url, messages in as_object(queues).items():
                    name = self._names.get(url.rpartition("/")[2])
                    if name is not None:
                        found[name] = look_at([as_object(one) for one in as_list(messages)], now)
        return found

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()


class Watch:
    """Looks at queues and processors until it is left; then `queues` and `processors` say what was seen."""

    def __init__(self, stack: LocalStack, queues: Queues) -> None:
        self.queues: Sequence[QueueFinding] = ()
        self.processors = Processors(0, 0.0, 0.0, 0.0)
        self._stack = stack
        self._queues = queues
        self._looks: dict[str, list[QueueLook]] = defaultdict(list)
        self._used: dict[int, tuple[str, float, float]] = {}
        self._prefix = f"{stack.description.stack_name}-"
        self._every = Every(LOOK_EVERY, self._look, name="looks")
        self._emulator = psutil.Process(stack.description.pid)
        self._load = psutil.Process()
        self._began = self._now()

    def __enter__(self) -> Self:
        self._began = self._now()
        for pid, name in self._stack.workers().items():
            seconds = _seconds(pid)
            self._used[pid] = name, seconds, seconds
        self._every.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._every.__exit__(kind, error, trace)
        self._note_workers()
        began, ended = self._began, self._now()
        seconds, machine, emulator, load = (after - before for before, after in zip(began, ended, strict=True))
        workers: dict[str, float] = defaultdict(float)
        for name, first, last in self._used.values():
            workers[name.removeprefix(self._prefix)] += (last - first) / seconds
        self.processors = Processors(
            psutil.cpu_count() or 1, machine / seconds, emulator / seconds, load / seconds, dict(workers)
        )
        self.queues = [queue_finding(name, looks) for name, looks in sorted(self._looks.items())]

    def _look(self, _over: threading.Event) -> None:
        for name, look in self._queues.look().items():
            self._looks[name].append(look)
        self._note_workers()

    def _note_workers(self) -> None:
        """A process that ended since the last look keeps what it had used by then; a new one has used all of it here."""
        for pid, name in self._stack.workers().items():
            with suppress(psutil.NoSuchProcess):
                _, first, _ = self._used.get(pid, (name, 0.0, 0.0))
                self._used[pid] = name, first, _seconds(pid)

    def _now(self) -> tuple[float, float, float, float]:
        everybody = psutil.cpu_times()
        busy = everybody.user + everybody.nice + everybody.system
        return time.monotonic(), busy, _used_by(self._emulator), _used_by(self._load)


def _seconds(pid: int) -> float:
    with suppress(psutil.NoSuchProcess):
        return _used_by(psutil.Process(pid))
    return 0.0


def _used_by(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
