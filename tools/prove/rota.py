"""Which of the things that can go wrong goes wrong now, and how often each one did."""

import threading
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Generic, TypeVar

Kind = TypeVar("Kind")


class Rota(Generic[Kind]):
    """Deals out kinds in a seeded order: each as often as the others, one to every `every`-th subject on average.

    Two that are hit have at least `apart` - 1 between them that are spared. Thread safe. With the same seed the n-th
    subject always gets the same.
    """

    def __init__(self, kinds: Sequence[Kind], *, every: int, random: Random, apart: int = 1) -> None:
        self._kinds = tuple(kinds)
        self._every = every
        self._apart = apart
        self._random = random
        self._lock = threading.Lock()
        self._hand: list[Kind] = []
        self._left = self._gap()

    def deal(self) -> Kind | None:
        """The kind that hits this subject, None where it is spared."""
        with self._lock:
            self._left -= 1
            if self._left > 0:
                return None
            self._left = self._gap()
            if not self._hand:
                self._hand = self._random.sample(self._kinds, len(self._kinds))
            return self._hand.pop()

    def _gap(self) -> int:
        return self._random.randint(self._apart, 2 * self._every - self._apart)


class Tally:
    """Counts by name, from 0 for every name that is known beforehand. Thread safe."""

    def __init__(self, names: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(names, 0))

    def count(self, name: str) -> None:
        """One more."""
        with self._lock:
            self._counts[name] += 1

    def counts(self) -> dict[str, int]:
        """How many of each."""
        with self._lock:
            return dict(self._counts)
