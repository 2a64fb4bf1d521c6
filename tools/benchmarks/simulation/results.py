"""A partner is away: what becomes of the results that it is owed, which follow usecases/deliver_result.py."""

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import count

from ocpi_bridge.domain.delivery import next_attempt
from ocpi_bridge.usecases.deliver_result import ATTEMPT_BUDGET
from tools.benchmarks.simulation.assumptions import Service
from tools.benchmarks.simulation.pushes import Outage

# From acceptance to the charge point's answer (s); the timeout that the partner was told runs meanwhile.
TO_ANSWER = 1.5
# Instead of a chance: the middle of the jitter.
MIDDLE = 0.5
# How long it goes on after the partner's return (s): no result waits longer than its timeout.
AFTER = 600.0
# The instant 0 of the run, for the schedule of attempts, which knows instants only.
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Delivered:
    """What became of the results that were owed. Times in seconds; `drained` counts from the partner's return.

    `given_up` were in the dead-letter queue at their timeout, `untried` of them without an attempt; `spared` were owed
    while the partner was away and reached it all the same.
    """

    owed: int = 0
    owed_meanwhile: int = 0
    delivered: int = 0
    given_up: int = 0
    untried: int = 0
    spared: int = 0
    longest_wait: float = 0.0
    drained: float = 0.0


class _What(Enum):
    ANSWERED = auto()
    AGAIN = auto()
    DONE = auto()


@dataclass(slots=True, order=True)
class _Result:
    number: int
    answered: float = field(compare=False)
    until: float = field(compare=False)
    attempts: int = field(default=0, compare=False)


class ResultSimulation:
    """Results come evenly, `rate` in a second; `workers` deliver them within the partner's `timeout` (s), or never."""

    def __init__(self, rate: float, workers: int, timeout: float, outage: Outage, service: Service) -> None:
        self._every = 1 / rate
        self._free = workers
        self._timeout = timeout
        self._outage = outage
        self._service = service
        self._order = count()
        self._events: list[tuple[float, int, _What, _Result | None]] = []
        self._queue: list[tuple[float, int, _Result]] = []
        self.seen = Delivered()

    def run(self) -> Delivered:
        """Runs from the partner's going until a while after its return."""
        begin, end = self._outage.begin, self._outage.end
        at = begin - self._timeout
        number = 0
        while at < end + AFTER / 2:
            self._plan(at, _What.ANSWERED, _Result(number, at, at - TO_ANSWER + self._timeout))
            number, at = number + 1, at + self._every
        self.seen.owed = number
        while self._events:
            now, _, what, result = heapq.heappop(self._events)
            if what is _What.DONE:
                self._free += 1
            elif result is not None:
                heapq.heappush(self._queue, (now, next(self._order), result))
            self._start(now)
        return self.seen

    def _start(self, now: float) -> None:
        while self._free and self._queue:
            since, _, result = heapq.heappop(self._queue)
            self.seen.longest_wait = max(self.seen.longest_wait, now - since)
            self._free -= 1
            self._plan(now + self._attempt(now, result), _What.DONE)

    def _attempt(self, now: float, result: _Result) -> float:
        """What a worker does with a result, and how long that takes."""
        meanwhile = self._outage.is_on(result.answered)
        left = result.until - now
        if left <= 0:
            self._end(now, result, gave_up=True)
            return self._service.give_up
        if not self._outage.is_on(now):
            self.seen.delivered += 1
            self.seen.spared += meanwhile
            self._end(now, result, gave_up=False)
            return self._service.deliver
        result.attempts += 1
        budget = min(ATTEMPT_BUDGET.total_seconds(), left) if self._outage.silent else self._service.refused
        seconds = self._service.give_up + budget
        due = next_attempt(result.attempts, _moment(now + seconds), _moment(result.until), None, lambda: MIDDLE)
        if due is None:
            self._end(now, result, gave_up=True)
        else:
            self._plan((due - START).total_seconds(), _What.AGAIN, result)
        return seconds

    def _end(self, now: float, result: _Result, *, gave_up: bool) -> None:
        self.seen.owed_meanwhile += self._outage.is_on(result.answered)
        if gave_up:
            self.seen.given_up += 1
            self.seen.untried += result.attempts == 0
        if self._outage.is_on(result.answered):
            self.seen.drained = max(self.seen.drained, now - self._outage.end)

    def _plan(self, at: float, what: _What, result: _Result | None = None) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, result))


def _moment(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)
