"""The measurement: PUTs one after the other, timed by the clocks of those who send and receive.

Its times are printed and never asserted, because they measure the machine too. A PUT that does not arrive, or whose
result does not, fails the step.
"""

from tools.counterparts.clock import utc_now
from tools.demo import steps
from tools.demo.measurement import Measurement
from tools.demo.programme import PROGRAMME, PROMISED, SHORT, Step
from tools.demo.scene import Bound, Scene
from tools.partner_simulator import ResultType, guide_profile

# A line for each would drown the steps in a log.
TOLD_EVERY = 10


def with_repetition(count: int) -> tuple[Step, ...]:
    """The programme, with the measurement before its last step, which judges the measured requests as well."""
    step = Step(
        f"Measure {count} PUTs in sequence",
        "each PUT at the charge point, each result at the partner",
        2 * SHORT + count * PROMISED,
        lambda scene, within: measure(scene, count, within),
    )
    return *PROGRAMME[:-1], step, PROGRAMME[-1]


def measure(scene: Scene, count: int, within: Bound) -> str:
    """A second car, and `count` PUTs on its session."""
    scene.measurement_began = utc_now()
    steps.arrive(scene, within)
    session = steps.session_at(scene, scene.parts.charge_point.station_id, within)
    measured = Measurement()
    for number in range(1, count + 1):
        _put(scene, session.id, measured)
        if number % TOLD_EVERY == 0:
            scene.tell(f"{number} of {count} PUTs done")
    scene.measured = measured
    steps.leave(scene)
    steps.completed(scene, session, within)
    return measured.table()


def _put(scene: Scene, session_id: str, measured: Measurement) -> None:
    within = Bound(PROMISED)
    charge_point = scene.parts.charge_point
    mark = charge_point.mark()
    exchange = scene.parts.partner.bridge.put_profile(session_id, guide_profile(utc_now()))
    steps.accepted(exchange)
    command = charge_point.wait_for("SetChargingProfile", within.left(), since=mark)
    result = steps.result_of(exchange, ResultType.ACCEPTED, within)
    measured.to_charge_point.append((command.at - exchange.sent_at).total_seconds())
    measured.to_result.append((result.at - exchange.sent_at).total_seconds())
