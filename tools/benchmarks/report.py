"""The report of a run: a table for the terminal, JSON for machines, Markdown for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.table import Table

from tools.benchmarks.verdict import Row, Status, Verdict
from tools.counterparts.clock import write_datetime
from tools.counterparts.json_types import write_json

_COLOURS = {Status.MET: "green", Status.MISSED: "bold red", Status.SKIPPED: "yellow", Status.TOLD: ""}
_HEADINGS = ("", "median", "min to max", "ratio", "to", "target")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Where, when and with what it ran, as lines of a name and a text."""

    started: datetime
    told: Mapping[str, str]


def table(verdict: Verdict) -> Table:
    """The rows for a terminal."""
    shown = Table(box=None, pad_edge=False, header_style="")
    for number, heading in enumerate((*_HEADINGS, "")):
        shown.add_column(heading, justify="right" if number in {1, 2, 3} else "left", no_wrap=True)
    for section in verdict.sections:
        shown.add_row(f"[bold]{section.heading}[/bold]")
        for row in section.rows:
            name, *cells = _cells(row)
            colour, status = _COLOURS[row.status], row.status.value
            shown.add_row("  " + name, *cells, f"[{colour}]{status}[/{colour}]" if colour else "")
    return shown


def as_json(conditions: Conditions, verdict: Verdict) -> str:
    """The whole report as JSON, with the value of each round."""
    return write_json(
        {
            "met": verdict.met,
            "conditions": {"started": write_datetime(conditions.started), **conditions.told},
            "sections": [
                {"heading": section.heading, "about": section.about, "rows": [_as_object(row) for row in section.rows]}
                for section in verdict.sections
            ],
        }
    )


def as_markdown(conditions: Conditions, verdict: Verdict) -> str:
    """The report for people."""
    lines = ["# Benchmark", "", "Every target is met." if verdict.met else "**Not every target is met.**", "", "| | |"]
    lines += ["|---|---|", f"| started | {write_datetime(conditions.started)} |"]
    lines += [f"| {name} | {_escaped(text)} |" for name, text in conditions.told.items()]
    for section in verdict.sections:
        lines += ["", f"## {section.heading}", "", section.about, ""]
        lines += [f"| {' | '.join((*_HEADINGS, '', ''))} |", "|---|--:|--:|--:|---|---|---|---|"]
        lines += [f"| {' | '.join(map(_escaped, (*_cells(row), row.status, row.note)))} |" for row in section.rows]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    limit = row.limit
    target = "" if limit is None else f"≤ {limit.most:g} {'x' if limit.times else row.unit}"
    if row.sample is None:
        return row.name, "", "", "", "", target
    ratio, baseline = ("", "") if row.ratio is None else (f"{row.ratio:.2f}", row.baseline.name if row.baseline else "")
    spread = f"{_number(row.sample.least)} to {_number(row.sample.most)}"
    return row.name, f"{_number(row.sample.median)} {row.unit}", spread, ratio, baseline, target


def _number(value: float) -> str:
    """Three digits, which is more than such measurements are good for."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _as_object(row: Row) -> dict[str, object]:
    sample = row.sample
    return {
        "name": row.name,
        "unit": row.unit,
        "median": None if sample is None else sample.median,
        "values": None if sample is None else list(sample.values),
        "ratio": row.ratio,
        "to": None if row.baseline is None else row.baseline.name,
        "limit": None if row.limit is None else row.limit.most,
        "status": row.status.name.lower(),
        "note": row.note,
    }


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
