"""The report of a run: tables for the terminal, JSON for machines, Markdown for people."""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from operator import itemgetter

from rich.console import Group, RenderableType
from rich.table import Table

from tools.benchmarks.load.findings import Findings, Spread, Step
from tools.counterparts.clock import write_datetime
from tools.counterparts.json_types import write_json
from tools.prove import report

NOBODY = "every step kept up: it was not too much for anything"

UNEXPLAINED = "a step did not keep up, and nothing that was looked at says why"

DONE = (
    "sessions", "requests/s", "done", "unanswered", "updates/s", "done", "PUT to answer", "to command", "to result", "reading to push",
)  # fmt: skip
USED = ("sessions", "embedded AWS", "functions", "the load", "others", "machine", "busiest functions")
QUEUED = ("queue", "waiting", "oldest", "in flight", "one at a time")
BUSIEST = 3


@dataclass(frozen=True, slots=True)
class Run:
    """When it was, how long a step was meant to be (s), and on what: cores of the machine, Python."""

    started: datetime
    seconds: float
    cores: int
    python: str = platform.python_version()


def tables(findings: Findings) -> RenderableType:
    """For a terminal: the steps, the queues of the one that tells most, what held it back."""
    return Group(
        _table(DONE, [_done(step) for step in findings.steps]),
        "",
        "Cores used:",
        _table(USED, [_used(step) for step in findings.steps]),
        "",
        f"Queues at {findings.telling.sessions} sessions:",
        _table(QUEUED, _queued(findings.telling)),
        "",
        *(f"Limit: {sentence}." for sentence in _limits(findings)),
    )


def as_json(run: Run, findings: Findings) -> str:
    """All of it, with the promises' rows as the proof's report has them."""
    return write_json(
        {
            "nothing_lost": findings.nothing_lost,
            "run": {**asdict(run), "started": write_datetime(run.started)},
            "steps": [{**asdict(step), "keeps_up": step.keeps_up} for step in findings.steps],
            "limits": [asdict(limit) for limit in findings.limits],
            "sections": report.sections_as_json(findings.verdict),
        }
    )


def as_markdown(run: Run, findings: Findings) -> str:
    """All of it for people."""
    shown = findings.telling
    summary = (
        f"**{'Nothing was lost.' if findings.nothing_lost else 'SOMETHING WAS LOST.'}** Started "
        f"{write_datetime(run.started)}; steps of {run.seconds:.0f} s; {run.cores} cores, Python {run.python}. "
        "Durations are median / 95th percentile in seconds, processors in cores used."
    )
    lines = [
        "# Load on the deployed stack",
        "",
        summary,
        "",
        *_markdown(DONE, [_done(step) for step in findings.steps]),
        "",
        "Cores used:",
        "",
        *_markdown(USED, [_used(step) for step in findings.steps]),
        "",
        f"Queues at {shown.sessions} sessions:",
        "",
        *_markdown(QUEUED, _queued(shown)),
        "",
        "What held it back:",
        "",
        *(f"- {sentence}." for sentence in _limits(findings)),
        *report.sections_as_markdown(findings.verdict),
    ]
    return "\n".join(lines) + "\n"


def _limits(findings: Findings) -> list[str]:
    found = [f"{limit.what}: {limit.evidence}" for limit in findings.limits]
    return found or [NOBODY if findings.limited is None else UNEXPLAINED]


def _done(step: Step) -> tuple[str, ...]:
    seconds = step.seconds
    return (
        str(step.sessions),
        f"{step.requests_offered / seconds:.1f}",
        f"{step.requests_done / seconds:.1f}",
        str(step.requests_unanswered),
        f"{step.updates_offered / seconds:.1f}",
        f"{step.updates_done / seconds:.1f}",
        _durations(step.to_answer),
        _durations(step.to_command),
        _durations(step.to_result),
        _durations(step.to_push),
    )


def _used(step: Step) -> tuple[str, ...]:
    used = step.processors
    busiest = sorted(used.workers.items(), key=itemgetter(1), reverse=True)[:BUSIEST]
    return (
        str(step.sessions),
        f"{used.emulator:.2f}",
        f"{used.of_workers:.2f}",
        f"{used.load:.2f}",
        f"{used.others:.2f}",
        f"{used.machine:.2f} of {used.cores}",
        ", ".join(f"{name} {cores:.2f}" for name, cores in busiest),
    )


def _queued(step: Step) -> list[tuple[str, ...]]:
    return [
        (one.name, str(one.deepest), f"{one.oldest:.0f} s", str(one.in_flight), f"{one.serial:.0%}")
        for one in step.queues
    ]


def _durations(spread: Spread | None) -> str:
    return "none" if spread is None else f"{spread.p50:.2f} / {spread.p95:.2f}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    shown = Table(box=None, pad_edge=False)
    for number, heading in enumerate(headings):
        shown.add_column(heading, justify="left" if number == 0 else "right")
    for row in rows:
        shown.add_row(*row)
    return shown


def _markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [headings, ["---", *("--:" for _ in headings[1:])], *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]
