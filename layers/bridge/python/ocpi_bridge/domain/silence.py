"""The silence of a partner: its calls ran into their time, so for a while nobody waits for it (docs/decisions/0029)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Until the next call finds out. Long beside the time of a call, so that few workers wait; short for a partner's restart.
SILENT_FOR = timedelta(seconds=30)
# What is held back for long is looked at again after so much of its age, and at the latest after MOST_PATIENCE.
SHARE_OF_AGE = 4
MOST_PATIENCE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Silence:
    """Since when a partner answers nothing, and until when it is not called."""

    since: datetime
    until: datetime


def look_again_at(until: datetime, news_of: datetime, now: datetime) -> datetime:
    """When news of an instant, held back until another one, is looked at again if nothing else happens.

    The older the news, the later: a partner that is away for days must not fill each sweep with what it is owed.
    """
    return max(until, now + min((now - news_of) / SHARE_OF_AGE, MOST_PATIENCE))
