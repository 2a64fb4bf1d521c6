"""What each happening calls of AWS, counted with the real functions on moto: exactly what `bridge cost` reckons with."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.support.happenings import cycle, report
from tests.support.metered_site import MeteredSite, metered_site
from tests.support.queues import Queues
from tests.support.registry_entries import assignment
from tests.support.world import World
from tools.bridge.cost_budgets import BUDGETS, Happening, Mode

Play = Callable[[MeteredSite], None]

# A reading each minute, a charging period that closes after a quarter of an hour; a partner is told at most every five
# minutes by default.
PLAYS: dict[Happening, Play] = {
    Happening.PUT: lambda site: cycle(site, "PUT"),
    Happening.GET: lambda site: cycle(site, "GET"),
    Happening.DELETE: lambda site: cycle(site, "DELETE"),
    Happening.PUSHED_UPDATE: lambda site: report(site, "transaction.updated", 300, meter_wh=1900),
    Happening.HELD_UPDATE: lambda site: report(site, "transaction.updated", 60, meter_wh=1300),
    Happening.PERIOD_CLOSED: lambda site: report(site, "transaction.updated", 1000, meter_wh=4000),
    Happening.SESSION_END: lambda site: report(site, "transaction.ended", 1000, meter_wh=5000),
    Happening.SWEEP: lambda site: site.run("sweep", {}),
}


@pytest.fixture
def warm(world: World, queues: Queues, request: pytest.FixtureRequest) -> Iterator[MeteredSite]:
    """The bridge with a car that charges by a plan, and functions that did all of it before."""
    world.put_assignment(assignment())
    with metered_site(world, queues, getattr(request, "param", Mode.CALLBACK)) as site:
        report(site, "transaction.started", 0, meter_wh=1000)
        cycle(site, "PUT")
        report(site, "transaction.updated", 10, meter_wh=1200)
        yield site


@pytest.mark.parametrize("warm", list(Mode), indirect=True, ids=lambda mode: mode)
@pytest.mark.parametrize("what", [Happening.PUT, Happening.GET, Happening.DELETE])
def test_a_cycle_calls_what_its_budget_says(warm: MeteredSite, what: Happening) -> None:
    assert counted(warm, PLAYS[what]) == BUDGETS[what, warm.mode]


@pytest.mark.parametrize("what", [one for one in PLAYS if (one, Mode.SYNC) not in BUDGETS])
def test_what_happens_beside_cycles_calls_what_its_budget_says(warm: MeteredSite, what: Happening) -> None:
    assert counted(warm, PLAYS[what]) == BUDGETS[what, None]


def counted(site: MeteredSite, play: Play) -> object:
    with site.counting() as count:
        play(site)
    # Secrets are read again every five minutes, and not for each message: they are reckoned with apart.
    return replace(count.budget(), secrets=0)
