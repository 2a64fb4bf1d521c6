"""One run: a world on the stack, requests in the middle of trouble, the wait until all is over, the evidence."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from random import Random
from threading import Event

from tools.local_stack import LocalStack
from tools.prove.aws_proxy import AwsProxy
from tools.prove.csms_faults import CsmsFaults
from tools.prove.every import Every
from tools.prove.evidence import Evidence, Records, gather
from tools.prove.load import Load
from tools.prove.partner_faults import PartnerFaults
from tools.prove.place import place
from tools.prove.readings import Readings
from tools.prove.tripwire import Tripwire
from tools.prove.trouble import Trouble

Say = Callable[[str], None]
# Seconds between two readings of a meter, at any charge point.
READING_EVERY = 0.5
# So few open requests wait for their deadline, or for a partner that fails.
STRAGGLERS = 5
# How often what is left open is counted.
POLL_SECONDS = 1.0
# A request is given up at its timeout at the latest; what a crash left over waits for a sweep, 75 s at most, and a
# message that a worker died over comes back after 72 s.
GRACE_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done, and how rough it is.

    Attributes:
        requests: How many the partner sends.
        sessions: How many cars charge.
        timeout: What partners are told (s).
        fault_every: One in so many commands and callbacks goes wrong.
        relay_fault_every: One in so many calls of the relay to a queue goes wrong; it then repeats the whole batch of its stream.
        crash_every: One in so many calls of the CSMS's callback to AWS is its last; the other workers die as often. None: nobody dies.
        trouble_every: Seconds between two spells of trouble.
        spread: Seconds that the requests take at least, so that every kind of trouble comes meanwhile.
        sweep_every: Seconds between two sweeps of our own, None where the schedule's have to do.

    """

    requests: int
    sessions: int
    timeout: int
    fault_every: int
    relay_fault_every: int
    crash_every: int | None
    trouble_every: float
    spread: float = 0.0
    sweep_every: float | None = None


# What `make prove` does. The timeout is longer than a partner's in the field: the embedded AWS sends one command at a time.
FULL = Scale(
    requests=2000, sessions=200, timeout=150, fault_every=12, relay_fault_every=20, crash_every=200, trouble_every=6.0
)
# As rough as it takes to meet each kind of fault in two or three minutes. The timeout leaves room for a sweep after a crash.
SMALL = Scale(
    requests=60,
    sessions=12,
    timeout=75,
    fault_every=3,
    relay_fault_every=8,
    crash_every=50,
    trouble_every=2.0,
    spread=30.0,
    sweep_every=10.0,
)
# What fits into a minute and a half of `make test`. A process that dies is waited for for 72 s, so nobody does.
BRIEF = Scale(
    requests=30,
    sessions=8,
    timeout=60,
    fault_every=4,
    relay_fault_every=8,
    crash_every=None,
    trouble_every=2.0,
    spread=10.0,
    sweep_every=5.0,
)


class Chaos:
    """Runs once on a stack that runs already. `seconds` tells how long each part took."""

    def __init__(self, stack: LocalStack, scale: Scale, *, seed: int, say: Say = lambda _: None) -> None:
        self.seconds: dict[str, float] = {}
        self._functions = stack.client("lambda")
        self._stack = stack
        self._scale = scale
        self._seed = seed
        self._say = say

    def run(self) -> Evidence:
        """Does it and returns the evidence."""
        scale, seed = self._scale, self._seed
        with ExitStack() as running:
            wire = running.enter_context(Tripwire())
            forbidden = f"http://127.0.0.1:{wire.port}/results"
            partner = PartnerFaults(seed=seed, forbidden_url=forbidden)
            csms = CsmsFaults(seed=seed, every=scale.fault_every)
            proxy = running.enter_context(
                AwsProxy(self._stack, seed=seed, every=scale.relay_fault_every, crash_every=scale.crash_every)
            )
            started = time.monotonic()
            where = running.enter_context(
                place(self._stack, sessions=scale.sessions, timeout=scale.timeout, say=self._say)
            )
            self._took("arrivals", started)
            records = Records(self._stack, where.world.csms_id)
            where.world.partner.http.plan_each(partner.choose)
            csms.attach(where.world.csms)
            if scale.sweep_every is not None:
                running.enter_context(Every(scale.sweep_every, self._sweep, name="sweeps"))
            trouble = Trouble(where, proxy, csms, Random(f"{seed} trouble"))
            load = Load(where.world.partner.bridge, partner, where.sessions, forbidden, Random(f"{seed} load"))
            started = time.monotonic()
            proxy.stormy = csms.stormy = True
            with (
                Every(scale.trouble_every, trouble.make, name="trouble"),
                Every(READING_EVERY, Readings(where).send, name="readings"),
            ):
                exchanges = load.send(scale.requests, self._say, spread=scale.spread)
                self._await_the_rest(records)
            proxy.stormy = csms.stormy = False
            self._took("requests", started)
            started = time.monotonic()
            records.await_end(scale.timeout + GRACE_SECONDS, self._say)
            self._took("the end of all", started)
            return replace(
                gather(where, records, partner, exchanges, scale.requests),
                disturbed=proxy.disturbed,
                dials=wire.dials,
                faults={
                    name: count
                    for tally in (partner.tally, csms.tally, proxy.tally, trouble.tally)
                    for name, count in tally.counts().items()
                },
                crashes=proxy.crashes.counts(),
            )

    def _await_the_rest(self, records: Records) -> None:
        """Returns when only so few requests are open that they hardly meet what goes wrong, or at the last's timeout."""
        give_up_at = time.monotonic() + self._scale.timeout
        while records.open_requests() > STRAGGLERS and time.monotonic() < give_up_at:
            self._say("all requests are sent, trouble goes on")
            time.sleep(POLL_SECONDS)

    def _sweep(self, _over: Event) -> None:
        self._functions.invoke(FunctionName=self._stack.function_name("sweep"), Payload=b"{}")

    def _took(self, what: str, started: float) -> None:
        self.seconds[what] = round(time.monotonic() - started, 1)
