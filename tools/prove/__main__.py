"""Command line: `python -m tools.prove`, the second half of `make prove`."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from rich.console import Console

from tools.counterparts.clock import utc_now
from tools.local_stack import LocalStack, LocalStackError
from tools.prove import report
from tools.prove.chaos import FULL, SMALL, Chaos, Scale
from tools.prove.verdict import Verdict, judge

OUTPUT = Path("build/prove")
JSON = "report.json"
MARKDOWN = "report.md"
STACK_LOG = "stack.log"
# What of a scale the command line may choose.
CHOSEN = ("requests", "sessions", "timeout")
# Seconds between two lines in a log file.
TOLD_EVERY = 10.0
INTERRUPTED = 130

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
    console = Console(highlight=False)
    # SIGTERM ends it as Ctrl-C does: what was started ends first.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    scale = SMALL if options.small else FULL
    chosen = {name: value for name in CHOSEN if (value := getattr(options, name)) is not None}
    scale = replace(scale, **chosen)
    try:
        verdict = prove(scale, options, console)
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Everything that was started has ended.", file=sys.stderr)
        return INTERRUPTED
    return 0 if verdict.proved else 1


def prove(scale: Scale, options: argparse.Namespace, console: Console) -> Verdict:
    """One run: the table on the console, the reports in the output directory."""
    output: Path = options.output
    started = utc_now()
    with console.status("") as status:
        say = Progress(console, status.update)
        with ExitStack() as resources:
            stack = _stack(options.stack, output, say, resources)
            chaos = Chaos(stack, scale, seed=options.seed, say=say)
            try:
                evidence = chaos.run()
            finally:
                (output / STACK_LOG).write_text(stack.log(), encoding="utf-8")
    verdict = judge(evidence)
    run = report.Run(started, options.seed, scale.requests, scale.sessions, scale.timeout, chaos.seconds)
    (output / JSON).write_text(report.as_json(run, verdict), encoding="utf-8")
    (output / MARKDOWN).write_text(report.as_markdown(run, verdict), encoding="utf-8")
    _conclude(verdict, started, output, console)
    return verdict


def _stack(running_in: Path | None, output: Path, say: Callable[[str], None], resources: ExitStack) -> LocalStack:
    """The stack that runs in a directory, which is left running, or one of the run's own."""
    if running_in is not None:
        return LocalStack.attach(running_in)
    return resources.enter_context(LocalStack.start(output / "stack", progress=say, port=0))


class Progress:
    """Tells how far it is: in one line that changes on a terminal, in a line now and then anywhere else."""

    def __init__(self, console: Console, update: Callable[[str], None]) -> None:
        self._console = console
        self._update = update
        self._told = 0.0

    def __call__(self, sentence: str) -> None:
        """Tells it."""
        self._update(sentence)
        now = time.monotonic()
        if not self._console.is_terminal and now - self._told > TOLD_EVERY:
            self._told = now
            self._console.print(sentence)


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
    parser = argparse.ArgumentParser(
        prog="python -m tools.prove",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--small", action="store_true", help="a run of two or three minutes")
    parser.add_argument("--requests", type=_count, metavar="N", help=f"how many to send ({FULL.requests})")
    parser.add_argument("--sessions", type=_count, metavar="N", help=f"on how many sessions ({FULL.sessions})")
    parser.add_argument("--timeout", type=_count, metavar="S", help=f"seconds that partners are told ({FULL.timeout})")
    parser.add_argument("--seed", type=int, default=1, help="what the order of the faults comes from (1)")
    parser.add_argument(
        "--stack", type=Path, metavar="DIR", help="use the stack that runs in DIR (make up: .local), leave it running"
    )
    parser.add_argument(
        "--output", type=Path, default=OUTPUT, metavar="DIR", help=f"where reports and the stack go ({OUTPUT})"
    )
    return parser


def _count(text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"a positive number is needed, not {text!r}")


if __name__ == "__main__":
    sys.exit(main())
