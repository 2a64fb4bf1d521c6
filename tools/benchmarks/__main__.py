"""Command line: `python -m tools.benchmarks`, as `make bench` runs it."""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from rich.console import Console

from infra.app import ROOT
from infra.bundling import LAMBDA_PYTHON, BundlingError, find_python
from tools.benchmarks import cold, report, warm
from tools.benchmarks.lambda_place import LambdaPlace
from tools.benchmarks.neighbours import neighbours
from tools.benchmarks.peer import NAME, Peer, PeerUnavailable, install
from tools.benchmarks.rounds import in_turn
from tools.benchmarks.running import ProgramFailed, Programs
from tools.benchmarks.scenes import WrongAnswer
from tools.benchmarks.verdict import Verdict
from tools.counterparts.clock import utc_now
from tools.prove.command_line import Progress, exit_status

OUTPUT = Path("build/bench")
JSON, MARKDOWN = "report.json", "report.md"
FILE_WIDTH = 140

DESCRIPTION = """\
Measure how fast the functions start and answer and how much memory they take, beside a bare
AWS client and beside extrawest-ocpi, which is installed into an environment of its own.
Nothing is deployed. docs/performance.md says what each number means.
"""

EPILOG = """\
What it leaves: DIR/report.json and DIR/report.md, the table that is printed at the end.

Exit status: 0 if every target is met, 1 if one is missed or could not be looked at, 2 for a
wrong command line, 130 after Ctrl-C.
"""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: rounds of cold starts, rounds of warm runs, and calls in each of these."""

    cold: int
    warm: int
    calls: int


FULL: Final = Effort(cold=11, warm=9, calls=150)
"""Odd, so that a median is a value that was measured; some five minutes on two idle cores."""
QUICK: Final = Effort(cold=3, warm=3, calls=40)
"""To see that it runs and about where it is: no figure to quote."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures; the exit status."""
    options = _parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    # Elsewhere than on a terminal nobody wraps lines, and the table is wide.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
    effort = QUICK if options.quick else FULL
    try:
        return exit_status(lambda: measure(effort, options, console).met)
    except (ProgramFailed, WrongAnswer, BundlingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def measure(effort: Effort, options: argparse.Namespace, console: Console) -> Verdict:
    """One run: the table on the console, the reports in the output directory."""
    output: Path = options.output
    python = options.python or find_python(LAMBDA_PYTHON) or Path(sys.executable)
    scratch = output / "scratch"
    scratch.mkdir(exist_ok=True)
    started, load = utc_now(), os.getloadavg()[0]
    with console.status("") as status, neighbours(scratch) as around:
        say = Progress(console, status.update)
        say("bundles, environment of the stack")
        programs = Programs(LambdaPlace(python, scratch), scratch)
        say("the peer")
        peer, no_peer = _peer(python, output, wanted=not options.without_peer)
        starts = in_turn(cold.Cold(programs, around, peer).subjects(), effort.cold, say)
        runs = in_turn(warm.Warm(programs, around, peer, effort.calls).subjects(), effort.warm, say)
    verdict = Verdict((*cold.sections(starts, no_peer), *warm.sections(runs, no_peer)), options.without_peer)
    conditions = report.Conditions(started, {**_machine(python, load), **_extent(effort, no_peer)})
    (output / JSON).write_text(report.as_json(conditions, verdict), encoding="utf-8")
    (output / MARKDOWN).write_text(report.as_markdown(conditions, verdict), encoding="utf-8")
    _conclude(verdict, started, output, console)
    return verdict


def _peer(python: Path, output: Path, *, wanted: bool) -> tuple[Peer | None, str]:
    if not wanted:
        return None, "left out (--without-peer)"
    try:
        return install(python, output.resolve() / "peer-venv"), ""
    except PeerUnavailable as error:
        return None, f"{NAME} could not be installed: {error}"


def _machine(python: Path, load: float) -> dict[str, str]:
    measured = subprocess.run((python, "-V"), capture_output=True, text=True, check=True).stdout.strip()
    lambda_python = ".".join(map(str, LAMBDA_PYTHON))
    as_on_lambda = measured.startswith(f"Python {lambda_python}.")
    return {
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}, {os.cpu_count()} cores",
        "load": f"{load:.1f} when it began, {os.getloadavg()[0]:.1f} when it ended",
        "Python": measured if as_on_lambda else f"{measured} (Lambda runs {lambda_python}, which is not used here)",
        "packages": ", ".join(f"{name} {metadata.version(name)}" for name in ("boto3", "botocore")),
        "commit": _commit(),
    }


def _extent(effort: Effort, no_peer: str) -> dict[str, str]:
    extent = f"{effort.cold} rounds of starts, {effort.warm} rounds of warm runs of {effort.calls} calls each"
    quick = "; --quick: too few to quote" if effort is QUICK else ""
    return {"measured": f"CPU time of the process, in turn: {extent}{quick}", "peer": no_peer or NAME}


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")


def _commit() -> str:
    asked = subprocess.run(
        ("git", "describe", "--always", "--dirty"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() or "unknown"


def _conclude(verdict: Verdict, started: datetime, output: Path, console: Console) -> None:
    console.print(report.table(verdict))
    console.print()
    if verdict.met:
        console.print(f"Every target is met; {(utc_now() - started).total_seconds():.0f} s.")
    for row in verdict.failures():
        console.print(f"{row.status.value}: {row.name}" + (f": {row.note}" if row.note else ""))
    console.print(f"Report: {output / MARKDOWN}, {output / JSON}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmarks",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a minute instead of five; no figures to quote")
    parser.add_argument(
        "--without-peer", action="store_true", help="needs no registry; the rows that need it are skipped"
    )
    parser.add_argument(
        "--python",
        type=_python,
        metavar="PATH",
        help="the Python to measure (Lambda's version where one is found, else this one)",
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, metavar="DIR", help=f"where reports and the peer go ({OUTPUT})"
    )
    return parser


def _python(text: str) -> Path:
    path = Path(text).absolute()
    if os.access(path, os.X_OK):
        return path
    raise argparse.ArgumentTypeError(f"there is no program {text!r}")


if __name__ == "__main__":
    sys.exit(main())
