"""A partner lists its sessions: complete objects, page by page, and never one of another partner."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice

import pytest

from ocpi_bridge.adapters.dynamodb import session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.session_feed import DynamoSessionFeed
from ocpi_bridge.domain.assignments import Rights, Share
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ocpi.session_pages import MAX_PAGE, SessionPage, SessionQuery
from ocpi_bridge.ocpi.transport import CallContext, MessageIds, dumps
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.session_feed import FeedEntry, FeedWindow
from ocpi_bridge.usecases.list_sessions import PAGE_ITEMS, ListSessions
from tests.support.clocks import START
from tests.support.dynamodb_faults import counted, meanwhile
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.feeds import ENDPOINT, followed, ids_in_shard, parsed, seconds, session_in_feed
from tests.support.world import World

CPO = Party("NL", "CPO")
ACM = Party("nl", "acm")
# No test has so many.
MOST_PAGES = 40


class TwiceInTheIndex(DynamoSessionFeed):
    """A feed in which every session moved while it was read: the index still had the old place, and had the new one."""

    def entries(self, window: FeedWindow, after: FeedEntry | None, most: int) -> Sequence[FeedEntry]:
        return [entry for entry in super().entries(window, after, most) for _ in range(2)][:most]


class Partner:
    """A partner that lists its sessions."""

    def __init__(
        self, world: World, partner_id: str = "jedlix", feed: type[DynamoSessionFeed] = DynamoSessionFeed
    ) -> None:
        secrets = InMemorySecretStore()
        secrets.signing_key = b"signing key"
        tables = world.tables
        self.caller = Caller(partner_id)
        self.list_sessions = ListSessions(feed(tables.client, tables.sessions, tables.registry), secrets, CPO)

    def get(self, query: SessionQuery | None = None, to: Party | None = None, version: str = "2.2.1") -> SessionPage:
        context = CallContext(MessageIds("req-1", "corr-1"), None, to)
        return self.list_sessions(self.caller, query or parsed(), context, version)

    def crawl(self, first: SessionQuery, to: Party | None = None) -> Iterator[SessionPage]:
        """The pages from a first one on, by their links."""
        query: SessionQuery | None = first
        for _ in range(MOST_PAGES):
            if query is None:
                return
            page = self.get(query, to)
            yield page
            query = followed(page)
        raise AssertionError("the crawl does not end")


@pytest.fixture
def partner(world: World) -> Partner:
    return Partner(world)


def stand(world: World, *sessions: Session) -> None:
    """Sessions that stand there, as the store writes them."""
    for session in sessions:
        assert world.sessions.create(session, None)


def put(world: World, *sessions: Session) -> None:
    """Many sessions of one partner, in few calls."""
    items = [dynamo.to_item(session_items.session_item(session)) for session in sessions]
    for first in range(0, len(items), 25):
        world.tables.put(world.tables.sessions, *items[first : first + 25])


def with_periods(world: World, session: Session, number: int) -> Session:
    """The session with so many closed charging periods."""
    periods = [
        ChargingPeriod(index, START, seconds(900), Decimal(1), Decimal(4), soc=Decimal(50))
        for index in range(1, number + 1)
    ]
    items = [dynamo.to_item(session_items.period_item(session, period)) for period in periods]
    for first in range(0, len(items), 25):
        world.tables.put(world.tables.sessions, *items[first : first + 25])
    return replace(session, periods=number)


def many(number: int, shard: int = 0) -> list[Session]:
    return [session_in_feed(text, seconds(at)) for at, text in enumerate(islice(ids_in_shard(shard), number))]


def ids(page: SessionPage) -> list[object]:
    return [session["id"] for session in page.sessions]


def changed(session: Session, at: float, *partners: str) -> Session:
    seen = frozenset(partners) or session.rights.seen_by
    rights = Rights(seen, min(seen))
    return replace(session, last_updated=seconds(at), rights=rights, version=session.version + 1)


# --- The objects -----------------------------------------------------------------------------------------------------


def test_a_partner_without_sessions_gets_an_empty_page(partner: Partner) -> None:
    page = partner.get()
    assert (page.sessions, page.headers(ENDPOINT)) == ([], {"X-Total-Count": "0", "X-Limit": "50"})


def test_an_object_is_complete_with_its_charging_periods(world: World, partner: Partner) -> None:
    session = with_periods(world, session_in_feed("s-1"), 2)
    stand(world, replace(session, total_cost=Price(Decimal(1), Decimal("1.21"))))
    (told,) = json.loads(dumps(list[JsonObject](partner.get().sessions)))
    assert (told["id"], told["status"], told["total_cost"]) == ("s-1", "ACTIVE", {"excl_vat": 1, "incl_vat": 1.21})
    assert [period["start_date_time"] for period in told["charging_periods"]] == ["2026-01-15T17:00:00Z"] * 2
    assert told["cdr_token"]["uid"].startswith("p-")
    assert "STATE_OF_CHARGE" not in dumps(told)


def test_an_object_is_as_the_version_has_it(world: World, partner: Partner) -> None:
    stand(world, replace(session_in_feed("s-1"), total_cost=Price(Decimal(1))))
    assert partner.get(version="2.3.0").sessions[0]["total_cost"] == {"before_taxes": 1}
    assert partner.get(version="2.2.1").sessions[0]["total_cost"] == {"excl_vat": 1}


def test_each_partner_is_told_what_the_driver_shares_with_it(world: World) -> None:
    session = with_periods(world, session_in_feed("s-1", START, "jedlix", "other"), 1)
    shares = {"other": frozenset({Share.TOKEN, Share.STATE_OF_CHARGE})}
    stand(world, replace(session, rights=replace(session.rights, shares=shares)))
    to_jedlix, to_other = (dumps(list[JsonObject](Partner(world, name).get().sessions)) for name in ("jedlix", "other"))
    for of_the_driver in ("04AA-BB-CC", "NL-TNM-C12345678-X", "STATE_OF_CHARGE"):
        assert of_the_driver in to_other
        assert of_the_driver not in to_jedlix


def test_sessions_that_are_over_are_listed_too(world: World, partner: Partner) -> None:
    stand(world, replace(session_in_feed("s-1"), status=SessionStatus.COMPLETED, end=START))
    assert ids(partner.get()) == ["s-1"]


# --- The pages -------------------------------------------------------------------------------------------------------


def test_a_crawl_meets_every_session_once_and_ends(world: World, partner: Partner) -> None:
    put(world, *(session_in_feed(f"s-{number}", seconds(number)) for number in range(23)))
    pages = list(partner.crawl(parsed(limit="5")))
    assert sorted(str(name) for page in pages for name in ids(page)) == sorted(f"s-{number}" for number in range(23))
    assert [len(page.sessions) for page in pages] == [5, 5, 5, 5, 3]
    assert {page.total for page in pages} == {23}


@pytest.mark.parametrize("number", [4, 5, 10])
@pytest.mark.parametrize("shards", [1, 8])
def test_a_page_that_ends_where_the_sessions_end_is_the_last(
    world: World, partner: Partner, number: int, shards: int
) -> None:
    put(
        world, *(session for shard in range(shards) for session in many(number, shard)[: -(-number // shards)][:number])
    )
    pages = list(partner.crawl(parsed(limit="5")))
    assert all(page.sessions for page in pages)
    assert sum(len(page.sessions) for page in pages) == pages[0].total


def test_a_page_has_no_more_than_the_limit_and_says_so(world: World, partner: Partner) -> None:
    put(world, *many(MAX_PAGE + 1))
    first, second = partner.crawl(parsed(limit="2000"))
    assert (len(first.sessions), len(second.sessions)) == (MAX_PAGE, 1)
    assert first.headers(ENDPOINT)["X-Limit"] == second.headers(ENDPOINT)["X-Limit"] == str(MAX_PAGE)


def test_dates_bound_what_is_listed(world: World, partner: Partner) -> None:
    put(world, *many(10))
    query = parsed("2026-01-15T17:00:02Z", date_to="2026-01-15T17:00:07Z", limit="2")
    pages = list(partner.crawl(query))
    assert [len(page.sessions) for page in pages] == [2, 2, 1]
    told = [session["last_updated"] for page in pages for session in page.sessions]
    assert told == [f"2026-01-15T17:00:0{second}Z" for second in range(2, 7)]


def test_an_offset_alone_is_a_page_too(world: World, partner: Partner) -> None:
    put(world, *many(10))
    whole = ids(partner.get())
    page = partner.get(parsed(offset="3", limit="4"))
    assert (ids(page), page.total) == (whole[3:7], 10)
    following = followed(page)
    assert following is not None
    assert (following.offset, ids(partner.get(following))) == (7, whole[7:])


@pytest.mark.parametrize("offset", ["10", "11", "10000"])
def test_an_offset_behind_the_last_session_is_an_empty_last_page(world: World, partner: Partner, offset: str) -> None:
    put(world, *many(10))
    page = partner.get(parsed(offset=offset))
    assert (page.sessions, page.total, page.following) == ([], 10, None)


def test_the_total_stays_that_of_the_first_page(world: World, partner: Partner) -> None:
    put(world, *many(6))
    crawl = partner.crawl(parsed(limit="4"))
    first = next(crawl)
    put(world, *many(12))
    assert [first.total, next(crawl).total] == [6, 6]


def test_a_page_ends_early_where_charging_periods_are_many(world: World, partner: Partner) -> None:
    put(world, *(with_periods(world, session, 120) for session in many(5)))
    with counted(world.tables.client) as calls:
        first = partner.get()
    assert len(first.sessions) == PAGE_ITEMS // 121
    assert calls.count("BatchGetItem") == 4
    pages = list(partner.crawl(parsed()))
    assert [len(page.sessions) for page in pages] == [2, 2, 1]
    assert all(len(session["charging_periods"]) == 120 for page in pages for session in page.sessions)  # type: ignore[arg-type]


def test_a_session_with_more_periods_than_a_page_reads_is_a_page_of_its_own(world: World, partner: Partner) -> None:
    first, long, last = many(3)
    put(world, first, with_periods(world, long, PAGE_ITEMS + 50), last)
    pages = list(partner.crawl(parsed()))
    assert [len(page.sessions) for page in pages] == [1, 1, 1]
    assert len(pages[1].sessions[0]["charging_periods"]) == PAGE_ITEMS + 50  # type: ignore[arg-type]


# --- What changes meanwhile ------------------------------------------------------------------------------------------


def test_a_session_that_moves_during_the_crawl_is_met_where_it_went(world: World, partner: Partner) -> None:
    sessions = many(6)
    stand(world, *sessions)
    crawl = partner.crawl(parsed(limit="2"))
    met = ids(next(crawl))
    for index in (0, 3, 4):
        world.sessions.update(sessions[index], changed(sessions[index], 100 + index), None)
    met += [name for page in crawl for name in ids(page)]
    assert set(met) == {session.session_id for session in sessions}
    assert met.count(sessions[0].session_id) == 2


def test_a_session_that_moves_out_of_the_window_is_left_to_the_next_one(world: World, partner: Partner) -> None:
    sessions = many(3)
    stand(world, *sessions)
    end = "2026-01-15T17:00:30Z"
    late = changed(sessions[1], 31)

    def act() -> None:
        world.sessions.update(sessions[1], late, None)

    # After the index was read, before the session is.
    with meanwhile(world.tables.client, act, "BatchGetItem"):
        page = partner.get(parsed(date_to=end))
    assert ids(page) == [sessions[0].session_id, sessions[2].session_id]
    assert ids(partner.get(parsed(end))) == [sessions[1].session_id]


def test_a_session_that_the_partner_may_see_no_more_is_left_out_whatever_the_index_says(
    world: World, partner: Partner
) -> None:
    sessions = many(3)
    stand(world, *sessions)
    hidden = changed(sessions[1], 60, "other")
    with meanwhile(world.tables.client, lambda: world.sessions.update(sessions[1], hidden, None), "BatchGetItem"):
        page = partner.get()
    assert ids(page) == [sessions[0].session_id, sessions[2].session_id]
    assert ids(Partner(world, "other").get()) == [sessions[1].session_id]


def test_a_session_that_is_in_the_index_twice_is_on_a_page_once(world: World) -> None:
    put(world, *many(3))
    page = Partner(world, feed=TwiceInTheIndex).get()
    assert ids(page) == [session.session_id for session in many(3)]


def test_a_session_that_has_gone_is_left_out(world: World, partner: Partner) -> None:
    sessions = many(2)
    stand(world, *sessions)
    key = dynamo.key(*session_items.session_key(sessions[0].session_id))

    def expire() -> None:
        world.tables.client.delete_item(TableName=world.tables.sessions, Key=key)

    with meanwhile(world.tables.client, expire, "BatchGetItem"):
        assert ids(partner.get()) == [sessions[1].session_id]


def test_a_cursor_of_one_partner_shows_another_only_its_own(world: World, partner: Partner) -> None:
    put(world, *many(4))
    stand(world, session_in_feed("theirs", seconds(100), "other"))
    following = followed(partner.get(parsed(limit="2")))
    assert following is not None
    assert set(ids(Partner(world, "other").get(following))) <= {"theirs"}


# --- Our parties -----------------------------------------------------------------------------------------------------


def test_sessions_of_the_party_that_is_addressed_are_listed_and_counted(world: World, partner: Partner) -> None:
    ours, theirs = many(3), [replace(session, party_id="CPO") for session in many(4, shard=1)]
    put(world, *ours, *theirs)
    pages = list(partner.crawl(parsed(limit="2"), to=ACM))
    assert {str(name) for page in pages for name in ids(page)} == {session.session_id for session in ours}
    assert {page.total for page in pages} == {3}
    assert partner.get(to=CPO).total == 4
    assert partner.get(to=None).total == 7


def test_a_party_that_is_none_of_ours_is_refused(world: World, partner: Partner) -> None:
    put(world, *many(1))
    with pytest.raises(InvalidInput) as error:
        partner.get(to=Party("NL", "XYZ"))
    assert error.value.field == "OCPI-to-party-id"


# --- What it costs ---------------------------------------------------------------------------------------------------


def test_a_page_in_the_middle_of_a_crawl_is_one_query_and_two_reads(world: World, partner: Partner) -> None:
    put(world, *(with_periods(world, session, 2) for session in many(30)))
    following = followed(partner.get(parsed(limit="10")))
    assert following is not None
    with counted(world.tables.client) as calls:
        assert len(partner.get(following).sessions) == 10
    assert calls == ["Query", "BatchGetItem", "BatchGetItem"]


def test_a_poll_that_fits_on_one_page_counts_nothing(world: World, partner: Partner) -> None:
    put(world, *many(3), *many(3, shard=5))
    with counted(world.tables.client) as calls:
        assert partner.get().total == 6
    assert calls == ["Query"] * 8 + ["BatchGetItem"]


def test_the_first_of_several_pages_counts_what_follows(world: World, partner: Partner) -> None:
    put(world, *many(30), *many(30, shard=5))
    with counted(world.tables.client) as calls:
        assert partner.get(parsed(limit="10")).total == 60
    assert calls == ["Query"] * (1 + 8) + ["BatchGetItem"]


def test_where_our_main_party_is_addressed_the_registry_is_not_asked(world: World, partner: Partner) -> None:
    with counted(world.tables.client) as calls:
        partner.get(to=Party("nl", "cpo"))
    assert calls == ["Query"] * 8


def test_nobody_lists_sessions_without_being_known(partner: Partner) -> None:
    partner.caller = Caller(None)
    with pytest.raises(ValueError, match="not authenticated"):
        partner.get()
