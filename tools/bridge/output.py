"""What a command shows: a sentence or table for people, or one JSON document for scripts; problems go to stderr."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.bridge.files import Json


class Output:
    """One command's output. In the JSON form, stdout has exactly one document, and only on success."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False, markup=False)
        self._problems = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

    def document(self, content: Json) -> None:
        """Shows a document, which is JSON in both forms."""
        print(json.dumps(content, indent=2, ensure_ascii=False))

    def done(self, content: Json, *sentences: str | Text) -> None:
        """Shows what was done. Sentences are not wrapped: they may end with something to be copied."""
        if self._as_json:
            self.document(content)
        else:
            for sentence in sentences:
                self._console.print(sentence, soft_wrap=True)

    def table(self, content: Sequence[Json], columns: Sequence[str], rows: Iterable[Sequence[str]], none: str) -> None:
        """Shows a list; `none` is the sentence for an empty one."""
        if self._as_json:
            self.document(list(content))
        elif not content:
            self._console.print(none)
        else:
            self._print(columns, rows)

    def tables(self, content: Sequence[Json], *tables: tuple[Sequence[str], Sequence[Sequence[str]]]) -> None:
        """Shows one document for scripts, and for people tables of it: columns and rows, without those that are empty."""
        if self._as_json:
            self.document(list(content))
            return
        for columns, rows in tables:
            if rows:
                self._print(columns, rows)
                self._console.print()

    def _print(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in columns:
            # An id that is cut off is of no use.
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    @contextmanager
    def progress(self, text: str) -> Iterator[Callable[[str], None]]:
        """Shows on a terminal, and nowhere else, that something takes time; gives what changes the text."""
        if self._as_json or not self._problems.is_terminal:
            yield lambda _: None
            return
        with self._problems.status(text) as status:
            yield status.update

    def problem(self, text: str) -> None:
        """Tells what is wrong."""
        for line in text.splitlines():
            self._problems.print(f"error: {line}")
