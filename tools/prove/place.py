"""Where the proof happens: one partner, one CSMS, many sessions at silent charge points of ours."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from ocpi_bridge.domain.tokens import new_token
from tools.charge_point import Behaviour, SilentChargePoint
from tools.demo.world import DRIVER_TAG, GENEROUS_RATE, METER_PUSH_INTERVAL, World, three_phase_station
from tools.local_stack import LocalStack

# One WebSocket for so many sessions.
CONNECTORS = 4
# The embedded AWS runs a function in as many processes as there are calls at once; each takes a second to start.
ARRIVING_AT_ONCE = 2
# The first session waits for functions that start for the first time.
ARRIVAL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """A world whose sessions the partner knows. `sessions` has their ids, `outlets` where their cars charge, one by one."""

    world: World
    charge_points: Sequence[SilentChargePoint]
    outlets: Sequence[tuple[SilentChargePoint, int]]
    sessions: Sequence[str]


@contextmanager
def place(
    stack: LocalStack,
    *,
    sessions: int,
    timeout: int,
    say: Callable[[str], None],
    meter_push_interval: int = METER_PUSH_INTERVAL,
) -> Iterator[Place]:
    """A world of its own on the stack, in which so many cars charge; partners are told `timeout` (s)."""
    name = f"PROVE{new_token()[:6]}"
    stations = [
        replace(three_phase_station(f"CP-{name}-{number}", connectors=CONNECTORS), location_id=f"LOC-{name}")
        for number in range(-(-sessions // CONNECTORS))
    ]
    with ExitStack() as running:
        world = running.enter_context(
            World(
                stack,
                stations,
                result_timeout=timeout,
                rate=GENEROUS_RATE,
                meter_push_interval=meter_push_interval,
                csms_id=f"csms-{name}",
                partner_id=f"partner-{name}",
                # What stations can take is not the matter here, and one more command each.
                change_csms=lambda csms: replace(csms, asks_capabilities=False),
            )
        )

        def plug_in(charge_point: SilentChargePoint, connector: int) -> str:
            charge_point.start_transaction(connector, DRIVER_TAG)
            uid = f"{charge_point.station_id}-{connector}"
            return world.partner.wait_for_session(lambda one: one.evse_uid == uid, ARRIVAL_SECONDS).id

        def arrive(station_id: str, cars: int) -> tuple[SilentChargePoint, list[str]]:
            """A few stations at a time boot and get their cars: a cold stack loses events of fifty that boot at once."""
            charge_point = running.enter_context(
                SilentChargePoint(world.csms.ocpp_url, station_id, behaviour=Behaviour.FOLLOWING)
            )
            return charge_point, [plug_in(charge_point, connector) for connector in range(1, cars + 1)]

        cars = [min(CONNECTORS, sessions - first) for first in range(0, sessions, CONNECTORS)]
        charge_points: list[SilentChargePoint] = []
        taken: list[tuple[SilentChargePoint, int]] = []
        known: list[str] = []
        with ThreadPoolExecutor(ARRIVING_AT_ONCE) as pool:
            for charge_point, arrived in pool.map(arrive, [station.station_id for station in stations], cars):
                charge_points.append(charge_point)
                taken += [(charge_point, connector) for connector in range(1, len(arrived) + 1)]
                known += arrived
                say(f"{len(known)} of {sessions} cars charge")
        # What is still owed to this partner and these stations must not keep a stack busy that outlives them.
        running.callback(world.unregister)
        yield Place(world, charge_points, taken, known)
