"""What the commands of long runs have in common: options, a stack, a line that says how far it is, an exit status."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from tools.local_stack import LocalStack, LocalStackError

# Seconds between two lines in a log file.
TOLD_EVERY = 10.0
STACK_LOG = "stack.log"
INTERRUPTED = 130


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


@contextmanager
def logged_stack(running_in: Path | None, output: Path, say: Callable[[str], None]) -> Iterator[LocalStack]:
    """The stack that runs in a directory, which is left running, or one of the run's own; its log stays in `output`."""
    if running_in is not None:
        stack = LocalStack.attach(running_in)
        try:
            yield stack
        finally:
            (output / STACK_LOG).write_text(stack.log(), encoding="utf-8")
        return
    with LocalStack.start(output / "stack", progress=say, port=0), logged_stack(output / "stack", output, say) as stack:
        yield stack


def exit_status(run: Callable[[], bool]) -> int:
    """Runs it: 0 if all was as it must be, 1 if not or without a stack, 130 after Ctrl-C."""
    # SIGTERM ends it as Ctrl-C does: what was started ends first.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        return 0 if run() else 1
    except LocalStackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Everything that was started has ended.", file=sys.stderr)
        return INTERRUPTED


def parser(program: str, description: str, epilog: str, output: Path) -> argparse.ArgumentParser:
    """A parser with the options that all have: `--seed`, `--stack`, `--output`."""
    made = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--seed", type=int, default=1, help="what is drawn comes from it (1)")
    made.add_argument(
        "--stack", type=Path, metavar="DIR", help="use the stack that runs in DIR (make up: .local), leave it running"
    )
    made.add_argument(
        "--output", type=Path, default=output, metavar="DIR", help=f"where reports and the stack go ({output})"
    )
    return made


def count(text: str) -> int:
    """A positive whole number, as an option's type."""
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"a positive number is needed, not {text!r}")
