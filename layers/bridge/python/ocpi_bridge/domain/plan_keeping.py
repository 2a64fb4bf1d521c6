"""What a charge point must be told so that it follows the plan that it should, no other one, and none for ever.

The partner's last accepted plan is what is wanted as long as it may steer. The charge point may come to do something
else: a command's outcome is unknown, the station lost the plan, the car's phases or the CPO's cap changed, the fail-safe
time comes near. All of that is decided here, from what is known at a moment; repeating a decision is harmless.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.fitting import phases_in_use
from ocpi_bridge.domain.requests import InstalledPlan
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Outlet, StationState, maximum_power
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch

# A plan that ends in a pause is renewed this long before the charge point lets go of it: room for a station that is
# offline for a while, and for a partner that restarts.
RENEW_BEFORE = timedelta(minutes=30)
# A partner lives while it answered, or asked for something, within this time; else it is asked first.
LIFE_SIGN = timedelta(minutes=30)
# One that cannot be told anything gives no sign either; it may come back, so it is tried again after a while.
ASK_AGAIN = timedelta(minutes=5)


class Duty(StrEnum):
    """What is to be done at the charge point, or about it."""

    NOTHING = "nothing"
    CLEAR = "clear"
    RESEND = "resend"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the decision rests on. `under_way`: a request of whoever steers waits for its answer.

    `may_steer` is the partner's right, whatever the CPO suspended; `outlet` is None where the registry lost it.
    `heard_at` is the partner's last sign of life.
    """

    session: Session
    control: Control
    watch: Watch
    may_steer: bool
    state: StationState
    outlet: Outlet | None
    under_way: bool
    heard_at: datetime | None
    now: datetime

    @property
    def partner_id(self) -> str:
        """Whose plan it is about."""
        return self.watch.partner_id

    @property
    def suspended(self) -> bool:
        """Whether the CPO has taken the session, or its place, back."""
        return self.session.steering_suspended or self.state.suspends(self.session.evse_uid)

    @property
    def installed(self) -> InstalledPlan | None:
        """The partner's plan that the charge point accepted last."""
        installed = self.control.installed
        return installed if installed is not None and installed.partner_id == self.partner_id else None

    @property
    def in_the_dark(self) -> bool:
        """Whether a command for this partner was sent and nobody knows what became of it."""
        return self.control.in_the_dark and self.control.uncertain_by == self.partner_id


@dataclass(frozen=True, slots=True)
class Decision:
    """The duty, and when to decide again where nothing else happens; `renewal` tells that a RESEND only prolongs."""

    duty: Duty
    again_at: datetime | None = None
    renewal: bool = False


def decide(situation: Situation) -> Decision:
    """The one thing to do next."""
    if situation.session.status is not SessionStatus.ACTIVE or situation.session.superseded_at is not None:
        return _farewell(situation)
    if must_go(situation):
        return Decision(Duty.CLEAR)
    installed, now = situation.installed, situation.now
    kept = installed if installed is not None and installed.wanted(now) and _allowed(situation) else None
    if situation.in_the_dark:
        if situation.under_way:
            return Decision(Duty.NOTHING)
        return Decision(Duty.CLEAR if kept is None else Duty.RESEND)
    return Decision(Duty.NOTHING) if kept is None else _keep(situation, kept)


def must_go(situation: Situation) -> bool:
    """Whether the charge point follows a plan of this partner though it should not (design decisions 18 and 19)."""
    installed = situation.installed
    if installed is None or not installed.in_force(situation.now):
        return False
    return not _allowed(situation) or _released(situation, installed)


def _farewell(situation: Situation) -> Decision:
    """A plan of one car must not reach the next: it is cleared by its id, once; Unknown is a normal answer."""
    left = situation.installed is not None or situation.in_the_dark
    ended = situation.session.over or situation.session.superseded_at is not None
    return Decision(Duty.CLEAR if left and ended and not situation.watch.cleared else Duty.NOTHING)


def _keep(situation: Situation, kept: InstalledPlan) -> Decision:
    outlet, now = situation.outlet, situation.now
    if outlet is not None and kept.fitted_to is not None:
        phases, maximum = phases_in_use(outlet, situation.session.phases), maximum_power(outlet)
        if (phases, maximum) != (kept.fitted_to.phases, kept.fitted_to.maximum_w):
            return Decision(Duty.RESEND)
    if situation.watch.missing == kept.request_id:
        return Decision(Duty.RESEND)
    return _renew(situation, kept, now)


def _renew(situation: Situation, kept: InstalledPlan, now: datetime) -> Decision:
    if kept.fail_safe_at is None:
        return Decision(Duty.NOTHING)
    if now >= kept.fail_safe_at:
        # The charge point goes by its own limits now. It stays so: whoever steers is told, and may ask for more.
        told = situation.watch.lapsed == kept.request_id
        return Decision(Duty.NOTHING if told else Duty.LOOK)
    if now < kept.fail_safe_at - RENEW_BEFORE:
        return Decision(Duty.NOTHING, kept.fail_safe_at - RENEW_BEFORE)
    if situation.heard_at is not None and now - situation.heard_at <= LIFE_SIGN:
        return Decision(Duty.RESEND, kept.fail_safe_at, renewal=True)
    looked_at = situation.watch.settled_at
    if looked_at is not None and now < looked_at + ASK_AGAIN:
        return Decision(Duty.NOTHING, min(looked_at + ASK_AGAIN, kept.fail_safe_at))
    return Decision(Duty.LOOK, kept.fail_safe_at, renewal=True)


def _allowed(situation: Situation) -> bool:
    return situation.may_steer and not situation.suspended and situation.session.transaction_known


def _released(situation: Situation, installed: InstalledPlan) -> bool:
    released_at = situation.session.released_at
    return released_at is not None and (installed.at is None or installed.at <= released_at)
