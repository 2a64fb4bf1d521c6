"""How long functions run and how much they write: measured, and scaled to the memory that they are given.

Own CPU time of a warm run is the median of 15 to 60 runs with the real handlers, without what DynamoDB and SQS do
(tests/support/metered_site.py) nor the network, whose share was measured apart: a call of AWS and one of a partner, each
over a kept TLS connection to a server in another process. One core of the machine of these figures (x86, Python 3.11,
30 November 2026) stands for one whole vCPU, which Lambda gives at 1,769 MB; with less memory CPU time grows in
proportion. What only waits does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tools.bridge.cost_budgets import Budget, Happening, Mode

WHOLE_CPU_MB: Final = 1769
"""Memory at which a function has one whole vCPU ("Configure Lambda function memory")."""

CPU_MS: Final[Mapping[str, Decimal]] = {
    "ocpi_charging_profiles": Decimal("6.0"),
    "relay_outbox": Decimal("1.3"),
    "send_charger_commands": Decimal("5.0"),
    "csms_callback": Decimal("4.4"),
    "deliver_results": Decimal("2.8"),
    "csms_events": Decimal("3.0"),
    "ingest_csms_events": Decimal("5.4"),
    "push_updates": Decimal("8.1"),
    "sweep": Decimal(13),
}
RUN_CPU_MS: Final = Decimal("0.6")
"""The runtime's own work around a run."""
AWS_CALL_CPU_MS: Final = Decimal("0.8")
"""Sockets and TLS of one call of AWS; the rest of it is in CPU_MS."""
HTTP_CALL_CPU_MS: Final = Decimal("1.4")
"""One call of a partner or a CSMS by httpx."""
AWS_CALL_WAIT_MS: Final = Decimal(5)
"""What DynamoDB and SQS take to answer inside a region: assumed."""

QUEUE_WORKERS: Final = frozenset({"send_charger_commands", "deliver_results", "ingest_csms_events", "push_updates"})
"""Each run takes two requests of its queue, which Lambda makes: they take the function no time."""


@dataclass(frozen=True, slots=True)
class Logs:
    """KB of logs of one happening: all of them, and of these the lines that log level WARNING leaves out."""

    all: Decimal
    lines: Decimal


_CYCLE: Final = Logs(Decimal("8.1"), Decimal("2.9"))
_PUSHED: Final = Logs(Decimal("4.5"), Decimal("1.3"))
LOGS: Final[Mapping[Happening, Logs]] = {
    Happening.PUT: _CYCLE,
    Happening.GET: _CYCLE,
    Happening.DELETE: _CYCLE,
    Happening.HELD_UPDATE: Logs(Decimal("3.7"), Decimal("0.9")),
    Happening.PUSHED_UPDATE: _PUSHED,
    Happening.PERIOD: _PUSHED,
    Happening.START: _PUSHED,
    Happening.END: Logs(Decimal("9.9"), Decimal("3.6")),
    Happening.SWEEP: Logs(Decimal("1.2"), Decimal("0.3")),
    Happening.SWEPT_END: Logs(Decimal("3.4"), Decimal("0.9")),
}
"""Counted from the lines that are written. Of a cycle 2.9 are the functions' lines, 1.5 metrics, 3.2 Lambda's own three
lines a run, 0.5 the API's; CloudWatch adds 26 bytes to each line."""
CALLBACK_LOGS: Final = Logs(Decimal("1.6"), Decimal("0.7"))
"""More of them where the CSMS answers by a callback, for each command."""
RUN_LOG_BYTES: Final = 430 + 4 * 26
"""START, END, REPORT and the trace's line of a run."""
API_LOG_BYTES: Final = 440 + 26
"""The access log's line of a request."""
LINE_BYTES: Final = 26
"""What CloudWatch adds to each line ("Amazon CloudWatch Pricing")."""

# Calls of CSMSs and partners by HTTP.
CSMS_CALLS: Final = {Happening.PUT: 1, Happening.GET: 1, Happening.DELETE: 1, Happening.END: 1}
PARTNER_CALLS: Final = {
    Happening.PUT: 1,
    Happening.GET: 1,
    Happening.DELETE: 1,
    Happening.PUSHED_UPDATE: 1,
    Happening.PERIOD: 1,
    Happening.START: 1,
    Happening.END: 1,
}


def log_kb(what: Happening, mode: Mode, *, quiet: bool = False) -> Decimal:
    """KB of logs of one happening; `quiet` is at log level WARNING."""
    parts = [LOGS[what], *([CALLBACK_LOGS] if mode is Mode.CALLBACK and what in CSMS_CALLS else [])]
    return sum((part.all - (part.lines if quiet else 0) for part in parts), Decimal(0))


def seconds(what: Happening, budget: Budget, memory_mb: int, *, csms_s: Decimal, partner_s: Decimal) -> Decimal:
    """How long all functions together run for one happening, in seconds; what they wait for is given."""
    runs = sum(budget.runs.values())
    taken = 2 * sum(number for name, number in budget.runs.items() if name in QUEUE_WORKERS)
    calls = budget.dynamodb + budget.sqs - taken
    csms, partner = CSMS_CALLS.get(what, 0), PARTNER_CALLS.get(what, 0)
    own = sum((CPU_MS[name] * number for name, number in budget.runs.items()), Decimal(0))
    cpu = own + runs * RUN_CPU_MS + calls * AWS_CALL_CPU_MS + (csms + partner) * HTTP_CALL_CPU_MS
    slower = max(Decimal(1), Decimal(WHOLE_CPU_MB) / memory_mb)
    return (cpu * slower + calls * AWS_CALL_WAIT_MS) / 1000 + csms * csms_s + partner * partner_s
