"""The CPO's own word on its station: a cap that no plan passes, and steering taken back and given away again."""

from datetime import timedelta
from decimal import Decimal
from time import sleep

from ocpi_bridge.domain.plans import Plan, RateUnit, constant
from tools.charge_point import LogEvent
from tools.counterparts.clock import utc_now
from tools.counterparts.journal import NotObservedError
from tools.demo import checks, pushes, steps
from tools.demo.scene import Bound, Scene, StepFailed, needed
from tools.partner_simulator import ChargingProfile, Exchange, ResponseType, ResultType, guide_profile

# Half of the plan's first limit, and more than its last one.
CAP = Decimal(11000)
# The bridge takes an event in a moment, and whoever PUTs before is refused.
PAUSE_SECONDS = 0.5
# As long as plans are compared beyond their last step.
TAIL = timedelta(hours=1)


def see_cap(scene: Scene, within: Bound) -> str:
    """The CPO caps the connector by an event; the charge point gets the plan below it, and the partner is told."""
    parts, mark = scene.parts, scene.parts.charge_point.mark()
    scene.begin_chapter("The CPO caps the connector")
    expected = checks.capped(needed(scene.requested), CAP)

    def cap() -> str:
        parts.csms.tell("cap.changed", parts.charge_point.station_id, connector_id=1, data={"cap_w": CAP})
        # Nobody at the charge point has to accept it: the bridge keeps it.
        return "Accepted"

    told = pushes.told_after(scene, cap, expected, within)
    commanded = _commanded(scene, expected, mark, within)
    return f"SetChargingProfile again: {checks.in_words(commanded)}\n{told}"


def see_suspension(scene: Scene, within: Bound) -> str:
    """The CPO takes its station back: the plan is cleared, the partner told and refused."""
    parts, session = scene.parts, needed(scene.session)
    mark, told_before = parts.charge_point.mark(), parts.partner.active_profiles.mark()
    scene.begin_chapter("The CPO takes its station back")
    parts.csms.tell("steering.suspended", parts.charge_point.station_id)
    scene.tell("Waiting for ClearChargingProfile at the charge point")
    cleared = parts.charge_point.wait_for("ClearChargingProfile", within.left(), since=mark)
    steps.answered_with(scene, cleared, "Accepted", within)
    _, told = pushes.told_since(scene, told_before, within)
    pushes.as_told(constant(CAP, RateUnit.WATT, needed(told.start), told.duration), told)
    refused = parts.partner.bridge.put_profile(session.id, guide_profile(utc_now()))
    if refused.result is not ResponseType.REJECTED:
        raise StepFailed("REJECTED while the CPO steers", f"{refused.result or refused.status_code}")
    return (
        f"ClearChargingProfile at the charge point; the partner knows that only the cap is left: {checks.in_words(told)}. "
        "Its next PUT is REJECTED"
    )


def see_resumption(scene: Scene, within: Bound) -> str:
    """The CPO lifts the cap and lets steer again: the partner's next plan reaches the charge point whole."""
    parts = scene.parts
    scene.begin_chapter("The CPO gives it away again")
    parts.csms.tell("cap.changed", parts.charge_point.station_id, connector_id=1, data={"cap_w": None})
    parts.csms.tell("steering.resumed", parts.charge_point.station_id)
    mark = parts.charge_point.mark()
    profile = guide_profile(utc_now())
    scene.tell("The partner PUTs again")
    put = _put_until_accepted(scene, profile, within)
    _commanded(scene, checks.requested_plan(profile), mark, within)
    result = steps.result_of(put, ResultType.ACCEPTED, within)
    return f"ACCEPTED, SetChargingProfile with the same limits, and {steps.after(put, result)} after the PUT its result"


def _commanded(scene: Scene, expected: Plan, mark: int, within: Bound) -> Plan:
    """The plan that the charge point got and accepted; raises StepFailed where it only got others than expected."""
    charge_point = scene.parts.charge_point
    since, until = utc_now(), checks.last_start(expected) + TAIL

    def has_it(event: LogEvent) -> bool:
        if not event.received("SetChargingProfile"):
            return False
        return checks.says_the_same(expected, checks.commanded_plan(steps.payload(event)), since, until)

    scene.tell("Waiting for SetChargingProfile at the charge point")
    try:
        event = charge_point.wait_for(has_it, within.left(), since=mark)
    except NotObservedError:
        others = charge_point.events.matching(lambda one: one.received("SetChargingProfile"), mark)
        if not others:
            raise
        seen = checks.commanded_plan(steps.payload(others[-1]))
        raise StepFailed(checks.in_words(expected), checks.in_words(seen)) from None
    steps.answered_with(scene, event, "Accepted", within)
    return checks.commanded_plan(steps.payload(event))


def _put_until_accepted(scene: Scene, profile: ChargingProfile, within: Bound) -> Exchange:
    """The PUT that is ACCEPTED; those before the bridge took the CPO's event are REJECTED, as they should be."""
    bridge, session = scene.parts.partner.bridge, needed(scene.session)
    put = bridge.put_profile(session.id, profile)
    while put.result is ResponseType.REJECTED and within.left():
        sleep(PAUSE_SECONDS)
        put = bridge.put_profile(session.id, profile)
    steps.accepted(put)
    return put
