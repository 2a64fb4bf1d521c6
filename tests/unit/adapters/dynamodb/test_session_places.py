"""Where a session stands in the feeds of partners and in the lists of their live sessions, whatever becomes of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, from_epoch_ms
from ocpi_bridge.adapters.dynamodb.session_items import FEED_SHARDS, feed_shard
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from tests.support.clocks import START
from tests.support.dynamodb_faults import counted
from tests.support.feeds import seconds, session_in_feed
from tests.support.tables import AwsTables
from tests.support.world import event


@pytest.fixture
def store(aws: AwsTables) -> DynamoSessionStore:
    return DynamoSessionStore(aws.client, aws.sessions, aws.registry)


def index(aws: AwsTables, name: str) -> dict[str, dict[str, Any]]:
    """What an index holds, by its partition: one session is under test."""
    items = [
        dynamo.from_item(item)
        for page in aws.client.get_paginator("scan").paginate(TableName=aws.sessions, IndexName=name)
        for item in page["Items"]
    ]
    assert len({item[name] for item in items}) == len(items)
    return {item[name]: item for item in items}


def shard(partner_id: str) -> str:
    return f"{partner_id}#{feed_shard('s-1')}"


def seen_by(session: Session, *partners: str) -> Session:
    return moved(replace(session, rights=Rights(frozenset(partners), min(partners, default=None))))


def moved(session: Session, by: float = 60) -> Session:
    later = session.last_updated + timedelta(seconds=by)
    return replace(session, last_updated=later, version=session.version + 1)


def places(aws: AwsTables) -> dict[str, int]:
    return {feed: int(item["feed_at"]) for feed, item in index(aws, "feed").items()}


# --- Who finds it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partners", [("jedlix",), ("jedlix", "other"), ("a", "b", "c", "d")], ids=len)
def test_a_new_session_stands_in_the_feed_of_each_partner_that_sees_it(
    aws: AwsTables, store: DynamoSessionStore, partners: tuple[str, ...]
) -> None:
    assert store.create(session_in_feed("s-1", START, *partners), None)
    expected = {shard(partner) for partner in partners}
    assert set(index(aws, "feed")) == set(index(aws, "live")) == expected
    for item in index(aws, "feed").values():
        assert (item["session_id"], item["feed_at"], item["party"]) == ("s-1", epoch_ms(START), "nl/acm")


def test_a_session_that_nobody_sees_stands_nowhere(aws: AwsTables, store: DynamoSessionStore) -> None:
    store.create(replace(session_in_feed("s-1"), rights=Rights()), None)
    assert index(aws, "feed") == index(aws, "live") == {}


@pytest.mark.parametrize("before", [(), ("b",), ("a", "b"), ("a", "b", "c")], ids=str)
@pytest.mark.parametrize("after", [(), ("b",), ("a", "b"), ("b", "c"), ("c", "d", "e")], ids=str)
def test_after_a_change_it_stands_where_the_new_rights_say_and_nowhere_else(
    aws: AwsTables, store: DynamoSessionStore, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    first = seen_by(session_in_feed("s-1"), *before)
    store.create(first, None)
    changed = seen_by(first, *after)
    assert store.update(first, changed, None)
    assert places(aws) == {shard(partner): epoch_ms(changed.last_updated) for partner in after}
    assert set(index(aws, "live")) == {shard(partner) for partner in after}


def test_every_change_moves_it_up_in_every_feed(aws: AwsTables, store: DynamoSessionStore) -> None:
    first = session_in_feed("s-1", START, "jedlix", "other")
    store.create(first, None)
    store.update(first, moved(first, 0.001), None)
    assert set(places(aws).values()) == {epoch_ms(START) + 1}


@pytest.mark.parametrize("partners", [("jedlix",), ("jedlix", "other")], ids=len)
def test_a_session_that_is_over_leaves_the_live_ones_and_stays_in_the_feeds(
    aws: AwsTables, store: DynamoSessionStore, partners: tuple[str, ...]
) -> None:
    first = session_in_feed("s-1", START, *partners)
    store.create(first, None)
    store.update(first, replace(moved(first), status=SessionStatus.COMPLETED, end=seconds(60)), None)
    assert index(aws, "live") == {}
    assert set(index(aws, "feed")) == {shard(partner) for partner in partners}


def test_a_session_that_came_when_it_was_over_was_never_live(aws: AwsTables, store: DynamoSessionStore) -> None:
    store.create(replace(session_in_feed("s-1"), status=SessionStatus.COMPLETED), None)
    assert index(aws, "live") == {}
    assert set(index(aws, "feed")) == {shard("jedlix")}


def test_a_write_that_came_too_late_moves_nothing(aws: AwsTables, store: DynamoSessionStore) -> None:
    first = session_in_feed("s-1", START, "jedlix", "other")
    store.create(first, None)
    before = places(aws)
    assert not store.update(replace(first, version=7), seen_by(first, "third", "fourth"), None)
    assert not store.create(seen_by(first, "third", "fourth"), None)
    assert places(aws) == before


def test_sessions_at_a_station_are_found_until_they_are_over(aws: AwsTables, store: DynamoSessionStore) -> None:
    first, second = session_in_feed("s-1"), session_in_feed("s-2")
    store.create(first, None)
    store.create(second, None)
    store.update(first, replace(moved(first), status=SessionStatus.COMPLETED), None)
    assert [session.session_id for session in store.live_at("acme", "CP-001")] == ["s-2"]
    assert store.session_of(event(EventType.TRANSACTION_UPDATED, transaction_id="s-1")) is not None


# --- What it costs ---------------------------------------------------------------------------------------------------


def test_a_meter_reading_of_a_session_that_one_partner_sees_is_a_single_put(
    aws: AwsTables, store: DynamoSessionStore
) -> None:
    first = session_in_feed("s-1")
    store.create(first, None)
    with counted(aws.client) as calls:
        store.update(first, moved(first), None)
    assert calls == ["PutItem"]


@pytest.mark.parametrize("partners", [("jedlix",), ("jedlix", "other")], ids=len)
def test_a_closed_period_and_all_views_are_one_transaction(
    aws: AwsTables, store: DynamoSessionStore, partners: tuple[str, ...]
) -> None:
    first = session_in_feed("s-1", START, *partners)
    store.create(first, None)
    with counted(aws.client) as calls:
        store.update(first, moved(first), ChargingPeriod(1, START, seconds(60), first.kwh, first.kwh))
    assert calls == ["TransactWriteItems"]


# --- Shards and instants ---------------------------------------------------------------------------------------------


def test_a_session_keeps_its_shard_however_its_id_is_spelled() -> None:
    assert feed_shard("ABC-1") == feed_shard("abc-1")


def test_sessions_spread_over_all_shards() -> None:
    counts = [0] * FEED_SHARDS
    for number in range(8000):
        counts[feed_shard(f"session-{number}")] += 1
    assert min(counts) > 900


@pytest.mark.parametrize(("microsecond", "told"), [(0, 0), (999, 0), (1000, 1), (123_999, 123), (999_999, 999)])
def test_an_instant_is_cut_to_the_millisecond_as_the_object_tells_it(microsecond: int, told: int) -> None:
    moment = START.replace(microsecond=microsecond)
    assert from_epoch_ms(dynamo.from_item({"n": {"N": str(epoch_ms(moment))}})["n"]) == START.replace(
        microsecond=told * 1000
    )
