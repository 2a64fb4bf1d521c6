"""Deviations planned by a test: which one applies to the next thing that happens, and how often."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Subject = TypeVar("Subject")
Deviation = TypeVar("Deviation")


@dataclass
class _Planned(Generic[Subject, Deviation]):
    deviation: Deviation
    applies: Callable[[Subject], bool]
    times_left: int | None


class Plan(Generic[Subject, Deviation]):
    """Deviations in the order they were planned; each applies a number of times, or always. Thread safe.

    `otherwise` is asked for a deviation where none is planned.
    """

    def __init__(self) -> None:
        self.otherwise: Callable[[Subject], Deviation | None] | None = None
        self._planned: list[_Planned[Subject, Deviation]] = []
        self._lock = threading.Lock()

    def add(self, deviation: Deviation, *, when: Callable[[Subject], bool], times: int | None = 1) -> None:
        """Let `deviation` apply to the next `times` subjects that match; `times=None` means until `clear`."""
        if times is not None and times < 1:
            raise ValueError("a deviation applies at least once")
        with self._lock:
            self._planned.append(_Planned(deviation, when, times))

    def take(self, subject: Subject) -> Deviation | None:
        """The first planned deviation that matches, used up by one; else what `otherwise` says."""
        with self._lock:
            for planned in self._planned:
                if not planned.applies(subject):
                    continue
                if planned.times_left is not None:
                    planned.times_left -= 1
                    if planned.times_left == 0:
                        self._planned.remove(planned)
                return planned.deviation
        # Foreign code: it runs outside the lock.
        return None if self.otherwise is None else self.otherwise(subject)

    def clear(self) -> None:
        """Forget everything planned."""
        with self._lock:
            self._planned.clear()
            self.otherwise = None
