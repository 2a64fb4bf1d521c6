"""One step of watching: what it rests on, and what can come of it."""

from datetime import datetime, timedelta
from enum import StrEnum

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.plan_keeping import Situation
from ocpi_bridge.domain.requests import InstalledPlan
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Outlet, outlet_as_it_is
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.pushes import PushContext
from ocpi_bridge.ports.sessions import Place
from ocpi_bridge.usecases.partner_line import PartnerLine


class Watched(StrEnum):
    """What came of a step, for logs and metrics."""

    NOTHING = "nothing"
    CLEARING = "clearing"
    RESENDING = "resending"
    LOOKING = "looking"
    WAITING = "waiting"
    SOON = "soon"
    NO_NEWS = "no_news"
    PUSHED = "pushed"
    FAILED = "failed"
    LATER = "later"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Step:
    """A step and its outcome; `again_in` (s) is when the message is to come back."""

    what: Watched
    again_in: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that one step rests on, read at `now`; `watch` moves on with it."""

    context: PushContext
    line: PartnerLine
    session: Session
    watch: Watch
    place: Place
    correlation_id: str
    now: datetime

    @property
    def control(self) -> Control:
        """The session's control."""
        return self.context.control

    @property
    def partner(self) -> Partner | None:
        """The partner that is watched for; None where it was removed."""
        return self.context.partner

    @property
    def outlet(self) -> Outlet | None:
        """Where the session takes place, with all that is known of its station."""
        return outlet_as_it_is(self.place.station, self.place.state, self.session.evse_uid, self.session.connector_id)

    @property
    def installed(self) -> InstalledPlan | None:
        """The plan of this partner that the charge point accepted last."""
        installed = self.control.installed
        return installed if installed is not None and installed.partner_id == self.watch.partner_id else None

    @property
    def following(self) -> InstalledPlan | None:
        """That plan, where the charge point is expected to follow it still."""
        installed = self.installed
        return installed if installed is not None and installed.in_force(self.now) else None

    @property
    def missing(self) -> bool:
        """Whether the charge point was found not to follow that plan, and it was not sent again yet."""
        return self.following is not None and self.following.request_id == self.watch.missing

    @property
    def reachable(self) -> bool:
        """Whether active profiles can be pushed to the partner."""
        partner = self.partner
        return partner is not None and partner.connected and partner.charging_profiles_url is not None

    @property
    def sees(self) -> bool:
        """Whether it may be told: who may not see the session any more learns of its own plan's end, and of no more."""
        return self.watch.forced or self.watch.partner_id in self.session.rights.seen_by

    @property
    def reduced_untold(self) -> bool:
        """Whether the CPO's limit cut the plan and the partner was not told what is followed instead."""
        following = self.following
        if following is None or following.fitted_to is None:
            return False
        return following.fitted_to.reduces and self.watch.told_number < following.number

    def situation(self, control: Control | None = None, *, under_way: bool = False) -> Situation:
        """What decisions about the plan rest on; with the control of the very moment where one is given."""
        partner = self.partner
        may_steer = partner is not None and partner.connected
        return Situation(
            session=self.session,
            control=control or self.control,
            watch=self.watch,
            may_steer=may_steer and self.session.rights.steered_by == self.watch.partner_id,
            state=self.place.state,
            outlet=self.outlet,
            under_way=under_way,
            heard_at=self._heard_at(),
            now=self.now,
        )

    def _heard_at(self) -> datetime | None:
        """The partner's last sign of life: a push that it took, a request that it made."""
        newest = self.control.intake(self.watch.partner_id).newest
        asked = newest.timeout_at - timedelta(seconds=newest.timeout) if newest is not None else None
        pushed = self.context.pushed.at if not self.context.pushed.in_doubt else None
        return max((at for at in (asked, pushed, self.watch.heard_at) if at is not None), default=None)
