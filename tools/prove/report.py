"""The report of a run: a table for the terminal, JSON for machines, Markdown for people."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.table import Table

from tools.counterparts.clock import write_datetime
from tools.counterparts.json_types import JsonObject, write_json
from tools.prove.verdict import Need, Row, Verdict

# Enough to look for the cause; all of them are in the JSON.
EXAMPLES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Run:
    """What was run: when, with which seed, on how many sessions; `seconds` is how long each part took."""

    started: datetime
    seed: int
    requests: int
    sessions: int
    timeout: int
    seconds: dict[str, float]


def table(verdict: Verdict) -> Table:
    """The rows for a terminal."""
    shown = Table(show_header=False, box=None, pad_edge=False)
    shown.add_column(overflow="fold")
    shown.add_column(justify="right")
    shown.add_column()
    for section in verdict.sections:
        shown.add_row(f"[bold]{section.heading}[/bold]", "", "", end_section=False)
        for row in section.rows:
            mark = "" if row.good else "[bold red]" + _needed(row) + "[/bold red]"
            shown.add_row(f"  {row.name}", str(row.count), mark)
    return shown


def as_json(run: Run, verdict: Verdict) -> str:
    """The whole report as JSON, with every example."""
    return write_json(
        {
            "proved": verdict.proved,
            "run": {**asdict(run), "started": write_datetime(run.started)},
            "sections": sections_as_json(verdict),
        }
    )


def sections_as_json(verdict: Verdict) -> list[JsonObject]:
    """The rows of a verdict, with every example."""
    return [
        {
            "heading": section.heading,
            "rows": [
                {**asdict(row), "need": row.need.value, "good": row.good, "examples": list(row.examples)}
                for row in section.rows
            ],
        }
        for section in verdict.sections
    ]


def as_markdown(run: Run, verdict: Verdict) -> str:
    """The report for people."""
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in run.seconds.items())
    summary = (
        f"**{'Proved' if verdict.proved else 'NOT proved'}.** {run.requests} requests on {run.sessions} sessions, "
        f"timeout {run.timeout} s, seed {run.seed}, started {write_datetime(run.started)}; {took}."
    )
    return "\n".join(["# Chaos on the deployed stack", "", summary, *sections_as_markdown(verdict)]) + "\n"


def sections_as_markdown(verdict: Verdict) -> list[str]:
    """The rows of a verdict as lines of Markdown, with a few examples of what is wrong."""
    lines: list[str] = []
    for section in verdict.sections:
        if section.rows:
            lines += ["", f"## {section.heading}", "", "| | | |", "|---|--:|---|"]
            lines += [f"| {_cell(row.name)} | {row.count} | {_judged(row)} |" for row in section.rows]
            lines += _examples(section.rows)
    return lines


def _judged(row: Row) -> str:
    if row.need is Need.ANY:
        return ""
    return f"{_needed(row)}: {'yes' if row.good else '**NO**'}"


def _needed(row: Row) -> str:
    return f"{row.need} {row.of}" if row.need is Need.ALL else str(row.need)


def _examples(rows: Sequence[Row]) -> list[str]:
    bad = [row for row in rows if not row.good and row.examples]
    return [
        line
        for row in bad
        for line in ("", f"{row.name}:", "", *(f"- `{example}`" for example in row.examples[:EXAMPLES_SHOWN]))
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
