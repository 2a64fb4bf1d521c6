"""Between the deployed functions and DynamoDB and SQS: everything goes through, but for what is to go wrong.

The faults reach the deployed functions as AWS's do (tools/prove/aws_way.py).
"""

import time
from collections.abc import Sequence
from random import Random
from typing import Self

from tools.counterparts.http_service import Fault, Request, ResetConnection
from tools.local_stack import LocalStack
from tools.prove import aws_faults
from tools.prove.aws_faults import Crash, QueueFault, TableFault
from tools.prove.aws_way import AwsWay
from tools.prove.rota import Kind, Rota, Tally

# Somebody waits for their answer, or nobody would repeat their run: faults come one by one, as the SDK's own attempts
# (3) have to bear. Queues and streams repeat the runs of the others.
ANSWERING = ("ocpi_charging_profiles", "csms_callback", "csms_events", "sweep")
WORKING = ("relay_outbox", "send_charger_commands", "deliver_results", "push_updates", "ingest_csms_events")
# Whose process may die. The partner's own call is left alone: who loses an answer knows no more than before. So is the
# relay: the embedded AWS waits out the timeout of a stream's function that is gone, and serves no queue meanwhile.
# How many calls each makes for one of the callback: they die about equally often.
CRASHING = {
    "csms_callback": 1,
    "send_charger_commands": 2,
    "push_updates": 3,
    "deliver_results": 4,
    "ingest_csms_events": 5,
}
# One in so many calls goes wrong.
EVERY_ANSWERING = 20
EVERY_WORKING = 20
EVERY_VISIBILITY = 4
# What the relay sends to: each fails as often, though most messages go to the last.
RELAYED = ("charger-commands", "request-deadlines", "result-callbacks", "partner-updates")
# Attempts of the SDK.
APART = 4
# In a spell of throttling one call in so many gets through.
SPARED = 5


class AwsProxy:
    """The functions' way to DynamoDB and SQS. While `stormy` is False everything goes through.

    One in `every` calls of the relay to each queue goes wrong, one in `crash_every` calls of the callback is its last
    (None: nobody dies). `tally` says how often what went wrong, `crashes` whose process died, `disturbed` whose delivery
    a fault hit. Use as a context manager: the functions take this way until it ends.
    """

    def __init__(self, stack: LocalStack, *, seed: int, every: int, crash_every: int | None) -> None:
        self.stormy = False
        self.tally = Tally([*TableFault, *QueueFault, *Crash])
        self.crashes = Tally(list(CRASHING))
        self.disturbed: set[str] = set()
        self._delivering: dict[int, str] = {}
        self._stack = stack
        self._tables = {
            **{name: _rota(list(TableFault), EVERY_ANSWERING, f"{seed} {name}", apart=APART) for name in ANSWERING},
            **{name: _rota(list(TableFault), EVERY_WORKING, f"{seed} {name}") for name in WORKING},
        }
        self._dying = {
            name: _rota(list(Crash), crash_every * calls, f"{seed} crash {name}", apart=crash_every * calls // 2)
            for name, calls in CRASHING.items()
            if crash_every is not None
        }
        relayed = (QueueFault.DROPPED, QueueFault.DUPLICATED, QueueFault.PARTLY_TAKEN, QueueFault.ERROR)
        self._relayed = {
            f"{stack.description.stack_name}-{name}": _rota(relayed, every, f"{seed} relay {name}") for name in RELAYED
        }
        self._deferred = _rota((QueueFault.ERROR,), EVERY_VISIBILITY, f"{seed} visibility")
        self._throttled_until: dict[str, float] = {}
        self._spell = Random(f"{seed} spell")
        self._way = AwsWay(stack, (*ANSWERING, *WORKING), self._choose)
        self._queues = stack.client("sqs")

    def __enter__(self) -> Self:
        self._way.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._way.__exit__()

    def throttle(self, function: str, seconds: float) -> None:
        """From now on and for so long, most calls of a function to DynamoDB are throttled."""
        self._throttled_until[function] = time.monotonic() + seconds

    def _choose(self, function: str, request: Request) -> Fault | None:
        if not self.stormy:
            return None
        fault = self._hit(function, request)
        if function == "deliver_results":
            self._note(request, is_hit=fault is not None)
        return fault

    def _hit(self, function: str, request: Request) -> Fault | None:
        crash = self._dying[function].deal() if function in self._dying else None
        if crash is not None:
            return self._kill(function, crash, request)
        return self._of_table(function, request) if aws_faults.is_table(request) else self._of_queue(function, request)

    def _note(self, request: Request, *, is_hit: bool) -> None:
        """A process does one thing at a time: a call that names no request belongs to the one named before."""
        named = aws_faults.named_request(request) or self._delivering.get(request.client_port)
        if named is None:
            return
        self._delivering[request.client_port] = named
        if is_hit:
            self.disturbed.add(named)

    def _kill(self, function: str, crash: Crash, request: Request) -> Fault | None:
        if crash is Crash.AFTER:
            self._way.send(request)
        try:
            self._stack.kill_caller(function, request.client_port)
        except LookupError:
            return None
        self.tally.count(crash)
        self.crashes.count(function)
        return ResetConnection()

    def _of_table(self, function: str, request: Request) -> Fault | None:
        kind = self._tables[function].deal()
        in_spell = time.monotonic() < self._throttled_until.get(function, 0.0)
        if in_spell and self._spell.randrange(SPARED):
            kind = TableFault.THROTTLED
        if kind is None:
            return None
        if kind is TableFault.CONFLICT and not aws_faults.can_conflict(request):
            kind = TableFault.THROTTLED
        self.tally.count(kind)
        return aws_faults.table_fault(kind, request)

    def _of_queue(self, function: str, request: Request) -> Fault | None:
        if aws_faults.operation(request) == "ChangeMessageVisibility":
            kind = self._deferred.deal()
        else:
            # A sweep that is not believed is another minute's delay, which a run has no time for.
            kind = self._relayed[aws_faults.queue_name(request)].deal() if function == "relay_outbox" else None
        if kind is None:
            return None
        self.tally.count(kind)
        match kind:
            case QueueFault.DROPPED:
                return aws_faults.all_taken(request)
            case QueueFault.ERROR:
                return aws_faults.queue_error()
            case QueueFault.DUPLICATED:
                self._queues.send_message_batch(**aws_faults.copied(request))
                return None
            case QueueFault.PARTLY_TAKEN:
                return self._take_partly(request)

    def _take_partly(self, request: Request) -> Fault:
        first, *rest = aws_faults.entries(request)
        # With our own credentials: the function signed the whole batch.
        taken = self._queues.send_message_batch(**aws_faults.batch(request, rest))["Successful"] if rest else []
        return aws_faults.partly_taken(first, taken)


def _rota(kinds: Sequence[Kind], every: int, seed: str, *, apart: int = 1) -> Rota[Kind]:
    return Rota(kinds, every=every, random=Random(seed), apart=apart)
