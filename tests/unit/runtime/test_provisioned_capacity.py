"""What a fleet takes of each table and index is what provisioned tables are made for."""

from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from infra.constructs import capacity
from infra.constructs.capacity import Load
from tests.support.happenings import cycle, report
from tests.support.metered_site import Count, MeteredSite, metered_site
from tests.support.queues import Queues
from tests.support.registry_entries import assignment
from tests.support.world import World
from tools.benchmarks.simulation.assumptions import Demand
from tools.bridge.cost_budgets import Mode

LOADS: Final[Mapping[str, Load]] = {
    "sessions": capacity.SESSIONS,
    "sessions/due": capacity.DUE,
    "sessions/feed": capacity.FEED,
    "sessions/live": capacity.LIVE,
    "requests": capacity.REQUESTS,
    "requests/open": capacity.OPEN,
    "requests/session": capacity.REQUESTS_OF_SESSION,
    "registry": capacity.REGISTRY,
}


@pytest.fixture(scope="module")
def demand() -> Demand:
    """What each session asks of the bridge in a second, as docs/scale-and-cost.md assumes it."""
    return Demand()


@pytest.fixture
def taken(world: World, queues: Queues, demand: Demand) -> Mapping[str, tuple[float, float]]:
    """Read and write units of each table and index by a live session in a second, counted."""
    world.put_assignment(assignment())
    with metered_site(world, queues, Mode.CALLBACK) as site:
        parts = list(_lived(site, demand))
    return {
        name: (
            sum(rate * float(count.read_units[name]) for rate, count in parts),
            sum(rate * float(count.write_units[name]) for rate, count in parts),
        )
        for name in LOADS
    }


def _lived(site: MeteredSite, demand: Demand) -> Iterator[tuple[float, Count]]:
    """How often each thing happens to a session in a second, and what it takes."""
    with site.counting() as started:
        report(site, "transaction.started", 0, meter_wh=1000)
    yield 1 / demand.length, started
    cycle(site, "PUT")
    with site.counting() as steered:
        cycle(site, "PUT")
    yield demand.requests, steered
    report(site, "transaction.updated", 300, meter_wh=1200)
    # The first reading after a push begins to wait; the others find that one waits.
    with site.counting() as waits:
        report(site, "transaction.updated", 60, meter_wh=1250)
    yield demand.pushes, waits
    with site.counting() as held:
        report(site, "transaction.updated", 60, meter_wh=1300)
    yield demand.readings - 2 * demand.pushes, held
    with site.counting() as pushed:
        report(site, "transaction.updated", 300, meter_wh=1900)
    yield demand.pushes, pushed
    with site.counting() as ended:
        report(site, "transaction.ended", 60, meter_wh=5000)
    yield 1 / demand.length, ended


def test_what_a_session_takes_of_each_table_is_what_is_provisioned_for_it(
    taken: Mapping[str, tuple[float, float]],
) -> None:
    for name, load in LOADS.items():
        reads, writes = taken[name]
        assert writes <= load.writes <= 1.3 * writes, name
        # What reads an index is no session: a sweep, a partner that lists.
        assert reads <= load.reads, name
        assert not reads or load.reads <= 1.3 * reads, name
