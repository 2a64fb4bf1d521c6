"""Where the proof happens: one partner, one CSMS, many sessions at silent charge points of ours."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from ocpi_bridge.domain.tokens import new_token
from tools.charge_point import Behaviour, SilentChargePoint
from tools.demo.world import DRIVER_TAG, GENEROUS_RATE, World, three_phase_station
from tools.local_stack import LocalStack
from tools.partner_simulator import Session

# One WebSocket for so many sessions.
CONNECTORS = 4
# The embedded AWS runs a function in as many processes as there are calls at once; each takes a second to start.
ARRIVING_AT_ONCE = 2
# The first session waits for functions that start for the first time.
ARRIVAL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """A world whose sessions the partner knows. `sessions` has their ids, `outlets` where their cars charge."""

    world: World
    charge_points: Sequence[SilentChargePoint]
    outlets: Sequence[tuple[SilentChargePoint, int]]
    sessions: Sequence[str]


@contextmanager
def place(stack: LocalStack, *, sessions: int, timeout: int, say: Callable[[str], None]) -> Iterator[Place]:
    """A world of its own on the stack, in which so many cars charge; partners are told `timeout` (s)."""
    name = f"PROVE{new_token()[:6]}"
    stations = [
        replace(three_phase_station(f"CP-{name}-{number}", connectors=CONNECTORS), location_id=f"LOC-{name}")
        for number in range(-(-sessions // CONNECTORS))
    ]
    outlets = [(station.station_id, number) for station in stations for number in range(1, CONNECTORS + 1)]
    with ExitStack() as running:
        world = running.enter_context(
            World(
                stack,
                stations,
                result_timeout=timeout,
                rate=GENEROUS_RATE,
                csms_id=f"csms-{name}",
                partner_id=f"partner-{name}",
                # What stations can take is not the matter here, and one more command each.
                change_csms=lambda csms: replace(csms, asks_capabilities=False),
            )
        )
        charge_points = {
            station.station_id: running.enter_context(
                SilentChargePoint(world.csms.ocpp_url, station.station_id, behaviour=Behaviour.FOLLOWING)
            )
            for station in stations
        }

        def arrive(outlet: tuple[str, int]) -> Session:
            station_id, connector = outlet
            charge_points[station_id].start_transaction(connector, DRIVER_TAG)
            uid = f"{station_id}-{connector}"
            return world.partner.wait_for_session(lambda one: one.evse_uid == uid, ARRIVAL_SECONDS)

        with ThreadPoolExecutor(ARRIVING_AT_ONCE) as pool:
            known: list[str] = []
            for session in pool.map(arrive, outlets[:sessions]):
                known.append(session.id)
                say(f"{len(known)} of {sessions} cars charge")
        taken = [(charge_points[station_id], connector) for station_id, connector in outlets[:sessions]]
        # What is still owed to this partner and these stations must not keep a stack busy that outlives them.
        running.callback(world.unregister)
        yield Place(world, list(charge_points.values()), taken, known)
