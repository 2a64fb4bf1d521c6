"""Everything once a round, in turn: what a machine shared with others does meanwhile hits all alike."""

from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


def in_turn(subjects: Mapping[str, Callable[[], T]], rounds: int, say: Callable[[str], None]) -> dict[str, list[T]]:
    """What each subject measured in each round, but for a first one that only warms caches of files and of the machine.

    Each round begins with another subject, so that none always follows the same one.
    """
    names = list(subjects)
    measured: dict[str, list[T]] = {name: [] for name in names}
    for number in range(rounds + 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            say(f"round {number} of {rounds}: {name}" if number else f"warming up: {name}")
            value = subjects[name]()
            if number:
                measured[name].append(value)
    return measured
