"""The steps before the curtain: the stack runs, everybody is known to the bridge, the charge points have booted."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

from ocpi_bridge.domain.partners import DEFAULT_RATE
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.stations import Station
from tools.charge_point import ChargePoint, SilentChargePoint
from tools.demo.scene import Bound, Cast, Scene, StepFailed, needed
from tools.demo.world import (
    CSMS_ID,
    GENEROUS_RATE,
    LOCATION_ID,
    METER_PUSH_INTERVAL,
    PARTNER_ID,
    World,
    three_phase_station,
)
from tools.local_stack import LocalStack, NotRunning, stop

# The `timeout` told to the partner (s). The bridge keeps 10 s of it for the delivery, so the silent charger's REJECTED
# comes after 20 s: long enough for cold functions on a slow machine, short enough to be watched.
RESULT_TIMEOUT = 30

CHARGE_POINT = "CP-1"
SILENT_CHARGE_POINT = "CP-2"
AMPERE_CHARGE_POINT = "CP-3"


@dataclass(frozen=True, slots=True)
class Names:
    """What this run's entries in the registry are called."""

    csms: str
    partner: str
    location: str
    charge_point: str
    silent: str
    in_amperes: str


def names(*, shared: bool) -> Names:
    """The usual names; on a stack that others use too, such as meet no other run's."""
    suffix = f"-{secrets.token_hex(3)}" if shared else ""
    stations = (CHARGE_POINT, SILENT_CHARGE_POINT, AMPERE_CHARGE_POINT)
    return Names(*(f"{name}{suffix}" for name in (CSMS_ID, PARTNER_ID, LOCATION_ID, *stations)))


def deploy(scene: Scene, _within: Bound) -> str:
    """A stack of our own is deployed and answers, or the one that runs already is found."""
    setup = scene.setup
    if setup.attach:
        try:
            scene.stack = LocalStack.attach(setup.stack_directory)
        except NotRunning as error:
            raise StepFailed("a running stack", f"{error}; `make up` starts one in .local") from error
        return f"It runs already. OCPI API: {scene.stack.ocpi_api_url}"
    if stop(setup.stack_directory):
        scene.tell("Ended a stack that an earlier run had left")
    scene.stack = LocalStack.start(setup.stack_directory, progress=scene.tell, port=0)
    scene.resources.callback(_end, scene, scene.stack)
    return f"It enforces IAM and speaks TLS, and the bridge answers at {scene.stack.ocpi_api_url}"


def _end(scene: Scene, stack: LocalStack) -> None:
    if not scene.leave_running:
        stack.stop()


def take_places(scene: Scene, within: Bound) -> str:
    """CSMS and stations are registered, the partner is invited; the charge points have connected and booted."""
    setup = scene.setup
    survives = setup.attach or setup.keep
    called = names(shared=survives)
    scene.tell("Registering the CSMS and the stations and inviting the partner, as an operator would")
    world = scene.resources.enter_context(
        World(
            needed(scene.stack),
            _stations(called),
            result_timeout=RESULT_TIMEOUT,
            rate=GENEROUS_RATE if setup.repeats else DEFAULT_RATE,
            csms_id=called.csms,
            partner_id=called.partner,
            handshake=True,
        )
    )
    scene.invitation = world.invitation
    scene.meter_push_interval = timedelta(seconds=METER_PUSH_INTERVAL)
    if survives:
        scene.resources.callback(world.unregister)
    charge_point = ChargePoint(world.csms.ocpp_url, called.charge_point)
    in_amperes = ChargePoint(world.csms.ocpp_url, called.in_amperes, units=["A"])
    silent = SilentChargePoint(world.csms.ocpp_url, called.silent)
    scene.cast = Cast(world.csms, world.partner, charge_point, in_amperes, silent)
    scene.begin_chapter("The charge point boots")
    scene.tell(f"Starting {called.charge_point} and {called.in_amperes} (kirby-ocpp) and the silent one")
    for one in (charge_point, in_amperes, silent):
        scene.resources.enter_context(one)
    for kirby in (charge_point, in_amperes):
        kirby.wait_until_booted(within.left())
    boot = charge_point.wait_for(
        lambda event: event.level == "out" and event.is_call("BootNotification"), within.left()
    )
    answer = charge_point.answer_to(boot, within.left())
    if not isinstance(answer, dict) or answer.get("status") != "Accepted":
        raise StepFailed("BootNotification answered with Accepted", f"{answer}")
    return (
        f"{called.charge_point}, {called.silent} and {called.in_amperes} are connected; the CSMS accepted their "
        "BootNotification"
    )


def _stations(called: Names) -> list[Station]:
    stations = {
        name: three_phase_station(name, location_id=called.location)
        for name in (called.charge_point, called.silent, called.in_amperes)
    }
    in_amperes = replace(stations[called.in_amperes], allowed_units=frozenset({RateUnit.AMPERE}))
    return list({**stations, called.in_amperes: in_amperes}.values())
