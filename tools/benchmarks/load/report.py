"""The report of a run: tables for the terminal, JSON for machines, Markdown for people."""

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table

from tools.benchmarks.load.findings import Findings, Spread, Step
from tools.counterparts.clock import write_datetime
from tools.counterparts.json_types import write_json
from tools.prove import report

NOBODY = "every step kept up: it was not too much for anything"

HEADINGS = (
    "sessions", "requests/s", "done/s", "updates/s", "done/s", "PUT to answer", "PUT to result", "reading to push",
    "embedded AWS", "functions", "load", "machine",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """When it was, how long a step was meant to be (s), and on what: cores of the machine, Python."""

    started: datetime
    seconds: float
    cores: int
    python: str = platform.python_version()


def tables(findings: Findings) -> RenderableType:
    """For a terminal: the steps, the queues of the one that tells most, what held it back."""
    steps = _table(HEADINGS, [_cells(step) for step in findings.steps])
    queues = _table(("queue", "waiting", "oldest", "in flight", "one at a time"), _queue_cells(findings.telling))
    limits = [f"Limit: {limit.what}: {limit.evidence}." for limit in findings.limits]
    return Group(steps, "", f"Queues at {findings.telling.sessions} sessions:", queues, "", *(limits or [NOBODY]))


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
        *_markdown(HEADINGS, [_cells(step) for step in findings.steps]),
        "",
        f"Queues at {shown.sessions} sessions:",
        "",
        *_markdown(("queue", "waiting", "oldest", "in flight", "one at a time"), _queue_cells(shown)),
        "",
        "What held it back:",
        "",
        *([f"- {limit.what}: {limit.evidence}" for limit in findings.limits] or [f"- {NOBODY}"]),
        *report.sections_as_markdown(findings.verdict),
    ]
    return "\n".join(lines) + "\n"


def _cells(step: Step) -> tuple[str, ...]:
    used, seconds = step.processors, step.seconds
    return (
        str(step.sessions),
        f"{step.requests_offered / seconds:.1f}",
        f"{step.requests_done / seconds:.1f}",
        f"{step.updates_offered / seconds:.1f}",
        f"{step.updates_done / seconds:.1f}",
        _durations(step.to_answer),
        _durations(step.to_result),
        _durations(step.to_push),
        f"{used.emulator:.2f}",
        f"{used.of_workers:.2f}",
        f"{used.load:.2f}",
        f"{used.machine:.2f}/{used.cores}",
    )


def _queue_cells(step: Step) -> list[tuple[str, ...]]:
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
