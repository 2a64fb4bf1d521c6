"""Each minute: how many sessions run, and which partner does not answer while sessions of its own run."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.survey import SurveyStore

# A running session is pushed every few minutes, so by then a partner that works has taken something.
SILENT_AFTER = timedelta(minutes=15)
# After the third failure a push has been tried for six minutes: no restart at the partner takes that long.
FAILURES = 3
# As long, where a partner that answers nothing is not even called for most sessions.
LASTING = timedelta(minutes=6)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Live sessions of all partners together, and the partners that are silent."""

    live_sessions: int
    silent_partners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """Looks; it changes nothing."""

    store: SurveyStore
    clock: Clock

    def __call__(self) -> Surveyed:
        """A partner is silent where pushes fail again and again, or are held back, and none was acknowledged for a while.

        A partner that nothing has to be told to is not silent: nobody knows.
        """
        now, live, silent = self.clock.now(), 0, []
        for partner_id, silence in self.store.connected_partners().items():
            sessions = self.store.live_sessions(partner_id)
            live += sessions.count
            if sessions.some and _unanswered(self.store.pushed(partner_id, sessions.some), silence, now):
                silent.append(partner_id)
        return Surveyed(live, tuple(silent))


def _unanswered(pushed: Iterable[Pushed], silence: Silence | None, now: datetime) -> bool:
    told = list(pushed)
    heard = any(one.at is not None and now - one.at < SILENT_AFTER for one in told)
    failing = any(one.in_doubt and one.attempts >= FAILURES for one in told)
    return not heard and (failing or (silence is not None and now - silence.since >= LASTING))
