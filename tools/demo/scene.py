"""What the demo's steps share: who takes part, what was found on the way, and how a step fails."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from ocpi_bridge.domain.plans import Plan
from tools.charge_point import ChargePoint, SilentChargePoint
from tools.counterparts.clock import utc_now
from tools.demo.measurement import Measurement
from tools.demo.sequence import Chapter, Message
from tools.demo.world import Invitation
from tools.demo_csms import DemoCsms
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, PartnerSimulator, Session

Found = TypeVar("Found")


class StepFailed(Exception):
    """A step was not observed: what was expected at the far end, and what was seen there."""

    def __init__(self, expected: str, seen: str) -> None:
        self.expected = expected
        self.seen = seen
        super().__init__(f"expected: {expected}; seen: {seen}")


class Bound:
    """The time that a step has."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._ends - time.monotonic())


@dataclass(frozen=True, slots=True)
class Setup:
    """What the run was asked for.

    `stack_directory` holds the stack; with `attach` it runs there already and stays, with `keep` ours stays as well.
    `repeats` counts the PUTs of the measurement.
    """

    stack_directory: Path
    attach: bool = False
    keep: bool = False
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part beside the bridge.

    `charge_point` does all that the story is about; `in_amperes` takes limits in A only; `silent` never answers a
    charging profile.
    """

    csms: DemoCsms
    partner: PartnerSimulator
    charge_point: ChargePoint
    in_amperes: ChargePoint
    silent: SilentChargePoint


@dataclass(slots=True)
class Scene:
    """The state of one run: a step finds here what the steps before it have left.

    `resources` is closed by whoever made the scene, which ends everything that the steps have started. `tell` takes
    one plain sentence about what happens now. `leave_running` spares our stack, which an interrupted run never does.
    `notes` are the messages that no counterpart records. `meter_push_interval` is the least time between two pushes of
    meter values to the partner.
    """

    setup: Setup
    resources: ExitStack
    tell: Callable[[str], None]
    chapters: list[Chapter] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    leave_running: bool = False
    stack: LocalStack | None = None
    cast: Cast | None = None
    invitation: Invitation | None = None
    meter_push_interval: timedelta = timedelta(0)
    transaction_id: int | None = None
    session: Session | None = None
    silent_session: Session | None = None
    one_phase_session: Session | None = None
    silent_put: Exchange | None = None
    put: Exchange | None = None
    requested: Plan | None = None
    reported: Plan | None = None
    measurement_began: datetime | None = None
    measured: Measurement | None = None

    @property
    def parts(self) -> Cast:
        """Who takes part; raises LookupError while nobody is on stage."""
        return needed(self.cast)

    def begin_chapter(self, title: str) -> None:
        """Head the messages from now on."""
        self.chapters.append(Chapter(utc_now(), title))


def needed(found: Found | None) -> Found:
    """What an earlier step has found; raises LookupError when that step was left out."""
    if found is None:
        raise LookupError("a step runs before the one that it builds on")
    return found
