"""What a bridge costs at list prices: counted budgets times public prices, by component."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from infra.stages import TABLE_UTILISATION
from tools.bridge import cost_prices as prices
from tools.bridge.cost_budgets import BUDGETS, Happening, Mode
from tools.bridge.cost_durations import PARTNER_CALLS, QUEUE_WORKERS, log_kb, seconds
from tools.bridge.cost_fixed import EDGE, OTHERS, POLLS_A_MINUTE, QUEUES, WATCHING
from tools.bridge.cost_prices import Price

# How much is kept of a session, of its cycles and of each hour of it, and for how long: KB and months.
SESSION_KB: Final = Decimal("3.5")
HOUR_KB: Final = Decimal("0.9")
CYCLE_KB: Final = Decimal("1.6")
SESSION_MONTHS: Final = 3
REQUEST_MONTHS: Final = 1
KB_IN_GB: Final = 1024 * 1024
MB_IN_GB: Final = 1024
SECONDS_IN_HOUR: Final = 3600
DAYS: Final = Decimal("30.4")
"""In a month."""
SECONDS: Final = int(DAYS * 86_400)
SWEEPS: Final = int(DAYS * 1440)
TRACED_PER_SECOND: Final = 1
TRACED_SHARE: Final = Decimal("0.05")
"""X-Ray's sampling: the first of a second, and of the rest one in twenty (docs/decisions/0021-watching.md)."""
DATA_OUT_KB: Final = Decimal(4)
"""What leaves for the internet with one call of a partner or one answer at an API, TLS included: estimated."""
PERIODS_PER_HOUR: Final = 4
"""Charging periods that a session closes: every quarter of an hour."""


class Component(StrEnum):
    """What AWS bills apart, as it is shown."""

    API = "API Gateway"
    RUNS = "Lambda requests"
    COMPUTE = "Lambda compute"
    WRITES = "DynamoDB writes"
    READS = "DynamoDB reads"
    QUEUES = "SQS"
    LOGS = "CloudWatch Logs"
    TRACES = "X-Ray"
    NETWORK = "data out"
    STORAGE = "DynamoDB storage"
    WATCHING = "metrics, alarms, dashboards"
    EDGE = "AWS WAF"
    SECRETS = "secrets and keys"
    POLLING = "idle polling of queues"


