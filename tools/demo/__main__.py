"""Command line: `python -m tools.demo`, which is `make demo`."""

import argparse
import fcntl
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import FrameType

from rich.console import Console

from tools.demo import account
from tools.demo.narrator import Narrator
from tools.demo.outcomes import Play
from tools.demo.play import as_line, perform
from tools.demo.programme import PROGRAMME, Step
from tools.demo.repetition import with_repetition
from tools.demo.scene import Scene, Setup

DEFAULT_OUTPUT = Path("build/demo")
LOG = "demo.log"
REPORT = "report.html"
STACK_LOG = "stack.log"
LOCK = "demo.lock"
# A shell's exit statuses for a program that was ended by SIGINT and by SIGTERM.
INTERRUPTED = 130
TERMINATED = 143
# Enough for stable percentiles; each PUT takes a fraction of a second.
MOST_REPEATS = 1000

DESCRIPTION = """\
Watch a charging profile reach a charge point, and its result come back.

The bridge is deployed, with the unchanged `cdk deploy`, to an embedded AWS on this
machine. A simulated partner (Jedlix) registers itself by OCPI's handshake and sends the
profile of Jedlix's own guide (22 kW, a pause, 10 kW); a small CSMS hands it to
kirby-ocpp, a third-party charge point. The partner is told how the meter moves and what
else limits the car, pulls the sessions, and renews its credentials on the way.
Every step is looked for at its far end: in the charge point's own log, or at the partner.
"""

EPILOG = """\
What it leaves: DIR/demo.log, every step and message; DIR/report.html, the sequence with
times and a plot of the requested plan against what the charge point says it will do.

Exit status: 0 if every step was observed, 1 if one was not (it says which, what was
expected and what was seen), 2 for a wrong command line, 130 after Ctrl-C.

Examples:
  make demo                              the whole job, on a stack of its own
  make demo ARGS="--repeat 50"           then measure 50 PUTs in sequence
  make demo ARGS="--keep"                leave the stack running, to look around in it
  make up; make demo ARGS="--stack .local"   use the stack of `make up`, and leave it as it was
"""


class Terminated(BaseException):
    """SIGTERM came. Like KeyboardInterrupt it is no Exception, so that nothing on the way holds it up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the exit status."""
    options = _parser().parse_args(arguments)
    output: Path = options.output
    output.mkdir(parents=True, exist_ok=True)
    setup = Setup(
        stack_directory=options.stack or output / "stack",
        attach=options.stack is not None,
        keep=options.keep,
        repeats=options.repeat,
    )
    console = Console(highlight=False, markup=False)
    programme = with_repetition(setup.repeats) if setup.repeats else PROGRAMME
    try:
        with _alone(output), _leaving_in_order(), Narrator(output / LOG, console) as narrator:
            return run(setup, programme, narrator, output)
    except AnotherDemo as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Everything that was started has ended.", file=sys.stderr)
        return INTERRUPTED
    except Terminated:
        print("Terminated. Everything that was started has ended.", file=sys.stderr)
        return TERMINATED


def run(setup: Setup, programme: Sequence[Step], narrator: Narrator, output: Path) -> int:
    """Play the programme, write the report, end what was started; 0 if every step was observed, else 1."""
    resources = ExitStack()
    scene = Scene(setup, resources, narrator.detail)
    try:
        play = perform(programme, scene, narrator)
        scene.leave_running = setup.keep
        (output / REPORT).write_text(account.written_report(play, scene, _local_zone()), encoding="utf-8")
        for story in account.stories(scene):
            narrator.log([story.heading, *(f"    {as_line(message)}" for message in story.messages)])
        if play.failed is not None and scene.stack is not None:
            (output / STACK_LOG).write_text(scene.stack.log(), encoding="utf-8")
    finally:
        narrator.say("", "Ending what was started ...")
        with _no_interruption():
            resources.close()
    _conclude(play, scene, narrator, output)
    return 0 if play.failed is None else 1


def _conclude(play: Play, scene: Scene, narrator: Narrator, output: Path) -> None:
    failed = play.failed
    if failed is None:
        seconds = sum(outcome.seconds for outcome in play.outcomes)
        narrator.say("", f"All {len(play.outcomes)} steps were observed at the far end, in {seconds:.0f} s.")
    else:
        narrator.say("", f"FAILED: step {play.outcomes.index(failed) + 1}, {failed.title}.", *failed.told)
    narrator.say(f"Report: {output / REPORT}", f"Log:    {narrator.log_file}")
    if failed is not None and scene.stack is not None:
        narrator.say(f"The stack's own log, with what the functions wrote: {output / STACK_LOG}")
    if scene.leave_running and scene.stack is not None:
        directory = scene.setup.stack_directory
        narrator.say(
            f"The stack runs on; what it is reached by: {directory / 'stack.json'}",
            f'To use it again: make demo ARGS="--stack {directory}"',
            f'To end it:       make down ARGS="--directory {directory}"',
        )


def _local_zone() -> tzinfo:
    return datetime.now(UTC).astimezone().tzinfo or UTC


class AnotherDemo(Exception):
    """The output directory is another running demo's."""


@contextmanager
def _alone(output: Path) -> Iterator[None]:
    """Two demos in one directory would end each other's stack."""
    with (output / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherDemo(f"another demo runs in {output}; wait for it, or choose another --output") from error
        yield


@contextmanager
def _leaving_in_order() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: what was started ends first."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _no_interruption() -> Iterator[None]:
    """A second Ctrl-C must not leave a stack behind; ending everything is bounded in time."""
    before = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.demo",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--repeat",
        type=_count,
        default=0,
        metavar="N",
        help="then send N PUTs in sequence and print how long they took: p50, p95, max",
    )
    stack = parser.add_mutually_exclusive_group()
    stack.add_argument(
        "--stack",
        type=Path,
        metavar="DIR",
        help="use the stack that runs in DIR (make up: .local) and leave it running",
    )
    stack.add_argument("--keep", action="store_true", help="leave the stack that the demo deployed running")
    parser.add_argument(
        "--output",
        type=Path,
        default=DEFAULT_OUTPUT,
        metavar="DIR",
        help=f"where log, report and the demo's own stack go ({DEFAULT_OUTPUT})",
    )
    return parser


def _count(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= MOST_REPEATS:
        return int(text)
    raise argparse.ArgumentTypeError(f"a number from 1 to {MOST_REPEATS} is needed, not {text!r}")


if __name__ == "__main__":
    sys.exit(main())
