"""A car that charges on one phase, at a charger that takes its limits in amperes only."""

from decimal import Decimal

from tools.charge_point import Car, LogEvent
from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import JsonObject, as_list, as_object
from tools.demo import steps
from tools.demo.scene import Bound, Scene, StepFailed, needed
from tools.demo.world import DRIVER_TAG
from tools.partner_simulator import ResultType, watt_profile

CAR = Car(phases=1)
# 22 A at 230 V on the one phase; shared by three phases it would be 7.3 A, and a third of the power.
POWER = Decimal(5060)
AMPERE = Decimal(22)
METERED_WH = 200


def see_full_power(scene: Scene, within: Bound) -> str:
    """The partner asks for a power, and the car draws all of it: on its one phase, by a limit in A."""
    parts, charge_point = scene.parts, scene.parts.in_amperes
    scene.begin_chapter("A one-phase car at a charger that takes only amperes")
    charge_point.plug_in(1, CAR)
    charge_point.start_transaction(1, DRIVER_TAG)
    session = scene.one_phase_session = steps.session_at(scene, charge_point.station_id, within)
    # The meter tells the bridge how many phases the car uses.
    charge_point.send_meter_values(1, energy_wh=METERED_WH)
    scene.tell(f"The partner PUTs {POWER} W")
    put = parts.partner.bridge.put_profile(session.id, watt_profile([(0, POWER)], start=utc_now()))
    steps.accepted(put)
    scene.tell("Waiting for SetChargingProfile at the charge point")
    charge_point.wait_for(_sets_ampere, within.left())
    steps.result_of(put, ResultType.ACCEPTED, within)
    power, currents = _metered(scene, within)
    if power != POWER:
        raise StepFailed(f"{POWER} W on the meter", f"{power} W, {', '.join(map(str, currents))} A")
    return (
        f"{POWER} W became {AMPERE} A for the one phase in use; the meter shows {power} W, "
        f"{', '.join(f'{current:f}' for current in currents)} A on L1, L2, L3"
    )


def see_plan_gone(scene: Scene, within: Bound) -> str:
    """The car leaves with its plan installed: the bridge clears that by its id, before the next car."""
    charge_point, session = scene.parts.in_amperes, needed(scene.one_phase_session)
    sets = charge_point.events.matching(lambda event: event.received("SetChargingProfile"))
    profile_id = as_object(steps.payload(sets[-1]).get("csChargingProfiles")).get("chargingProfileId")
    mark = charge_point.mark()
    scene.tell("The car leaves")
    charge_point.stop_transaction(1, id_tag=DRIVER_TAG)
    charge_point.unplug(1)
    scene.tell("Waiting for ClearChargingProfile at the charge point")
    cleared = charge_point.wait_for("ClearChargingProfile", within.left(), since=mark)
    if steps.payload(cleared) != {"id": profile_id}:
        raise StepFailed(f"profile {profile_id} is cleared", f"{steps.payload(cleared)}")
    answer = charge_point.answer_to(cleared, within.left())
    steps.completed(scene, session, within)
    status = answer.get("status") if isinstance(answer, dict) else answer.code
    return (
        f"Session {session.id} is COMPLETED, and ClearChargingProfile came with the plan's id; the charge point, "
        f"which lets go of a transaction's plan by itself, answered {status}"
    )


def _sets_ampere(event: LogEvent) -> bool:
    if not event.received("SetChargingProfile"):
        return False
    schedule = as_object(as_object(steps.payload(event).get("csChargingProfiles")).get("chargingSchedule"))
    limits = [as_object(period).get("limit") for period in as_list(schedule.get("chargingSchedulePeriod"))]
    return (schedule.get("chargingRateUnit"), limits) == ("A", [AMPERE])


def _metered(scene: Scene, within: Bound) -> tuple[Decimal, list[Decimal]]:
    """Power (W) and the current of each phase (A), as the CSMS reads them off the next MeterValues."""
    csms, charge_point = scene.parts.csms, scene.parts.in_amperes
    mark = csms.events.mark()
    charge_point.send_meter_values(1, energy_wh=METERED_WH)

    def metered(event: JsonObject) -> bool:
        return event.get("station_id") == charge_point.station_id and "power_w" in as_object(event.get("data"))

    data = as_object(csms.events.wait_for(metered, within.left(), since=mark)["data"])
    return Decimal(str(data["power_w"])), [Decimal(str(current)) for current in as_list(data["current_a"])]
