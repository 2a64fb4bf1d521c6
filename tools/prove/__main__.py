"""Command line: `python -m tools.prove`, the second half of `make prove`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console

from tools.counterparts.clock import utc_now
from tools.prove import report
from tools.prove.chaos import FULL, SMALL, Chaos, Scale
from tools.prove.command_line import Progress, count, exit_status, logged_stack, parser
from tools.prove.verdict import Verdict, judge

OUTPUT = Path("build/prove")
JSON = "report.json"
MARKDOWN = "report.md"
# What of a scale the command line may choose.
CHOSEN = ("requests", "sessions", "timeout")

DESCRIPTION = """\
Prove that nothing is lost: deploy the bridge to an embedded AWS on this machine, and send
thousands of requests while partner, CSMS, charge points, tables, queues and the functions'
own processes fail. docs/proof.md says what that shows and what it cannot show.
"""

EPILOG = """\
What it leaves: DIR/report.json and DIR/report.md, the table that is printed at the end;
DIR/stack.log, what the functions logged.

Exit status: 0 if every row is as it must be, 1 if one is not, 2 for a wrong command line,
130 after Ctrl-C.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the proof; the exit status."""
    options = _parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    scale = SMALL if options.small else FULL
    chosen = {name: value for name in CHOSEN if (value := getattr(options, name)) is not None}
    scale = replace(scale, **chosen)
    console = Console(highlight=False)
    return exit_status(lambda: prove(scale, options, console).proved)


def prove(scale: Scale, options: argparse.Namespace, console: Console) -> Verdict:
    """One run: the table on the console, the reports in the output directory."""
    output: Path = options.output
    started = utc_now()
    with console.status("") as status:
        say = Progress(console, status.update)
        with logged_stack(options.stack, output, say) as stack:
            chaos = Chaos(stack, scale, seed=options.seed, say=say)
            evidence = chaos.run()
    verdict = judge(evidence)
    run = report.Run(started, options.seed, scale.requests, scale.sessions, scale.timeout, chaos.seconds)
    (output / JSON).write_text(report.as_json(run, verdict), encoding="utf-8")
    (output / MARKDOWN).write_text(report.as_markdown(run, verdict), encoding="utf-8")
    _conclude(verdict, started, output, console)
    return verdict


def _conclude(verdict: Verdict, started: datetime, output: Path, console: Console) -> None:
    console.print(report.table(verdict))
    seconds = (utc_now() - started).total_seconds()
    console.print()
    if verdict.proved:
        console.print(f"Every row is as it must be; {seconds:.0f} s.")
    for row in verdict.failures():
        console.print(f"FAILED: {row.name}: {row.count}", *row.examples[: report.EXAMPLES_SHOWN], sep="\n  ")
    console.print(f"Report: {output / MARKDOWN}, {output / JSON}")


def _parser() -> argparse.ArgumentParser:
    made = parser("python -m tools.prove", DESCRIPTION, EPILOG, OUTPUT)
    made.add_argument("--small", action="store_true", help="a run of two or three minutes")
    made.add_argument("--requests", type=count, metavar="N", help=f"how many to send ({FULL.requests})")
    made.add_argument("--sessions", type=count, metavar="N", help=f"on how many sessions ({FULL.sessions})")
    made.add_argument("--timeout", type=count, metavar="S", help=f"seconds that partners are told ({FULL.timeout})")
    return made


if __name__ == "__main__":
    sys.exit(main())
