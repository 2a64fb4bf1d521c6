"""What sending a plan takes: the commands, what it is fitted to, and when the charge point lets go of it by itself."""

from datetime import datetime, timedelta

from ocpi_bridge.domain.fail_safe import fail_safe_at
from ocpi_bridge.domain.fitting import ceiling, phases_in_use
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Fit, RequestKind
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Outlet, Replacement, maximum_power


def steps_of(kind: RequestKind, replacement: Replacement, *, first: bool) -> tuple[RequestKind, ...]:
    """The commands that a request takes: a CLEAR before a SET where the CSMS or the station refuses to replace.

    `first`: nothing was ever accepted for the session, so there is nothing to replace.
    """
    if kind is RequestKind.SET and replacement is Replacement.CLEAR_THEN_SET and not first:
        return RequestKind.CLEAR, RequestKind.SET
    return (kind,)


def fit_of(outlet: Outlet, phases: int | None, plan: Plan) -> Fit:
    """What a plan is fitted to at this outlet, for a car that uses these phases (None: not known)."""
    maximum = maximum_power(outlet)
    most = ceiling(outlet, plan.unit, phases, maximum)
    reduces = any(period.limit > most for period in plan.periods)
    return Fit(phases_in_use(outlet, phases), maximum, reduces)


def fail_safe_of(
    plan: Plan, session: Session, outlet: Outlet | None, partner: Partner | None, at: datetime
) -> datetime | None:
    """When the charge point lets go of a plan sent at an instant, unless somebody renews it (design decision 15)."""
    if outlet is None or partner is None or partner.fail_safe is None:
        return None
    return fail_safe_at(
        plan,
        charging_since=session.start,
        phases=phases_in_use(outlet, session.phases),
        voltage=outlet.voltage,
        accepted_at=at,
        after=timedelta(seconds=partner.fail_safe),
    )
