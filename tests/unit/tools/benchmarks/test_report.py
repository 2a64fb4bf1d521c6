"""The report says of each row what was measured, beside what, and whether that is enough."""

import io
import json
from datetime import UTC, datetime

from rich.console import Console

from tools.benchmarks import report
from tools.benchmarks.samples import Sample
from tools.benchmarks.verdict import Baseline, Limit, Row, Section, Verdict

CONDITIONS = report.Conditions(datetime(2026, 11, 30, 12, tzinfo=UTC), {"Python": "Python 3.13.0", "machine": "a | b"})
BARE = Baseline("bare client", Sample.of([200, 210, 205]))
ROWS = (
    Row("bare client", "ms", BARE.sample),
    Row("door", "ms", Sample.of([400, 420, 410]), BARE, limit=Limit(1.7)),
    Row("beside the peer", "ms", None, limit=Limit(0.75), note="no registry"),
    Row("memory", "MB", Sample.of([61.25]), limit=Limit(128, times=False)),
)
VERDICT = Verdict([Section("Import", "CPU time.", ROWS)])


def lines(text: str) -> dict[str, list[str]]:
    """The cells of each line of a table in Markdown, by the first."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    return {first: cells for first, *cells in rows}


def test_markdown_has_each_row_with_its_target_and_what_came_of_it() -> None:
    text = report.as_markdown(CONDITIONS, VERDICT)
    rows = lines(text)
    assert rows["door"] == ["410 ms", "400 to 420", "2.00", "bare client", "≤ 1.7 x", "MISSED", ""]
    assert rows["memory"] == ["61.2 MB", "61.2 to 61.2", "", "", "≤ 128 MB", "met", ""]
    assert rows["beside the peer"][-3:] == ["≤ 0.75 x", "skipped", "no registry"]
    assert "**Not every target is met.**" in text


def test_markdown_has_the_conditions_and_a_bar_in_them_breaks_no_table() -> None:
    text = report.as_markdown(CONDITIONS, VERDICT)
    assert "| started | 2026-11-30T12:00:00Z |" in text
    assert "| machine | a \\| b |" in text


def test_json_has_the_value_of_each_round() -> None:
    document = json.loads(report.as_json(CONDITIONS, VERDICT))
    _, door, skipped, _ = document["sections"][0]["rows"]
    assert (document["met"], document["conditions"]["Python"]) == (False, "Python 3.13.0")
    assert (door["values"], door["median"], door["ratio"], door["to"]) == ([400, 420, 410], 410, 2, "bare client")
    assert (door["limit"], door["status"]) == (1.7, "missed")
    assert (skipped["values"], skipped["status"], skipped["note"]) == (None, "skipped", "no registry")


def test_a_terminal_shows_every_row_with_its_verdict() -> None:
    console = Console(file=io.StringIO(), width=140)
    console.print(report.table(VERDICT))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue().splitlines()
    assert [line.split()[-1] for line in shown if line.startswith(("  door", "  beside", "  memory"))] == [
        "MISSED",
        "skipped",
        "met",
    ]
