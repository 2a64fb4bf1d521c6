"""What the demo's steps share: the parts on stage, what was found on the way, and how a step fails."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ocpi_bridge.domain.plans import Plan
from tools.charge_point import ChargePoint, SilentChargePoint
from tools.counterparts.clock import utc_now
from tools.demo.sequence import Chapter
from tools.demo_csms import DemoCsms
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, PartnerSimulator, Session

# The `timeout` told to the partner (s). The bridge keeps 10 s of it for the delivery, so the silent charger's REJECTED
# comes after 20 s: long enough for cold functions on a slow machine, short enough to be watched.
RESULT_TIMEOUT = 30


class StepFailed(Exception):
    """A step was not observed: what was expected at the far end, and what was seen there."""

    def __init__(self, expected: str, seen: str) -> None:
        self.expected = expected
        self.seen = seen
        super().__init__(f"expected: {expected}; seen: {seen}")


class Bound:
    """The time that is left for a step."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._ends - time.monotonic())


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part beside the bridge. `charge_point` steers, `silent` never answers a charging profile."""

    csms: DemoCsms
    partner: PartnerSimulator
    charge_point: ChargePoint
    silent: SilentChargePoint


@dataclass(slots=True)
class Scene:
    """The state of one run; each step finds here what the steps before it have left.

    `resources` is closed by whoever made the scene: it ends what the steps have started. `tell` takes one plain
    sentence about what happens now. `attached` is the directory of a stack that runs already, None to start one in
    `stack_directory`.
    """

    stack_directory: Path
    resources: ExitStack
    tell: Callable[[str], None]
    attached: Path | None = None
    keep_stack: bool = False
    repeats: int = 0
    chapters: list[Chapter] = field(default_factory=list)
    cast: Cast | None = None
    reported: Plan | None = None
    put: Exchange | None = None
    silent_put: Exchange | None = None
    stack: LocalStack = field(init=False)
    session: Session = field(init=False)
    silent_session: Session = field(init=False)
    requested: Plan | None = None
    transaction_id: int = field(init=False)

    @property
    def parts(self) -> Cast:
        """Who takes part; raises RuntimeError before they are on stage."""
        return needed(self.cast)

    def begin_chapter(self, title: str) -> datetime:
        """Head the messages from now on; returns the moment."""
        now = utc_now()
        self.chapters.append(Chapter(now, title))
        return now
