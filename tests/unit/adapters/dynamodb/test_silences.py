"""One suite for the store of silences: on DynamoDB, and in memory as other tests use it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb import partner_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.domain.partners import Silence
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock
from tests.support.stores import MemoryStores, Stores, TableStores
from tests.support.tables import AwsTables

PARTNER = registry_entries.partner()
SECOND = timedelta(seconds=1)
SILENCE = Silence(START, START + 30 * SECOND)


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request: pytest.FixtureRequest, aws: AwsTables) -> Stores:
    made: Stores = MemoryStores() if request.param == "memory" else TableStores(aws, ManualClock())
    made.add(PARTNER)
    return made


def remove_partner(stores: Stores) -> None:
    if isinstance(stores, MemoryStores):
        stores.books.partners.clear()
        return
    assert isinstance(stores, TableStores)
    tables = stores.tables
    tables.client.delete_item(TableName=tables.registry, Key=dynamo.key(*partner_items.partner_key(PARTNER.partner_id)))


def read(stores: Stores) -> Silence | None:
    """As each push reads it, with the partner."""
    context = stores.pushes.push_context("s1", PARTNER.partner_id)
    assert context.partner in {PARTNER, None}
    return context.silence


def test_a_partner_answers_until_it_is_noted_that_it_does_not(stores: Stores) -> None:
    assert read(stores) is None
    assert stores.silences.begin_silence(PARTNER.partner_id, SILENCE)
    assert read(stores) == SILENCE


def test_of_those_that_find_a_partner_silent_one_begins_the_silence(stores: Stores) -> None:
    assert stores.silences.begin_silence(PARTNER.partner_id, SILENCE)
    later = Silence(START + 5 * SECOND, START + 35 * SECOND)
    assert not stores.silences.begin_silence(PARTNER.partner_id, later)
    assert read(stores) == SILENCE


def test_a_silence_that_is_over_is_no_obstacle_to_the_next_one(stores: Stores) -> None:
    stores.silences.begin_silence(PARTNER.partner_id, SILENCE)
    later = Silence(SILENCE.until, SILENCE.until + 30 * SECOND)
    assert stores.silences.begin_silence(PARTNER.partner_id, later)
    assert read(stores) == later


def test_of_two_that_move_a_silence_one_does(stores: Stores) -> None:
    stores.silences.begin_silence(PARTNER.partner_id, SILENCE)
    first, second = (SILENCE.until + seconds * SECOND for seconds in (12, 13))
    assert stores.silences.move_silence(PARTNER.partner_id, SILENCE, first)
    assert not stores.silences.move_silence(PARTNER.partner_id, SILENCE, second)
    assert read(stores) == replace(SILENCE, until=first)


def test_a_silence_ends_for_who_knows_it(stores: Stores) -> None:
    stores.silences.begin_silence(PARTNER.partner_id, SILENCE)
    stranger = replace(SILENCE, until=SILENCE.until + SECOND)
    assert not stores.silences.end_silence(PARTNER.partner_id, stranger)
    assert read(stores) == SILENCE
    assert stores.silences.end_silence(PARTNER.partner_id, SILENCE)
    assert read(stores) is None
    assert not stores.silences.end_silence(PARTNER.partner_id, SILENCE)


def test_instants_between_two_milliseconds_are_the_same_when_they_are_read_again(stores: Stores) -> None:
    fine = Silence(START + timedelta(microseconds=1499), START + timedelta(microseconds=30_001_777))
    assert stores.silences.begin_silence(PARTNER.partner_id, fine)
    # By who wrote it, and by who read it.
    assert stores.silences.move_silence(PARTNER.partner_id, fine, fine.until + SECOND)
    known = read(stores)
    assert known is not None
    assert stores.silences.end_silence(PARTNER.partner_id, known)


def test_a_partner_that_was_removed_does_not_come_back(stores: Stores) -> None:
    stores.silences.begin_silence(PARTNER.partner_id, SILENCE)
    remove_partner(stores)
    assert not stores.silences.move_silence(PARTNER.partner_id, SILENCE, SILENCE.until + SECOND)
    assert not stores.silences.end_silence(PARTNER.partner_id, SILENCE)
    later = Silence(SILENCE.until, SILENCE.until + 30 * SECOND)
    assert not stores.silences.begin_silence(PARTNER.partner_id, later)
    context = stores.pushes.push_context("s1", PARTNER.partner_id)
    assert (context.partner, context.silence) == (None, None)
