"""A partner is away: what becomes of the pushes of sessions, which follow usecases/push_session.py and partner_line.py."""

import heapq
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from ocpi_bridge.usecases.partner_line import MOST_PATIENCE, PROBE_FOR, PUSH_BUDGET, SHARE_OF_AGE, SILENT_FOR
from ocpi_bridge.usecases.push_session import RETRY_AFTER
from tools.benchmarks.simulation.assumptions import Demand, Service

SWEEP_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Outage:
    """The partner is away from `begin` for `seconds`: it lets every call run into its budget, or refuses at once."""

    begin: float = 900.0
    seconds: float = 600.0
    silent: bool = True

    @property
    def end(self) -> float:
        """When it is back."""
        return self.begin + self.seconds

    def is_on(self, at: float) -> bool:
        """Whether a call that begins now fails."""
        return self.begin <= at < self.end


@dataclass(frozen=True, slots=True)
class Site:
    """So many sessions of one partner, workers that push, and pushes that one sweep wakes.

    All three may be divided by the same number: what comes, what is done and what waits shrink alike.
    """

    sessions: int
    workers: int
    sweep_page: int


@dataclass(slots=True)
class Pushed:
    """What was seen. Times in seconds; `drained` counts from the partner's return, None: not within the run.

    `held_back` counts pushes without a call, because the partner was known to be silent.
    """

    calls_in_vain: int = 0
    calls: int = 0
    held_back: int = 0
    most_waiting: int = 0
    longest_wait: float = 0.0
    wait_before: float = 0.0
    drained: float | None = None


class _What(Enum):
    READING = auto()
    SWEEP = auto()
    HUNG = auto()
    ANSWERED = auto()
    DONE = auto()


@dataclass(slots=True, order=True)
class _Session:
    number: int
    version: int = field(default=1, compare=False)
    changed_at: float = field(default=0.0, compare=False)
    told: int = field(default=1, compare=False)
    told_at: float = field(default=0.0, compare=False)
    in_doubt: bool = field(default=False, compare=False)
    # It failed, or was held back: the partner does not know the newest, and should.
    owed: bool = field(default=False, compare=False)
    attempts: int = field(default=0, compare=False)
    due_at: float | None = field(default=None, compare=False)
    # One message of a session is out at a time; those behind it wait for their turn, and keep when they were sent.
    is_queued: bool = field(default=False, compare=False)
    behind: deque[float] = field(default_factory=deque, compare=False)


