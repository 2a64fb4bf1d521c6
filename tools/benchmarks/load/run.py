"""One run: cars on the stack, and steps in each of which more of them report and are steered than in the one before."""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from tools.benchmarks.load.findings import Findings, Spread, Step, has_risen, judged
from tools.benchmarks.load.watch import Queues, Watch
from tools.counterparts.clock import utc_now
from tools.counterparts.journal import NotObservedError
from tools.demo.measurement import summary
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange
from tools.partner_simulator.models import Session
from tools.partner_simulator.sessions import SessionPush
from tools.prove.every import Every
from tools.prove.evidence import Evidence, Records, gather, of_partner
from tools.prove.load import Load
from tools.prove.partner_faults import PartnerFaults
from tools.prove.place import Place, place
from tools.prove.readings import Reading, Readings

Say = Callable[[str], None]

WH_PER_KWH = 1000

# Seconds between two requests for one session, and between two readings of its meter: far more often than in the field,
# where a machine of two cores would need hundreds of cars to be busy.
REQUEST_EVERY = 4.0
READING_EVERY = 2.0
# The least that a partner can be given, so that nearly each reading becomes a PATCH.
PUSH_INTERVAL = 1
# Each is a process of the function behind the API, and starts with a second of work.
MOST_AT_ONCE = 4
# What partners are told (s): a step that the stack cannot keep up with is over long before.
TIMEOUT = 150
# Between two steps the queues run empty, or so long (s).
SETTLE_SECONDS = 45.0
SETTLE_POLL = 0.5
# What was woken late waits for a sweep, which comes each minute.
SWEEP_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many sessions each step has, and how long a step is (s). Twice as many each time, so that it ends soon."""

    sessions: Sequence[int]
    seconds: float


FULL = Plan(sessions=(4, 8, 16, 32, 64), seconds=12.0)
SMALL = Plan(sessions=(2, 4), seconds=5.0)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What all steps use."""

    place: Place
    faults: PartnerFaults
    readings: Readings
    queues: Queues


