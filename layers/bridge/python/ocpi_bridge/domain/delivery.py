"""When a result is tried again: quickly, inside the announced timeout, or not at all.

OCPI wants no queueing (4.4) and a late result misleads, so the schedule is short and ends with the timeout.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

# Seconds after the first attempt at which the next ones are due; the last gap repeats until the timeout.
SCHEDULE = (1, 3, 7, 15)
# Spread of a retry, so that the results of a partner that comes back do not all arrive at once.
JITTER = 0.2
# After the announced timeout the partner no longer waits; a setting may grant it more.
GRACE = timedelta(0)
# Another attempt with less time left would be cut off in its middle, or arrive when nobody waits any more.
LEAST_LEFT = timedelta(seconds=1)
# How long a delivery that a person starts again is tried: whoever waits for it learns soon how it went.
STARTED_AGAIN = timedelta(seconds=60)


def next_attempt(
    attempts: int, now: datetime, timeout_at: datetime, retry_after: int | None, random: Callable[[], float]
) -> datetime | None:
    """When to try again after `attempts` failed ones (at least 1), or None: too late for the partner's timeout.

    `retry_after` (s) is what the partner asked for and is respected; `random` gives [0, 1).
    """
    schedule = (0, *SCHEDULE)
    known = attempts < len(schedule)
    gap = schedule[attempts] - schedule[attempts - 1] if known else schedule[-1] - schedule[-2]
    wait = max(gap * (1 + JITTER * random()), float(retry_after or 0))
    due = now + timedelta(seconds=wait)
    return due if due + LEAST_LEFT <= timeout_at + GRACE else None
