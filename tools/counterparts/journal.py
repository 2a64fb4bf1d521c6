"""An append-only record of what was observed, on which other threads wait without polling."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Entry = TypeVar("Entry")

# Enough to see what came instead of the thing waited for, short enough for a test report.
LAST_ENTRIES_SHOWN = 5
ENTRY_TEXT_LIMIT = 300


class NotObservedError(TimeoutError):
    """Nothing that matches was recorded in time; the message shows the newest entries."""


class JournalClosedError(RuntimeError):
    """The source of the entries ended, so nothing that matches can come any more."""


class Journal(Generic[Entry]):
    """Records entries in order and wakes whoever waits for one.

    Positions (`mark`) count recorded entries from 0, so `since=journal.mark()` means "from now on". Thread safe.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._changed = threading.Condition()
        self._closed: str | None = None

    def __len__(self) -> int:
        with self._changed:
            return len(self._entries)

    def record(self, entry: Entry) -> None:
        """Append an entry and wake every waiter."""
        with self._changed:
            self._entries.append(entry)
            self._changed.notify_all()

    def close(self, reason: str) -> None:
        """Tell waiters that no entry follows; what is recorded stays readable."""
        with self._changed:
            self._closed = self._closed or reason
            self._changed.notify_all()

    def mark(self) -> int:
        """The position after the newest entry."""
        return len(self)

    def entries(self, since: int = 0) -> list[Entry]:
        """All entries from a position on, oldest first."""
        with self._changed:
            return self._entries[since:]

    def matching(self, predicate: Callable[[Entry], bool], since: int = 0) -> list[Entry]:
        """The entries that match, oldest first."""
        return [entry for entry in self.entries(since) if predicate(entry)]

    def wait_for(
        self,
        predicate: Callable[[Entry], bool],
        timeout: float,
        *,
        since: int = 0,
        what: str = "a matching entry",
    ) -> Entry:
        """Return the first entry from `since` on that matches, waiting up to `timeout` seconds.

        Raises NotObservedError when time is up, JournalClosedError when the source ended before.
        """
        return self.wait_for_count(1, predicate, timeout, since=since, what=what)[0]

    def wait_for_count(
        self,
        count: int,
        predicate: Callable[[Entry], bool],
        timeout: float,
        *,
        since: int = 0,
        what: str = "matching entries",
    ) -> list[Entry]:
        """Return the first `count` entries that match; raises as `wait_for`."""
        deadline = time.monotonic() + timeout
        found: list[Entry] = []
        position = since
        while True:
            fresh, closed = self._wait_beyond(position, deadline - time.monotonic())
            # The predicate is the caller's code: it runs outside the lock, so that it may look into this journal.
            found.extend(entry for entry in fresh if predicate(entry))
            position += len(fresh)
            if len(found) >= count:
                return found[:count]
            if not fresh:
                seen = f"{what}: {len(found)} of {count} seen"
                if closed:
                    raise JournalClosedError(f"{seen}, then {closed}")
                raise NotObservedError(f"{seen} in {timeout:g} s; newest entries: {self._newest()}")

    def _wait_beyond(self, position: int, seconds: float) -> tuple[list[Entry], str | None]:
        """Entries after a position, none when time is up or the journal is closed; and why it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._entries) > position or self._closed is not None, seconds)
            return self._entries[position:], self._closed

    def _newest(self) -> str:
        shown = [repr(entry)[:ENTRY_TEXT_LIMIT] for entry in self.entries()[-LAST_ENTRIES_SHOWN:]]
        return "; ".join(shown) or "none"