LEVERS: Final[Mapping[Component, str]] = {
    Component.API: "none: one request is one request",
    Component.RUNS: "fewer steps; batches where much happens at once",
    Component.COMPUTE: "memory of the functions; the time that a CSMS takes to answer",
    Component.WRITES: "provisioned_sessions; the push throttle; transactions write at twice the price, for order",
    Component.READS: "provisioned_sessions; none other that keeps revoking a token or a right immediate",
    Component.QUEUES: "the push throttle does not spare them; batches do, where much happens at once",
    Component.LOGS: "log level WARNING leaves metrics and Lambda's own lines",
    Component.TRACES: "trace_workers",
    Component.NETWORK: "none",
    Component.STORAGE: "session_retention_days",
    Component.WATCHING: "dashboards and alarms that nobody looks at",
    Component.EDGE: "the edge stack, where something else stands before the APIs",
    Component.SECRETS: "none",
    Component.POLLING: "none: five pollers a queue, while worker_concurrency is set",
}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a happening's cost depends on beside its calls.

    Attributes:
        mode: How the CSMS answers.
        memory_mb: Memory of every function.
        log_kb: KB of logs of a cycle; None: as measured.
        quiet: Functions log at WARNING.
        csms_s: How long the CSMS takes to answer a command, in s.
        partner_s: How long the partner takes to answer a call, in s.
        traced: Share of runs that X-Ray records where much happens.
        trace_workers: Runs of functions behind queues, streams and the schedule are among them.
        provisioned: Tables are provisioned, and used as far as auto scaling lets them be (`provisioned_sessions`).

    """

    mode: Mode = Mode.CALLBACK
    memory_mb: int = 512
    log_kb: Decimal | None = None
    quiet: bool = False
    csms_s: Decimal = Decimal("0.3")
    partner_s: Decimal = Decimal("0.15")
    traced: Decimal = TRACED_SHARE
    trace_workers: bool = True
    provisioned: bool = False

    def written(self, units: Decimal) -> Decimal:
        """What so many write units of tables cost, in USD."""
        return _provisioned(prices.WRITE_CAPACITY, units) if self.provisioned else prices.WRITE_UNIT.of(units)

    def read(self, units: Decimal) -> Decimal:
        """What so many read units of tables cost, in USD."""
        return _provisioned(prices.READ_CAPACITY, units) if self.provisioned else prices.READ_UNIT.of(units)

    def traces(self, runs: Mapping[str, int]) -> dict[str, int]:
        """The runs of those functions that are traced."""
        return {name: number for name, number in runs.items() if self.trace_workers or name not in WORKERS}


def _provisioned(price: Price, units: Decimal) -> Decimal:
    # A unit of capacity is a unit in each second of its hour, of which auto scaling leaves some unused.
    return price.of(units / SECONDS_IN_HOUR / (Decimal(TABLE_UTILISATION) / 100))


REFERENCE: Final = Circumstances(memory_mb=256, log_kb=Decimal(3))
"""The reference cycle: a PUT of 12 periods, 256 MB, 3 KB of logs, traced where much happens."""

WORKERS: Final = QUEUE_WORKERS | {"relay_outbox", "sweep"}
"""Functions behind queues, streams and the schedule."""

CYCLES: Final = frozenset({Happening.PUT, Happening.GET, Happening.DELETE})

Costs = dict[Component, Decimal]


def cost(what: Happening, given: Circumstances) -> Costs:
    """What one happening costs, in USD by component."""
    budget = BUDGETS[what, given.mode]
    logs = given.log_kb if given.log_kb is not None and what in CYCLES else log_kb(what, given.mode, quiet=given.quiet)
    gb_seconds = seconds(what, budget, given.memory_mb, csms_s=given.csms_s, partner_s=given.partner_s)
    runs = Decimal(sum(budget.runs.values()))
    outward = (PARTNER_CALLS.get(what, 0) + budget.api) * DATA_OUT_KB
    return {
        Component.API: prices.API_REQUEST.of(Decimal(budget.api)),
        Component.RUNS: prices.LAMBDA_REQUEST.of(runs),
        Component.COMPUTE: prices.LAMBDA_COMPUTE.of(gb_seconds * given.memory_mb / MB_IN_GB),
        Component.WRITES: given.written(budget.write_units),
        Component.READS: given.read(budget.read_units),
        Component.QUEUES: prices.STANDARD_REQUEST.of(Decimal(budget.standard))
        + prices.FIFO_REQUEST.of(Decimal(budget.fifo)),
        Component.LOGS: prices.LOG_INGESTION.of(logs / KB_IN_GB),
        Component.TRACES: prices.TRACE.of(sum(given.traces(budget.runs).values()) * given.traced),
        Component.NETWORK: prices.DATA_OUT.of(outward / KB_IN_GB),
    }


@dataclass(frozen=True, slots=True)
class Workload:
    """What a month has to carry.

    Attributes:
        sessions_per_day: Sessions that begin, and end, in a day.
        updates_per_session: Meter events of one session.
        cycles_per_session: Charging profiles that are set in it.
        session_hours: How long it lasts.
        push_interval_s: At most one meter event in this time is pushed (`meter_push_interval` of the partner), in s.
        edge: The edge stack is deployed.

    """

    sessions_per_day: int
    updates_per_session: int
    cycles_per_session: Decimal
    session_hours: Decimal = Decimal(8)
    push_interval_s: int = 300
    edge: bool = True

    @property
    def pushes_per_session(self) -> Decimal:
        """Meter events that are pushed."""
        return min(Decimal(self.updates_per_session), self.session_hours * 3600 / self.push_interval_s)

    def happenings(self) -> dict[Happening, Decimal]:
        """How often each thing happens in a month."""
        sessions = self.sessions_per_day * DAYS
        closed = min(self.pushes_per_session, self.session_hours * PERIODS_PER_HOUR)
        return {
            Happening.PUT: sessions * self.cycles_per_session,
            Happening.HELD_UPDATE: sessions * (self.updates_per_session - self.pushes_per_session),
            Happening.PUSHED_UPDATE: sessions * (self.pushes_per_session - closed),
            Happening.PERIOD: sessions * closed,
            Happening.START: sessions,
            Happening.END: sessions,
            # The sweep runs each minute anyway; what it does for a session that is over comes on top.
            Happening.SWEPT_END: sessions,
            Happening.SWEEP: SWEEPS - sessions,
        }


def month(work: Workload, given: Circumstances) -> Costs:
    """What a month costs, in USD by component."""
    happens = work.happenings()
    untraced = replace(given, traced=Decimal(0))
    total = dict.fromkeys(Component, Decimal(0))
    for what, number in happens.items():
        for component, usd in cost(what, untraced).items():
            total[component] += usd * number
    if given.traced:
        total[Component.TRACES] = prices.TRACE.of(_traces(happens, given))
    total[Component.STORAGE] = prices.TABLE_STORAGE.of(_stored_kb(work) / KB_IN_GB)
    total[Component.WATCHING] = sum((one.usd for one in WATCHING), Decimal(0))
    total[Component.SECRETS] = sum((one.usd for one in OTHERS), Decimal(0))
    total[Component.EDGE] = _edge(work, happens, given.mode)
    total[Component.POLLING] = sum(
        (price.of(Decimal(number * POLLS_A_MINUTE * SWEEPS)) for number, price in QUEUES), Decimal(0)
    )
    return total


def _traces(happens: Mapping[Happening, Decimal], given: Circumstances) -> Decimal:
    """Each function samples for itself, the first of a second and one in twenty of the rest."""
    runs: dict[str, Decimal] = {}
    for what, number in happens.items():
        for name, times in given.traces(BUDGETS[what, given.mode].runs).items():
            runs[name] = runs.get(name, Decimal(0)) + times * number
    firsts = {name: min(number, Decimal(SECONDS * TRACED_PER_SECOND)) for name, number in runs.items()}
    return sum((firsts[name] + TRACED_SHARE * (runs[name] - firsts[name]) for name in runs), Decimal(0))


def _stored_kb(work: Workload) -> Decimal:
    session = (SESSION_KB + HOUR_KB * work.session_hours) * SESSION_MONTHS
    return work.sessions_per_day * DAYS * (session + CYCLE_KB * work.cycles_per_session * REQUEST_MONTHS)


def _edge(work: Workload, happens: Mapping[Happening, Decimal], mode: Mode) -> Decimal:
    if not work.edge:
        return Decimal(0)
    requests = sum((BUDGETS[what, mode].api * number for what, number in happens.items()), Decimal(0))
    return sum((one.usd for one in EDGE), Decimal(0)) + prices.WEB_REQUEST.of(requests)


def savings(work: Workload, given: Circumstances) -> dict[str, Decimal]:
    """What each lever would save in a month, in USD; one at a time."""
    now = total(month(work, given))
    pulled = {
        "a push at most every 15 minutes": (replace(work, push_interval_s=max(900, work.push_interval_s)), given),
        "256 MB for every function": (work, replace(given, memory_mb=min(256, given.memory_mb))),
        "log level WARNING": (work, replace(given, log_kb=None, quiet=True)),
        "no traces of workers (trace_workers=false)": (work, replace(given, trace_workers=False)),
        "provisioned tables, at a steady load (provisioned_sessions)": (work, replace(given, provisioned=True)),
        "no edge stack": (replace(work, edge=False), given),
    }
    return {lever: now - total(month(*then)) for lever, then in pulled.items()}


def total(costs: Costs) -> Decimal:
    """All components together."""
    return sum(costs.values(), Decimal(0))