class LoadRun:
    """Runs once on a stack that runs already."""

    def __init__(self, stack: LocalStack, plan: Plan, *, seed: int = 1, say: Say = lambda _: None) -> None:
        self._stack = stack
        self._plan = plan
        self._random = Random(f"{seed} load")
        self._say = say

    def run(self) -> Findings:
        """Does the steps, the last of them the first that achieved no more than the one before."""
        with ExitStack() as running:
            queues = Queues(self._stack)
            running.callback(queues.close)
            where = running.enter_context(
                place(
                    self._stack,
                    sessions=max(self._plan.sessions),
                    timeout=TIMEOUT,
                    say=self._say,
                    meter_push_interval=PUSH_INTERVAL,
                )
            )
            records = Records(self._stack, where.world.csms_id)
            scene = _Scene(where, PartnerFaults(every=None), Readings(where), queues)
            where.world.partner.http.plan_each(scene.faults.choose)
            steps: list[tuple[Step, list[Exchange]]] = []
            # Functions that start for the first time are no step's matter.
            _, exchanges = self._step(scene, min(self._plan.sessions))
            for sessions in self._plan.sessions:
                step, sent = self._step(scene, sessions)
                exchanges += sent
                risen = has_risen(steps[-1][0] if steps else None, step)
                steps.append((step, sent))
                if not risen:
                    break
            untold = self._untold(scene)
            records.await_end(TIMEOUT, self._say)
            evidence = gather(where, records, scene.faults, exchanges, len(exchanges))
            reached = _reached(evidence)
            done = [replace(step, to_command=_to_command(sent, reached)) for step, sent in steps]
            return Findings(done, judged(evidence, untold))

    def _step(self, scene: _Scene, sessions: int) -> tuple[Step, list[Exchange]]:
        seconds, pushes = self._plan.seconds, scene.place.world.partner.session_pushes
        wanted = round(sessions * seconds / REQUEST_EVERY)
        load = Load(
            scene.place.world.partner.bridge,
            scene.faults,
            scene.place.sessions[:sessions],
            forbidden_url=None,
            random=self._random,
            at_once=min(sessions, MOST_AT_ONCE),
            unanswered_at_most=wanted,
        )
        scene.readings.limit_to(sessions)
        first_reading, first_push = len(scene.readings.sent), pushes.mark()
        began, over = utc_now(), time.monotonic() + seconds
        with (
            Watch(self._stack, scene.queues) as watch,
            Every(READING_EVERY / sessions, scene.readings.send, name="readings"),
        ):
            exchanges = load.send(wanted, lambda said: self._say(f"{sessions} sessions: {said}"), spread=seconds)
            time.sleep(max(0.0, over - time.monotonic()))
        self._settle(exchanges, scene.queues)
        end = began + timedelta(seconds=seconds)
        told = _told(scene.readings.sent[first_reading:], pushes.entries(first_push))
        done = [(one, found[0].at) for one in exchanges if (found := one.results())]
        puts = [one for one in exchanges if one.method == "PUT" and one.is_accepted]
        step = Step(
            sessions=sessions,
            seconds=seconds,
            requests_offered=wanted,
            requests_done=sum(at <= end for _, at in done),
            requests_unanswered=wanted - len(exchanges),
            updates_offered=round(sessions * seconds / READING_EVERY),
            updates_done=sum(at <= end for _, at in told),
            to_answer=_spread([(one.sent_at, one.answer.at) for one in puts if one.answer is not None]),
            to_command=None,
            to_result=_spread([(one.sent_at, at) for one, at in done if one in puts]),
            to_push=_spread(told),
            queues=watch.queues,
            processors=watch.processors,
        )
        return step, exchanges

    def _settle(self, exchanges: Sequence[Exchange], queues: Queues) -> None:
        """Returns when all results have come and the queues are empty, or late."""
        give_up_at = time.monotonic() + SETTLE_SECONDS
        self._say("the queues run empty")
        for exchange in exchanges:
            if exchange.is_accepted:
                with suppress(NotObservedError):
                    exchange.wait_for_result(max(0.0, give_up_at - time.monotonic()))
        while time.monotonic() < give_up_at and any(one.waiting or one.in_flight for one in queues.look().values()):
            time.sleep(SETTLE_POLL)

    def _untold(self, scene: _Scene) -> list[str]:
        """The sessions of whose last reading the partner is not told in the end: level-triggered pushes owe that one."""
        last = {reading.session_id: reading for reading in scene.readings.sent}
        give_up_at = time.monotonic() + SWEEP_SECONDS
        untold = []
        for session_id, reading in last.items():
            self._say("the last readings are told")
            try:
                scene.place.world.partner.wait_for_session(
                    partial(_tells, reading), max(0.0, give_up_at - time.monotonic())
                )
            except NotObservedError:
                untold.append(session_id)
        return untold


def _reached(evidence: Evidence) -> dict[str, datetime]:
    """When the first command of each request of the partner reached the CSMS, by its response URL."""
    first: dict[str, datetime] = {}
    for command in evidence.commands:
        first.setdefault(command.request_id, command.at)
    requests = of_partner(evidence.requests).items()
    return {url: first[request.request_id] for url, request in requests if request.request_id in first}


def _to_command(exchanges: Sequence[Exchange], reached: Mapping[str, datetime]) -> Spread | None:
    puts = (one for one in exchanges if one.method == "PUT")
    return _spread([(one.sent_at, at) for one in puts if (at := reached.get(one.response_url or ""))])


def _told(sent: Sequence[Reading], pushes: Sequence[SessionPush]) -> list[tuple[datetime, datetime]]:
    """When each reading was sent and told, for those that were: by the first push that shows as much energy."""
    known: dict[str, list[SessionPush]] = defaultdict(list)
    for push in pushes:
        known[push.session.id].append(push)
    found = []
    for reading in sent:
        of_session = known[reading.session_id]
        first = bisect_left(of_session, reading.energy_wh, key=lambda push: WH_PER_KWH * push.session.kwh)
        if first < len(of_session):
            found.append((reading.at, of_session[first].at))
    return found


def _tells(reading: Reading, session: Session) -> bool:
    return session.id == reading.session_id and WH_PER_KWH * session.kwh >= reading.energy_wh


def _spread(passed: Sequence[tuple[datetime, datetime]]) -> Spread | None:
    if not passed:
        return None
    p50, p95, _ = summary([(after - before).total_seconds() for before, after in passed])
    return Spread(len(passed), p50, p95)
