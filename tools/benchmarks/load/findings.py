"""What a run has found: steps of rising load, what each achieved, and what held it back. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tools.prove.evidence import Evidence
from tools.prove.verdict import Section, Verdict, judge, zero

# A step keeps up if so much of what was offered was done before its time was over: the last of it is still under way.
KEPT_UP = 0.85
# Throughput rises if a step with twice the load does so much more.
RISEN = 1.1
# A process that computes nearly all the time has no core left to use; a thread pool's gaps are smaller than the rest.
BUSY = 0.85
# Messages waited behind one that was in flight in so many of the looks.
MOSTLY = 0.5
COMMANDS = "charger-commands.fifo"


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and 95th percentile of durations (s); `count` is of how many."""

    count: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class QueueFinding:
    """What was seen of a queue: most messages waiting, the oldest of them (s), most in flight at once.

    `serial` is the share of all looks in which messages waited while no more than one was in flight.
    """

    name: str
    deepest: int = 0
    oldest: float = 0.0
    in_flight: int = 0
    serial: float = 0.0

    @property
    def is_fifo(self) -> bool:
        """Whether it keeps messages in order."""
        return self.name.endswith(".fifo")


@dataclass(frozen=True, slots=True)
class Processors:
    """Cores that were used, on average: by the embedded AWS's process, each function's processes, the load itself, all.

    `cores` is how many the machine has, `machine` how many were used by anybody.
    """

    cores: int
    machine: float
    emulator: float
    load: float
    workers: Mapping[str, float] = field(default_factory=dict)

    @property
    def of_workers(self) -> float:
        """All functions together."""
        return sum(self.workers.values())

    @property
    def others(self) -> float:
        """What has nothing to do with the run."""
        return max(0.0, self.machine - self.emulator - self.load - self.of_workers)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: so many sessions for so long (s), what was offered and done in that time, and what was seen of it.

    Counts are of profile requests and of meter readings. A request is done when its result is at the partner, and
    unanswered when the partner gave up waiting for its answer, which promises nothing; a reading is done
    when the partner was told of it, by a push that may tell several. Durations begin with the PUT or the reading;
    `to_command` ends where the CSMS gets the command.
    """

    sessions: int
    seconds: float
    requests_offered: int
    requests_done: int
    requests_unanswered: int
    updates_offered: int
    updates_done: int
    to_answer: Spread | None
    to_command: Spread | None
    to_result: Spread | None
    to_push: Spread | None
    queues: Sequence[QueueFinding]
    processors: Processors

    @property
    def keeps_up(self) -> bool:
        """Whether nearly all that was offered was done in time."""
        offered_and_done = ((self.requests_offered, self.requests_done), (self.updates_offered, self.updates_done))
        return all(done >= KEPT_UP * offered for offered, done in offered_and_done)

    @property
    def done_per_second(self) -> float:
        """Requests and updates together."""
        return (self.requests_done + self.updates_done) / self.seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that held a step back, and what shows it."""

    what: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Findings:
    """The whole run."""

    steps: Sequence[Step]
    verdict: Verdict

    @property
    def nothing_lost(self) -> bool:
        """Whether each promise was kept."""
        return self.verdict.proved

    @property
    def limited(self) -> Step | None:
        """The first step that did not keep up."""
        return next((step for step in self.steps if not step.keeps_up), None)

    @property
    def telling(self) -> Step:
        """The step whose queues say most: the one that was held back, else the last."""
        return self.limited or self.steps[-1]

    @property
    def limits(self) -> Sequence[Limit]:
        """What held that step back, the strongest evidence first; nothing where every step kept up."""
        return [] if self.limited is None else tuple(limits_of(self.limited))


def has_risen(before: Step | None, after: Step) -> bool:
    """Whether the step did more than the one before, so that one with more load is worth its time."""
    return before is None or after.done_per_second >= RISEN * before.done_per_second


def limits_of(step: Step) -> Iterator[Limit]:
    """What held a step back: who used up a core, and which queue let nothing pass."""
    used = step.processors
    if used.emulator >= BUSY:
        yield Limit(
            "the embedded AWS: it is one process, and that has no more of a core to use",
            f"it used {used.emulator:.2f} of one core; all {len(used.workers)} functions together {used.of_workers:.2f}",
        )
    for queue in step.queues:
        if queue.is_fifo and queue.serial >= MOSTLY:
            yield Limit(
                f"the embedded AWS: it hands out {queue.name} one message at a time, over all groups",
                f"messages waited behind a single one in {queue.serial:.0%} of the looks, {queue.deepest} of them, "
                f"the oldest for {queue.oldest:.0f} s",
            )
    yield from _relay(step)
    if used.load >= BUSY:
        yield Limit(
            "the load itself: partner, CSMS and charge points are one process",
            f"it used {used.load:.2f} of one core",
        )
    if used.machine >= BUSY * used.cores:
        yield Limit(
            "the machine: its cores are used up",
            f"{used.machine:.2f} of {used.cores} cores: embedded AWS {used.emulator:.2f}, functions "
            f"{used.of_workers:.2f}, the load {used.load:.2f}, others {used.others:.2f}",
        )


def _relay(step: Step) -> Iterator[Limit]:
    """What was neither in the queue of commands nor with the CSMS was still in a table's stream."""
    if step.to_command is None or step.to_result is None:
        return
    in_queue = next((queue.oldest for queue in step.queues if queue.name == COMMANDS), 0.0)
    in_stream = step.to_command.p95 - in_queue
    if in_stream >= MOSTLY * step.to_result.p95:
        yield Limit(
            "the embedded AWS: it relays streams one batch at a time, by the thread that also serves all queues",
            f"a PUT's command reached the CSMS after {step.to_command.p95:.1f} s (95th percentile), and was in its queue "
            f"for {in_queue:.0f} s of that at most; its result was there after {step.to_result.p95:.1f} s",
        )


def judged(evidence: Evidence, untold: Sequence[str] = ()) -> Verdict:
    """The verdict on what became of requests and readings: the proof's, and stricter, since nothing fails on purpose.

    `untold` are the sessions of whose last reading the partner was not told.
    """
    twice = [one for one in evidence.sent if len(evidence.attempts.get(one.response_url, ())) > 1]
    given_up = [one for reasons in evidence.dead.values() for one in reasons]
    rows = (
        zero("results posted more than once", (f"{one.method} {one.session_id}" for one in twice)),
        zero("results that were given up", given_up),
        zero("sessions of whose last reading the partner was not told", untold),
    )
    return Verdict((Section("Where nothing fails on purpose", rows), *judge(evidence).sections))
