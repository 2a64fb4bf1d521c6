"""The bus on EventBridge: batches of ten, and what was not taken is told."""

import json
from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.stub import ANY, Stubber

from ocpi_bridge.adapters.eventbridge.bus import EventBridgeBus, EventsNotTaken
from ocpi_bridge.ports.bus import BusEvent
from tests.support.clocks import START
from tests.support.tables import REGION

BUS = "ocpi-bridge-test-csms"


def events(number: int) -> list[BusEvent]:
    return [BusEvent("ocpi.charging_preferences.set", START, {"id": f"change-{index}"}) for index in range(number)]


@pytest.fixture
def stubber() -> Iterator[Stubber]:
    client = boto3.client("events", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def bus(stubber: Stubber) -> EventBridgeBus:
    return EventBridgeBus(lambda: cast(Any, stubber).client, BUS)


def taken(number: int) -> dict[str, Any]:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": f"event-{index}"} for index in range(number)]}


def test_an_event_is_published_from_the_bridge_on_its_bus(stubber: Stubber, bus: EventBridgeBus) -> None:
    entry = {
        "EventBusName": BUS,
        "Source": "ocpi-bridge",
        "DetailType": "ocpi.charging_preferences.set",
        "Time": START,
        "Detail": json.dumps({"id": "change-0"}, separators=(",", ":")),
    }
    stubber.add_response("put_events", taken(1), {"Entries": [entry]})
    bus.publish(events(1))


def test_nothing_to_publish_is_no_call(bus: EventBridgeBus) -> None:
    bus.publish([])


def test_more_than_eventbridge_takes_at_once_are_several_calls(stubber: Stubber, bus: EventBridgeBus) -> None:
    for size in (10, 10, 3):
        stubber.add_response("put_events", taken(size), {"Entries": [ANY] * size})
    bus.publish(events(23))


def test_what_was_not_taken_is_told_after_all_batches_were_tried(stubber: Stubber, bus: EventBridgeBus) -> None:
    throttled = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
    first = {"FailedEntryCount": 1, "Entries": [{"EventId": "event-0"}] * 9 + [throttled]}
    stubber.add_response("put_events", first, {"Entries": ANY})
    stubber.add_response("put_events", taken(2), {"Entries": ANY})
    with pytest.raises(EventsNotTaken, match="1 events were not taken: ThrottlingException"):
        bus.publish(events(12))
