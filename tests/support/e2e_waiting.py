"""Waiting, with a bound, for what no journal tells."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

# What is asked for over and over is a call of the embedded AWS; more often would only slow down what is waited for.
POLL_SECONDS = 0.1


def eventually(look: Callable[[], Found | None], timeout: float, *, what: str) -> Found:
    """Returns the first thing that `look` finds (neither None nor False). Raises TimeoutError."""
    give_up_at = time.monotonic() + timeout
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{what}: not seen in {timeout:g} s")
        time.sleep(POLL_SECONDS)
