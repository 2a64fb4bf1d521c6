"""However much is stored, a request calls the same, of the same size, and takes the functions the same time."""

import gc
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from ocpi_bridge.adapters.dynamodb.session_items import feed_shard
from ocpi_bridge.ocpi.session_pages import Cursor
from ocpi_bridge.ports.session_feed import FeedEntry
from tests.support.clocks import START
from tests.support.crowds import Crowds, crowd_id, go_to, without_copies
from tests.support.happenings import EVER, cycle, page, report
from tests.support.metered_site import MeteredSite, metered_site
from tests.support.queues import Queues
from tests.support.registry_entries import assignment
from tests.support.world import World
from tools.bridge.cost_budgets import Budget, Mode

FEW, SOME, MANY, MOST = 10, 100, 10_000, 100_000
# How much more CPU time a request may take among a hundred thousand sessions than among a hundred.
SLOWER = 1.1
ROUNDS = 21
SMALL_PAGE = 10


@pytest.fixture
def site(world: World, queues: Queues) -> Iterator[MeteredSite]:
    world.put_assignment(assignment())
    with metered_site(world, queues, Mode.CALLBACK) as site, without_copies():
        report(site, "transaction.started", 0, meter_wh=1000)
        cycle(site, "PUT")
        yield site


def requests_among(site: MeteredSite) -> list[Budget]:
    """What a partner's requests and a meter event call now."""
    found = []
    for method in ("PUT", "GET", "DELETE"):
        with site.counting() as count:
            cycle(site, method)
        found.append(count.budget())
    with site.counting() as count:
        report(site, "transaction.updated", 600, meter_wh=2000)
    return [*found, count.budget()]


def among(site: MeteredSite, numbers: Sequence[int]) -> dict[int, list[Budget]]:
    crowds, begun = Crowds(), site.world.clock.now()
    found = {}
    for number in numbers:
        go_to(crowds.with_others(number))
        site.world.clock.advance((begun - site.world.clock.now()).total_seconds())
        found[number] = requests_among(site)
    return found


def test_among_many_sessions_the_same_requests_make_the_same_calls(site: MeteredSite) -> None:
    found = among(site, (FEW, SOME))
    assert found[SOME] == found[FEW]


@pytest.mark.prove
def test_among_a_hundred_thousand_sessions_the_same_requests_make_the_same_calls(site: MeteredSite) -> None:
    found = among(site, (SOME, MANY, MOST))
    assert found[MOST] == found[MANY] == found[SOME]


# --- Pages -----------------------------------------------------------------------------------------------------------


def crawl(site: MeteredSite) -> Iterator[tuple[int, int, Decimal]]:
    """Each page of the partner's sessions: how many are on it, the calls that it made, and the units that it read."""
    link: str | None = f"?{urlencode({'date_from': EVER, 'limit': SMALL_PAGE})}"
    while link is not None:
        with site.counting() as count:
            found, link = page(site, link)
        yield found, count.budget().dynamodb, count.budget().read_units


def test_a_page_costs_the_same_wherever_it_stands(site: MeteredSite) -> None:
    go_to(Crowds().with_others(120))
    first, *pages, _last = crawl(site)
    assert sum(found for found, _, _ in (first, *pages, _last)) == 121
    assert first[0] == SMALL_PAGE
    # Where a shard ends, the page goes on in the next one: one query more.
    assert {found for found, _, _ in pages} == {SMALL_PAGE}
    assert {calls for _, calls, _ in pages} <= {3, 4}


@pytest.mark.prove
@pytest.mark.parametrize("place", [0.0, 0.5, 0.9], ids=["first", "middle", "last"])
def test_a_page_of_a_hundred_thousand_sessions_costs_what_one_of_ten_thousand_costs(
    site: MeteredSite, place: float
) -> None:
    crowds = Crowds()
    costs = {}
    for number in (MANY, MOST):
        go_to(crowds.with_others(number))
        with site.counting() as count:
            found, following = page(site, f"?{query_after(int(number * place), number)}")
        assert (found, following is None) == (50, False)
        costs[number] = count.budget()
    assert costs[MOST] == costs[MANY]


def query_after(index: int, total: int) -> str:
    """The query of the page behind the one of the crowd that the index tells, as the page before it linked to it."""
    session_id = crowd_id(index)
    at = START - timedelta(seconds=index)
    cursor = Cursor(FeedEntry(feed_shard(session_id), at, session_id), total)
    return urlencode({"date_from": EVER, "limit": 50, "offset": 50, "cursor": cursor.encode()})


# --- Time ------------------------------------------------------------------------------------------------------------


@pytest.mark.prove
def test_a_request_takes_the_functions_no_more_time_among_a_hundred_thousand_sessions(site: MeteredSite) -> None:
    crowds = Crowds()
    stored = {number: crowds.with_others(number) for number in (SOME, MOST)}
    taken: dict[int, list[float]] = defaultdict(list)
    # What a large heap costs Python's collector is the test's matter: the functions hold none of it.
    gc.collect()
    gc.freeze()
    for turn in range(ROUNDS):
        for number in (SOME, MOST) if turn % 2 else (MOST, SOME):
            go_to(stored[number])
            with site.counting() as count:
                cycle(site, "PUT")
                report(site, "transaction.updated", 60, meter_wh=2000)
            taken[number].append(sum(map(sum, count.cpu.values())))
    gc.unfreeze()
    ratio = statistics.median(taken[MOST]) / statistics.median(taken[SOME])
    assert ratio <= SLOWER, f"{ratio:.3f}"
