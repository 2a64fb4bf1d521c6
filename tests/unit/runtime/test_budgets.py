"""What each happening calls of AWS, counted with the real functions on moto: exactly what `bridge cost` reckons with."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.emissions import emissions
from tests.support.happenings import cycle, cycle_to_result, report
from tests.support.metered_site import MeteredSite, metered_site
from tests.support.queues import Queues
from tests.support.registry_entries import assignment
from tests.support.world import World
from tools.bridge.cost_budgets import BUDGETS, DEADLINE, Budget, Happening, Mode
from tools.bridge.cost_durations import API_LOG_BYTES, LINE_BYTES, RUN_LOG_BYTES, log_kb

Play = Callable[[MeteredSite], None]


def sweep_after_the_end(site: MeteredSite) -> None:
    site.run("sweep", {})
    site.settle()


# Readings come each minute, a partner is told of them every five minutes at most, a charging period closes after 15.
PLAYS: dict[Happening, Play] = {
    Happening.PUT: lambda site: cycle(site, "PUT"),
    Happening.GET: lambda site: cycle(site, "GET"),
    Happening.DELETE: lambda site: cycle(site, "DELETE"),
    Happening.HELD_UPDATE: lambda site: report(site, "transaction.updated", 60, meter_wh=1300),
    Happening.PUSHED_UPDATE: lambda site: report(site, "transaction.updated", 300, meter_wh=1900),
    Happening.PERIOD: lambda site: report(site, "transaction.updated", 1000, meter_wh=4000),
    Happening.START: lambda site: report(site, "transaction.started", 60, transaction_id=779, meter_wh=5000),
    Happening.END: lambda site: report(site, "transaction.ended", 60, meter_wh=5000),
    Happening.SWEEP: lambda site: site.run("sweep", {}),
    Happening.SWEPT_END: sweep_after_the_end,
}
# What comes before and is not counted: the session before is over, or this one is.
ENDED = {Happening.START: 0, Happening.SWEPT_END: 300}


@pytest.fixture
def warm(world: World, queues: Queues, request: pytest.FixtureRequest) -> Iterator[MeteredSite]:
    """The bridge with a car that charges by a plan, and functions that did all of it before."""
    world.put_assignment(assignment())
    with metered_site(world, queues, getattr(request, "param", Mode.CALLBACK)) as site:
        report(site, "transaction.started", 0, meter_wh=1000)
        cycle(site, "PUT")
        report(site, "transaction.updated", 10, meter_wh=1200)
        yield site


# What a mode makes no difference to is counted in one.
COUNTED = [
    (what, mode)
    for what, mode in BUDGETS
    if mode is Mode.CALLBACK or BUDGETS[what, mode] != BUDGETS[what, Mode.CALLBACK]
]


@pytest.mark.parametrize(("what", "warm"), COUNTED, indirect=["warm"], ids=lambda one: one.name)
def test_what_happens_calls_exactly_what_its_budget_says(warm: MeteredSite, what: Happening) -> None:
    assert counted(warm, what) == BUDGETS[what, warm.mode]


def test_warm_functions_read_no_secret(warm: MeteredSite) -> None:
    with warm.counting() as count:
        cycle_to_result(warm, "PUT")
        report(warm, "transaction.updated", 60, meter_wh=1300)
    assert count.calls["GetSecretValue"] == 0


@pytest.mark.parametrize("what", [Happening.PUT, Happening.PUSHED_UPDATE], ids=lambda what: what.name)
def test_what_is_logged_is_what_is_reckoned_with(warm: MeteredSite, what: Happening) -> None:
    with emissions() as heard, warm.counting() as count:
        PLAYS[what](warm)
    own = sum(len(line.encode()) + LINE_BYTES for line in heard.written)
    written = own + count.runs.total() * RUN_LOG_BYTES + count.api * API_LOG_BYTES
    assert written / 1024 == pytest.approx(float(log_kb(what, warm.mode)), rel=0.05)


def test_a_deadline_that_finds_its_request_done_asks_once(warm: MeteredSite) -> None:
    cycle_to_result(warm, "PUT")
    with warm.counting() as count:
        warm.come_due()
    assert count.budget() == DEADLINE


@pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode)
def test_a_put_is_within_its_targets_to_its_delivered_result(mode: Mode) -> None:
    whole = BUDGETS[Happening.PUT, mode]
    assert whole.dynamodb - DEADLINE.dynamodb <= 10
    assert whole.sqs <= 12


def counted(site: MeteredSite, what: Happening) -> Budget:
    if what in ENDED:
        report(site, "transaction.ended", 60, meter_wh=4500)
        site.world.clock.advance(ENDED[what])
    with site.counting() as count:
        PLAYS[what](site)
    return count.budget()
