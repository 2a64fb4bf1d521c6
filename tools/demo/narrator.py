"""Tells what happens: on the terminal with a moving line, as plain lines where there is none, and in a log file."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from tools.counterparts.clock import utc_now

# The parts of the demo log by Python's logging; an HTTP client's log would show every response_url.
_QUIET = ("httpx", "httpcore", "botocore", "urllib3", "websockets")


class Narrator:
    """Tells each step as it begins, moves on and ends. Use as a context manager; `log_file` is written anew.

    Lines of the log have their time in UTC. `console` is the terminal, or anything else that text can go to.
    """

    def __init__(self, log_file: Path, console: Console) -> None:
        self.log_file = log_file
        self._console = console
        self._log: IO[str] = log_file.open("w", encoding="utf-8")
        self._handler = logging.StreamHandler(self._log)
        self._handler.setFormatter(logging.Formatter("%(asctime)s     %(name)s %(levelname)s: %(message)s"))
        self._progress: tuple[Progress, TaskID] | None = None
        self._levels: dict[str, int] = {}

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._handler)
        for name in _QUIET:
            self._levels[name] = logging.getLogger(name).level
            logging.getLogger(name).setLevel(logging.ERROR)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self._handler)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)
        self._log.close()

    def say(self, *sentences: str) -> None:
        """Tell something by itself."""
        for sentence in sentences:
            self._write(sentence)
            self._print(sentence)

    def log(self, lines: Sequence[str]) -> None:
        """Write lines to the log only."""
        for line in lines:
            self._write(line)

    def detail(self, sentence: str) -> None:
        """Tell what happens now within a step."""
        self._write(f"    {sentence}")
        if self._progress is None:
            self._print(f"        {sentence} ...")
        else:
            progress, task = self._progress
            progress.update(task, detail=sentence)

    @contextmanager
    def step(self, number: int, total: int, title: str) -> Iterator[None]:
        """A step is under way."""
        place = f"[{number:>2}/{total}]"
        self._write(f"{place} {title}")
        if not self._console.is_terminal:
            self._print(f"{place} {title}")
            yield
            return
        columns = (SpinnerColumn(), TextColumn("{task.description} [dim]{task.fields[detail]}"), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            self._progress = progress, progress.add_task(f"{place} {title}", total=None, detail="")
            try:
                yield
            finally:
                self._progress = None

    def done(self, number: int, total: int, title: str, seconds: float, lines: Sequence[str]) -> None:
        """A step was observed."""
        self._ended("ok", "green", f"[{number:>2}/{total}] {title}", seconds, lines)

    def failed(self, number: int, total: int, title: str, seconds: float, lines: Sequence[str]) -> None:
        """A step was not."""
        self._ended("FAILED", "bold red", f"[{number:>2}/{total}] {title}", seconds, lines)

    def _ended(self, verdict: str, style: str, title: str, seconds: float, lines: Sequence[str]) -> None:
        self.log([f"    {verdict} after {seconds:.1f} s", *(f"    {line}" for line in lines)])
        if self._console.is_terminal:
            self._console.print(Text.assemble((f"{verdict:<6}", style), f" {title} ", (f"{seconds:.1f} s", "dim")))
            for line in lines:
                self._console.print(Padding(Text(line), (0, 0, 0, 15)))
            return
        for line in (f"{verdict} after {seconds:.1f} s", *lines):
            self._print(f"        {line}")

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=not self._console.is_terminal)

    def _write(self, line: str) -> None:
        moment = f"{utc_now():%Y-%m-%d %H:%M:%S.%f}"[:-3]
        self._log.write(f"{moment}Z {line}\n")
        self._log.flush()
