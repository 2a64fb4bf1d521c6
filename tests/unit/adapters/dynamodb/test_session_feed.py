"""A partner's feed: the walk over its shards, what it finds, and how many calls it takes."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import registry_items, session_feed, session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.session_feed import DynamoSessionFeed
from ocpi_bridge.adapters.dynamodb.session_items import FEED_SHARDS
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ports.session_feed import FeedEntry, FeedWindow
from tests.support.clocks import START
from tests.support.dynamodb_faults import counted
from tests.support.feeds import ids_in_shard, seconds, session_in_feed
from tests.support.registry_entries import csms
from tests.support.tables import AwsTables

ALL = FeedWindow("jedlix", START)
OURS, THEIRS = Party("NL", "ACM"), Party("be", "acm")


@pytest.fixture
def feed(aws: AwsTables) -> DynamoSessionFeed:
    return DynamoSessionFeed(aws.client, aws.sessions, aws.registry)


def put(aws: AwsTables, *sessions: Session) -> None:
    items = [dynamo.to_item(session_items.session_item(session)) for session in sessions]
    items += [
        dynamo.to_item(session_items.view_item(session, partner))
        for session in sessions
        for partner in session_items.view_partners(session)
    ]
    for first in range(0, len(items), 25):
        aws.put(aws.sessions, *items[first : first + 25])


def many(number: int, shard: int = 0, **changes: Party) -> list[Session]:
    """Sessions of one shard, a second between their updates."""
    party = changes.get("party", OURS)
    return [
        replace(session_in_feed(text, seconds(at)), country_code=party.country_code, party_id=party.party_id)
        for at, text in enumerate(islice(ids_in_shard(shard), number))
    ]


def ids(entries: Sequence[FeedEntry]) -> list[str]:
    return [entry.session_id for entry in entries]


# --- The walk --------------------------------------------------------------------------------------------------------


def test_entries_come_shard_by_shard_and_upwards_in_each(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    low, high = many(3, shard=2), many(3, shard=5)
    put(aws, *reversed(high), *reversed(low))
    entries = feed.entries(ALL, None, 100)
    assert ids(entries) == [session.session_id for session in (*low, *high)]
    assert [(entry.shard, entry.at) for entry in entries[:2]] == [(2, START), (2, seconds(1))]


def test_the_walk_goes_on_behind_any_entry(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(aws, *many(4, shard=0), *many(4, shard=3), *many(2, shard=7))
    whole = feed.entries(ALL, None, 100)
    for index, entry in enumerate(whole):
        assert feed.entries(ALL, entry, 100) == whole[index + 1 :]


def test_the_walk_goes_on_behind_an_entry_that_has_gone(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    sessions = many(5)
    put(aws, *sessions)
    before = feed.entries(ALL, None, 3)
    put(aws, replace(sessions[2], last_updated=seconds(100)))
    assert ids(feed.entries(ALL, before[-1], 100)) == [sessions[index].session_id for index in (3, 4, 2)]


def test_sessions_of_the_same_instant_are_each_met_once(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(aws, *(replace(session, last_updated=START) for session in many(7)))
    met: list[FeedEntry] = []
    for _ in range(4):
        met += feed.entries(ALL, met[-1] if met else None, 2)
    assert not feed.entries(ALL, met[-1], 2)
    assert len(ids(met)) == len(set(ids(met))) == 7


def test_a_partner_meets_what_it_sees_by_a_view_and_nothing_of_others(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(
        aws,
        session_in_feed("mine", START, "jedlix"),
        session_in_feed("both", START, "a-partner", "jedlix"),
        session_in_feed("theirs", START, "a-partner", "other"),
    )
    assert set(ids(feed.entries(ALL, None, 10))) == {"mine", "both"}
    assert set(ids(feed.entries(FeedWindow("other", START), None, 10))) == {"theirs"}
    assert feed.entries(FeedWindow("nobody", START), None, 10) == []


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (0, None, 5),
        (1, None, 4),
        (1.001, None, 3),
        (5, None, 0),
        (0, 5, 5),
        (0, 4, 4),
        (0, 3.999, 4),
        (2, 3, 1),
        (2, 2, 0),
        (3, 1, 0),
    ],
)
def test_the_window_begins_with_its_first_instant_and_ends_before_its_last(
    aws: AwsTables, feed: DynamoSessionFeed, since: float, until: float | None, found: int
) -> None:
    put(aws, *many(5))
    window = FeedWindow("jedlix", seconds(since), None if until is None else seconds(until))
    assert len(feed.entries(window, None, 100)) == found


def test_sessions_of_our_other_parties_are_left_out_where_one_is_named(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    ours, theirs = many(6), many(6, shard=1, party=THEIRS)
    put(aws, *ours[:3], *(replace(one, country_code="BE") for one in ours[3:]), *theirs)
    window = replace(ALL, party=Party("BE", "ACM"))
    entries = feed.entries(window, None, 100)
    assert len(entries) == 9
    assert feed.count(window, entries[0]) == 8


def test_no_more_entries_are_given_than_are_wanted(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    mine = many(60)
    put(aws, *mine[:10], *(replace(one, country_code="BE") for one in mine[10:]))
    entries = feed.entries(replace(ALL, party=THEIRS), None, 5)
    assert ids(entries) == [session.session_id for session in mine[10:15]]


def test_a_window_that_ends_before_it_begins_is_asked_of_nobody(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    with counted(aws.client) as calls:
        assert feed.entries(FeedWindow("jedlix", seconds(1), seconds(1)), None, 10) == []
    assert calls == []


def test_a_query_starts_behind_an_entry_of_its_own_shard_only(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(aws, *many(2), *many(2, shard=1))
    asked: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        asked.append(params)

    first = feed.entries(ALL, None, 1)[0]
    aws.client.meta.events.register("provide-client-params.dynamodb.Query", note)
    try:
        feed.entries(ALL, first, 10)
    finally:
        aws.client.meta.events.unregister("provide-client-params.dynamodb.Query", note)
    starts = [request["ExclusiveStartKey"]["feed"] if "ExclusiveStartKey" in request else None for request in asked]
    assert starts == [{"S": "jedlix#0"}] + [None] * (FEED_SHARDS - 1)


# --- The count -------------------------------------------------------------------------------------------------------


def test_the_count_is_of_what_follows(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(aws, *many(5), *many(4, shard=6))
    entries = feed.entries(ALL, None, 100)
    assert [feed.count(ALL, entry) for entry in entries] == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert feed.count(replace(ALL, until=seconds(4)), entries[0]) == 7


def test_the_count_ends_where_it_would_read_too_much(
    aws: AwsTables, feed: DynamoSessionFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(aws, *many(3), *many(3, shard=1), *many(3, shard=7))
    monkeypatch.setattr(session_feed, "COUNT_PAGES", 2)
    first = feed.entries(ALL, None, 1)[0]
    with counted(aws.client) as calls:
        assert feed.count(ALL, first) == 5
    assert calls == ["Query", "Query"]


# --- The calls -------------------------------------------------------------------------------------------------------


def test_a_page_within_a_shard_is_one_query(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(aws, *many(20), *many(20, shard=1))
    with counted(aws.client) as calls:
        entries = feed.entries(ALL, None, 10)
        feed.entries(ALL, entries[-1], 10)
    assert calls == ["Query"] * 2


def test_a_walk_to_the_end_asks_each_shard_once(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(aws, *many(3, shard=4))
    with counted(aws.client) as calls:
        feed.entries(ALL, None, 10)
    assert calls == ["Query"] * FEED_SHARDS


def test_a_party_with_few_sessions_is_not_searched_handful_by_handful(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    mine = many(200)
    put(aws, *mine[:-1], replace(mine[-1], country_code="BE"))
    with counted(aws.client) as calls:
        assert len(feed.entries(replace(ALL, party=THEIRS), None, 5)) == 1
    assert calls == ["Query"] * (FEED_SHARDS + 1)


def test_sessions_and_their_periods_are_read_a_hundred_at_a_time(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    sessions = [replace(session, periods=30) for session in many(5)]
    put(aws, *sessions)
    for session in sessions:
        periods = [ChargingPeriod(index, START, seconds(1), session.kwh, session.kwh) for index in range(1, 31)]
        items = [dynamo.to_item(session_items.period_item(session, period)) for period in periods]
        aws.put(aws.sessions, *items[:25])
        aws.put(aws.sessions, *items[25:])
    names = [session.session_id for session in sessions]
    with counted(aws.client) as calls:
        assert list(feed.sessions(names).values()) == sessions
        read = feed.periods(sessions)
    assert calls == ["BatchGetItem"] * 3
    assert [[period.index for period in read[name]] for name in names] == [list(range(1, 31))] * 5


def test_what_is_gone_is_absent_and_nothing_wanted_is_no_call(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    put(aws, session_in_feed("s-1"))
    assert list(feed.sessions(["s-1", "s-2"])) == ["s-1"]
    lost = replace(session_in_feed("s-1"), periods=2)
    assert feed.periods([lost]) == {"s-1": []}
    with counted(aws.client) as calls:
        assert (feed.sessions([]), feed.periods([])) == ({}, {})
    assert calls == []


# --- Our parties -----------------------------------------------------------------------------------------------------


def test_our_parties_are_those_of_registered_csmss(aws: AwsTables, feed: DynamoSessionFeed) -> None:
    aws.put(aws.registry, dynamo.to_item(registry_items.csms_item(csms(), 1)))
    assert feed.is_ours(Party("nl", "acm"))
    assert not feed.is_ours(Party("NL", "XYZ"))
