"""Command line: `python -m tools.benchmarks.load`, which is `make load`."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tools.benchmarks.load import report
from tools.benchmarks.load.findings import Findings
from tools.benchmarks.load.run import FULL, SMALL, LoadRun, Plan
from tools.counterparts.clock import utc_now
from tools.prove.command_line import Progress, count, exit_status, logged_stack, parser
from tools.prove.report import EXAMPLES_SHOWN

OUTPUT = Path("build/load")
JSON = "report.json"
MARKDOWN = "report.md"
WIDTH = 120

DESCRIPTION = """\
Find out how much the bridge bears on this machine: deploy it to an embedded AWS, and let
more and more cars report and be steered, until no more gets done. It says what it was that
bore no more, and whether anything was lost meanwhile.
"""

EPILOG = """\
What it leaves: DIR/report.json and DIR/report.md; DIR/stack.log, what the functions logged.

Exit status: 0 if nothing was lost, 1 if something was, 2 for a wrong command line, 130
after Ctrl-C.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it; the exit status."""
    options = _parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    plan = SMALL if options.small else FULL
    if options.seconds is not None:
        plan = replace(plan, seconds=float(options.seconds))
    return exit_status(lambda: measure(plan, options, _console()).nothing_lost)


def measure(plan: Plan, options: argparse.Namespace, console: Console) -> Findings:
    """One run: tables on the console, reports in the output directory."""
    output: Path = options.output
    run = report.Run(utc_now(), plan.seconds, os.cpu_count() or 1)
    with console.status("") as status:
        say = Progress(console, status.update)
        with logged_stack(options.stack, output, say) as stack:
            findings = LoadRun(stack, plan, seed=options.seed, say=say).run()
    (output / JSON).write_text(report.as_json(run, findings), encoding="utf-8")
    (output / MARKDOWN).write_text(report.as_markdown(run, findings), encoding="utf-8")
    console.print(report.tables(findings))
    console.print()
    if findings.nothing_lost:
        console.print(f"Nothing was lost; {(utc_now() - run.started).total_seconds():.0f} s.")
    for row in findings.verdict.failures():
        console.print(f"FAILED: {row.name}: {row.count}", *row.examples[:EXAMPLES_SHOWN], sep="\n  ")
    console.print(f"Report: {output / MARKDOWN}, {output / JSON}")
    return findings


def _console() -> Console:
    console = Console(highlight=False)
    # What is no terminal has no width of its own.
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def _parser() -> argparse.ArgumentParser:
    made = parser("python -m tools.benchmarks.load", DESCRIPTION, EPILOG, OUTPUT)
    made.add_argument("--small", action="store_true", help="two short steps")
    made.add_argument("--seconds", type=count, metavar="S", help=f"how long a step is ({FULL.seconds:.0f})")
    return made


if __name__ == "__main__":
    sys.exit(main())
