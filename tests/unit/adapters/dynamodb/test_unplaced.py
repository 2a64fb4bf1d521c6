"""What belongs nowhere is counted once for a station, place and reason, and forgotten when it stops."""

from datetime import timedelta

import pytest

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.unplaced import MAX_DETAIL_LENGTH, MAX_ID_LENGTH, RETENTION, DynamoUnplaced, Unplaced
from tests.support.clocks import START
from tests.support.tables import AwsTables

LATER = START + timedelta(minutes=5)


@pytest.fixture
def unplaced(aws: AwsTables) -> DynamoUnplaced:
    return DynamoUnplaced(aws.client, aws.registry)


def test_the_first_and_the_newest_are_remembered_and_all_are_counted(unplaced: DynamoUnplaced) -> None:
    place = {"station_id": "CP-9", "place": "connector 1"}
    unplaced.note("acme", "unknown_station", START, **place, event_id="e-1", event_type="station.online", detail="a")
    unplaced.note("acme", "unknown_station", LATER, **place, event_id="e-2", event_type="station.booted", detail="b")
    assert unplaced.of("acme") == (
        Unplaced("acme", "CP-9", "connector 1", "unknown_station", 2, START, LATER, "e-2", "station.booted", "b"),
    )


def test_each_station_place_and_reason_counts_for_itself(unplaced: DynamoUnplaced) -> None:
    unplaced.note("acme", "unknown_station", START, station_id="CP-9")
    unplaced.note("acme", "unknown_connector", START, station_id="CP-9", place="connector 3")
    unplaced.note("acme", "unknown_connector", START, station_id="CP-9", place="connector 4")
    unplaced.note("acme", "unreadable", START)
    unplaced.note("other", "unknown_station", START, station_id="CP-9")
    assert [(one.station_id, one.place, one.reason, one.count) for one in unplaced.of("acme")] == [
        ("", "", "unreadable", 1),
        ("CP-9", "", "unknown_station", 1),
        ("CP-9", "connector 3", "unknown_connector", 1),
        ("CP-9", "connector 4", "unknown_connector", 1),
    ]
    assert len(unplaced.of("other")) == 1
    assert unplaced.of("nobody") == ()


def test_what_a_csms_calls_its_things_is_cut_so_that_any_name_fits(unplaced: DynamoUnplaced) -> None:
    name = "\N{HIGH VOLTAGE SIGN}" * 300
    for _ in range(2):
        unplaced.note(
            "acme", "unreadable", START, station_id=name, place=name, event_id=name, event_type=name, detail=name
        )
    [one] = unplaced.of("acme")
    assert one.count == 2
    assert {len(one.station_id), len(one.place), len(one.event_id), len(one.event_type)} == {MAX_ID_LENGTH}
    assert len(one.detail) == MAX_DETAIL_LENGTH


def test_it_goes_some_time_after_the_last_one(unplaced: DynamoUnplaced, aws: AwsTables) -> None:
    unplaced.note("acme", "unreadable", START)
    unplaced.note("acme", "unreadable", LATER)
    [item] = map(dynamo.from_item, aws.items(aws.registry))
    assert item["expires_at"] == int((LATER + RETENTION).timestamp())