class PushSimulation:
    """Runs once; no part of it is left to chance."""

    def __init__(self, site: Site, outage: Outage, demand: Demand, service: Service, *, after: float = 3600.0) -> None:
        self._site = site
        self._outage = outage
        self._demand = demand
        self._service = service
        self._until = outage.end + after
        self._sessions = [_Session(number) for number in range(site.sessions)]
        self._free = site.workers
        self._order = count()
        self._events: list[tuple[float, int, _What, _Session | None]] = []
        self._queue: list[tuple[float, int, _Session]] = []
        self._waiting = 0
        self._owed = 0
        self._silent_until: float | None = None
        self._prober: _Session | None = None
        self.seen = Pushed()

    def run(self) -> Pushed:
        """Runs until the partner knows everything again, or an hour after its return."""
        for session in self._sessions:
            # Evenly spread, readings and pushes apart from each other.
            share = session.number / self._site.sessions
            session.told_at = -share * 7 % 1 * self._demand.push_interval
            self._plan(share * self._demand.reading_every, _What.READING, session)
        self._plan(SWEEP_EVERY, _What.SWEEP)
        while self._events:
            now, _, what, concerned = heapq.heappop(self._events)
            if now > self._until or self.seen.drained is not None:
                break
            self._happen(now, what, concerned)
            self._start(now)
            if now > self._outage.end and what is _What.DONE and self._is_drained(now):
                self.seen.drained = now - self._outage.end
        return self.seen

    def _happen(self, now: float, what: _What, session: _Session | None) -> None:
        if session is None:
            self._plan(now + SWEEP_EVERY, _What.SWEEP)
            due = [(one.due_at, one) for one in self._sessions if one.due_at is not None and one.due_at <= now]
            for _, one in heapq.nsmallest(self._site.sweep_page, due):
                self._send(now, one)
        elif what is _What.READING:
            session.version += 1
            session.changed_at = now
            self._plan(now + self._demand.reading_every, _What.READING, session)
            self._send(now, session)
        elif what is _What.HUNG:
            if session is self._prober or not self._is_silent(now):
                self._prober = None
                self._silent_until = now + SILENT_FOR.total_seconds()
        elif what is _What.ANSWERED:
            self._silent_until = None
        else:
            self._free += 1
            session.is_queued = bool(session.behind)
            if session.behind:
                heapq.heappush(self._queue, (session.behind.popleft(), next(self._order), session))

    def _send(self, now: float, session: _Session) -> None:
        """Into the queue, or behind the session's message that is in it or at a worker."""
        self._waiting += 1
        self.seen.most_waiting = max(self.seen.most_waiting, self._waiting)
        if session.is_queued:
            session.behind.append(now)
        else:
            session.is_queued = True
            heapq.heappush(self._queue, (now, next(self._order), session))

    def _start(self, now: float) -> None:
        while self._free and self._queue:
            sent, _, session = heapq.heappop(self._queue)
            self._free -= 1
            self._waiting -= 1
            wait = now - sent
            self.seen.longest_wait = max(self.seen.longest_wait, wait)
            if now < self._outage.begin:
                self.seen.wait_before = max(self.seen.wait_before, wait)
            self._plan(now + self._step(now, session), _What.DONE, session)

    def _step(self, now: float, session: _Session) -> float:
        """What the worker does with a session, and how long that takes."""
        if session.told == session.version and not session.in_doubt:
            return self._service.nothing
        due = session.told_at + self._demand.push_interval
        if not session.in_doubt and now < due:
            session.due_at = due
            return self._service.held
        if self._silent_until is not None:
            if self._is_silent(now):
                return self._hold(now, session, self._silent_until)
            self._prober, self._silent_until = session, now + PROBE_FOR.total_seconds()
        self.seen.calls += 1
        if self._outage.is_on(now):
            return self._fail(now, session)
        if session is self._prober:
            self._prober = None
            self._plan(now + self._service.pushed, _What.ANSWERED, session)
        self._owe(session, owed=False)
        session.told, session.told_at, session.in_doubt = session.version, now, False
        session.attempts, session.due_at = 0, None
        return self._service.pushed

    def _fail(self, now: float, session: _Session) -> float:
        self.seen.calls_in_vain += 1
        self._owe(session, owed=True)
        session.in_doubt = True
        session.attempts += 1
        seconds = self._service.held + (PUSH_BUDGET if self._outage.silent else self._service.refused)
        if self._outage.silent:
            self._plan(now + seconds, _What.HUNG, session)
        session.due_at = now + seconds + RETRY_AFTER[min(session.attempts, len(RETRY_AFTER)) - 1].total_seconds()
        return seconds

    def _is_silent(self, now: float) -> bool:
        return self._silent_until is not None and now < self._silent_until

    def _hold(self, now: float, session: _Session, until: float) -> float:
        self.seen.held_back += 1
        self._owe(session, owed=True)
        patience = min((now - session.changed_at) / SHARE_OF_AGE, MOST_PATIENCE.total_seconds())
        again_at = max(until, now + patience)
        if session.due_at is not None and now < session.due_at <= again_at:
            return self._service.nothing
        session.due_at = again_at
        return self._service.held

    def _owe(self, session: _Session, *, owed: bool) -> None:
        self._owed += owed - session.owed
        session.owed = owed

    def _is_drained(self, now: float) -> bool:
        """Nothing is owed, and what waits has come since a moment ago."""
        oldest = self._queue[0][0] if self._queue else now
        return self._owed == 0 and now - oldest <= max(1.0, 2 * self.seen.wait_before)

    def _plan(self, at: float, what: _What, session: _Session | None = None) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, session))
