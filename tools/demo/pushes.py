"""What the partner is told without asking: the meter of a session, and a profile that somebody else has changed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from time import sleep

from ocpi_bridge.domain.plans import Plan
from tools.counterparts.clock import utc_now
from tools.demo import checks, steps
from tools.demo.scene import Bound, Scene, StepFailed, needed
from tools.partner_simulator import ActiveProfilePush

METERED_WH = 600
# The bridge counts its interval from the partner's acknowledgement, which comes after the partner's own record.
ACKNOWLEDGED_WITHIN = timedelta(seconds=1)
PATCHED = frozenset({"kwh", "last_updated"})
# Half of the plan's first limit, and more than its last one.
OWN_LIMIT = Decimal(11000)
# How long a pushed profile may be (OCPI 14.4.2.4).
SHORTEST, LONGEST = timedelta(minutes=5), timedelta(minutes=60)


def see_meter_update(scene: Scene, within: Bound) -> str:
    """The charge point sends MeterValues, and the partner gets a PATCH with the energy and nothing that has not changed."""
    parts, session = scene.parts, needed(scene.session)
    pushes = parts.partner.session_pushes
    scene.begin_chapter("The meter moves")
    last = pushes.matching(lambda one: one.session.id == session.id)[-1]
    pause = last.at + scene.meter_push_interval + ACKNOWLEDGED_WITHIN - utc_now()
    if scene.meter_push_interval and pause > timedelta(0):
        interval = scene.meter_push_interval.total_seconds()
        scene.tell(f"The partner wants {interval:g} s between two meter updates; waiting for that")
        sleep(pause.total_seconds())
    mark, sent = pushes.mark(), utc_now()
    parts.charge_point.send_meter_values(1, energy_wh=METERED_WH)
    scene.tell("Waiting for the update at the partner")
    push = pushes.wait_for(lambda one: one.session.id == session.id, within.left(), since=mark)
    if push.method != "PATCH" or set(push.body) != PATCHED:
        raise StepFailed(f"a PATCH of {' and '.join(sorted(PATCHED))}", f"a {push.method} of {', '.join(push.body)}")
    if push.session.kwh * 1000 < METERED_WH:
        raise StepFailed(f"at least {METERED_WH} Wh", f"{push.session.kwh} kWh")
    return (
        f"{_seconds(sent, push.at)} after MeterValues: a PATCH of {' and '.join(sorted(PATCHED))}, nothing else; "
        f"{push.session.kwh.normalize():f} kWh now"
    )


def see_limit(scene: Scene, within: Bound) -> str:
    """The CPO limits the station; the partner is told what the charge point will do now."""
    csms, station_id = scene.parts.csms, scene.parts.charge_point.station_id
    scene.begin_chapter("The CPO sets a limit of its own")
    expected = checks.capped(needed(scene.requested), OWN_LIMIT)
    return told_after(scene, lambda: csms.set_limit(station_id, OWN_LIMIT), expected, within)


def see_end_of_limit(scene: Scene, within: Bound) -> str:
    """The CPO takes its limit back; the partner is told that its own plan is followed again."""
    csms, station_id = scene.parts.csms, scene.parts.charge_point.station_id
    scene.begin_chapter("The CPO takes its limit back")
    return told_after(scene, lambda: csms.clear_limit(station_id), needed(scene.requested), within)


def told_after(scene: Scene, command: Callable[[], str], expected: Plan, within: Bound) -> str:
    """What the charge point shows and the partner is told after a command of the CPO's.

    Raises StepFailed where one of them is not the expected plan, or the command is not taken.
    """
    charge_point, partner = scene.parts.charge_point, scene.parts.partner
    shown_before, told_before, began = charge_point.mark(), partner.active_profiles.mark(), utc_now()
    status = command()
    if status != "Accepted":
        raise StepFailed("the charge point accepts the CPO's command", f"it answers {status}")
    scene.tell("Waiting for GetCompositeSchedule at the charge point")
    charge_point.wait_for("GetCompositeSchedule", within.left(), since=shown_before)
    push, told = told_since(scene, told_before, within)
    # Where an attempt failed, the charge point was asked again: the last answer before the push is what was pushed.
    looks = charge_point.events.matching(
        lambda one: one.received("GetCompositeSchedule") and one.at <= push.at, shown_before
    )
    if not looks:
        raise StepFailed("GetCompositeSchedule at the charge point before the push", "only after it")
    shown = checks.composite_plan(steps.answered_with(scene, looks[-1], "Accepted", within))
    for plan in (shown, expected):
        as_told(plan, told)
    return (
        f"The charge point was asked, and {_seconds(began, push.at)} after the CPO's command the partner knows the same, "
        f"for {(told.duration or 0) // 60} minutes: {checks.in_words(told)}"
    )


def told_since(scene: Scene, mark: int, within: Bound) -> tuple[ActiveProfilePush, Plan]:
    """The next active profile that is pushed after a position; raises StepFailed for one of no legal length."""
    scene.tell("Waiting for the active profile at the partner")
    push = scene.parts.partner.wait_for_active_profile(needed(scene.session).id, within.left(), since=mark)
    told = checks.active_plan(push.profile)
    length = timedelta(seconds=told.duration or 0)
    if not SHORTEST <= length <= LONGEST:
        raise StepFailed("an active profile of 5 to 60 minutes", f"one of {length}")
    return push, told


def as_told(plan: Plan, told: Plan) -> None:
    """Raises StepFailed where the partner was told another course than the plan's."""
    start = needed(told.start)
    if not checks.says_the_same(plan, told, start, start + timedelta(seconds=told.duration or 0)):
        raise StepFailed(checks.in_words(plan), checks.in_words(told))


def _seconds(since: datetime, until: datetime) -> str:
    return f"{(until - since).total_seconds():.2f} s"
