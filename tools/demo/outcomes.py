"""How the steps of a run ended."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from tools.counterparts.clock import utc_now


class Verdict(Enum):
    """How a step ended."""

    SEEN = "seen"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step and how it ended: `told` is what was seen, or what was expected and what was seen instead.

    `around` says what else happened, for a step that failed.
    """

    title: str
    verdict: Verdict
    seconds: float = 0.0
    told: tuple[str, ...] = ()
    around: tuple[str, ...] = ()


@dataclass(slots=True)
class Play:
    """The outcomes of one run, in the programme's order."""

    started: datetime = field(default_factory=utc_now)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> Outcome | None:
        """The step that was not observed, if there is one."""
        return next((outcome for outcome in self.outcomes if outcome.verdict is Verdict.FAILED), None)
