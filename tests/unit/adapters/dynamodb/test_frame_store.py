"""What is remembered of frames: in the table as in memory; and which transaction runs where."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ocpi_bridge.adapters.dynamodb.frames import FRAME_LIFETIME, DynamoFrameStore, SessionTransactions
from ocpi_bridge.domain.events import EventType, SessionStatus
from ocpi_bridge.ports.frames import Exchange, ExchangePart, FrameStore, KeptFrame
from ocpi_bridge.ports.json_values import JsonObject
from tests.support import registry_entries
from tests.support.clocks import START
from tests.support.raw_frames import InMemoryFrames
from tests.support.tables import AwsTables
from tests.support.world import World, event, session_of

CALL = KeptFrame("m-1", START, {"connectorId": 1, "text": "\N{SNOWMAN}"}, "StartTransaction")
RESULT = KeptFrame("m-1", START + timedelta(seconds=1), {"transactionId": 7})
AT = ("acme", "CP-001")


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, aws: AwsTables) -> FrameStore:
    return InMemoryFrames() if request.param == "memory" else DynamoFrameStore(aws.client, aws.registry)


def later(frame: KeptFrame, seconds: float, payload: JsonObject) -> KeptFrame:
    return replace(frame, at=frame.at + timedelta(seconds=seconds), payload=payload)


def test_whoever_comes_second_sees_both(store: FrameStore) -> None:
    assert store.exchange(*AT, ExchangePart.RESULT, RESULT) == Exchange(result=RESULT)
    assert store.exchange(*AT, ExchangePart.CALL, CALL) == Exchange(CALL, RESULT)


def test_a_frame_that_comes_again_sees_both_again(store: FrameStore) -> None:
    store.exchange(*AT, ExchangePart.CALL, CALL)
    for part, frame in ((ExchangePart.RESULT, RESULT), (ExchangePart.RESULT, RESULT), (ExchangePart.CALL, CALL)):
        assert store.exchange(*AT, part, frame) == Exchange(CALL, RESULT)


def test_exchanges_are_a_stations_and_a_csmss(store: FrameStore) -> None:
    store.exchange(*AT, ExchangePart.CALL, CALL)
    for other in (("acme", "CP-002"), ("other", "CP-001")):
        assert store.exchange(*other, ExchangePart.RESULT, RESULT).call is None
    assert store.exchange(*AT, ExchangePart.RESULT, replace(RESULT, message_id="m-2")).call is None


def test_an_older_frame_never_replaces_a_newer_one(store: FrameStore) -> None:
    newer = later(CALL, 60, {"connectorId": 2})
    store.exchange(*AT, ExchangePart.CALL, newer)
    assert store.exchange(*AT, ExchangePart.CALL, CALL) == Exchange()
    assert store.exchange(*AT, ExchangePart.RESULT, RESULT).call == newer


def test_a_kept_frame_is_found_by_its_name(store: FrameStore) -> None:
    newer = later(CALL, 1, {"connectorId": 2})
    for frame in (newer, CALL):
        store.keep(*AT, "STOP#7", frame)
    assert store.kept(*AT, "STOP#7") == newer
    assert store.kept(*AT, "STOP#8") is None
    assert store.kept("acme", "CP-002", "STOP#7") is None


def test_numbers_come_back_as_numbers_or_their_text(store: FrameStore) -> None:
    huge = replace(CALL, payload={"meterStart": Decimal("1e999999999")})
    found = store.exchange(*AT, ExchangePart.CALL, huge).call
    assert found is not None
    assert str(found.payload["meterStart"]) == "1E+999999999"


# --- The table's own --------------------------------------------------------------------------------------------------


def test_frames_go_soon(aws: AwsTables) -> None:
    store = DynamoFrameStore(aws.client, aws.registry)
    store.exchange(*AT, ExchangePart.CALL, CALL)
    store.keep(*AT, "STATUS#1", CALL)
    expected = str(int((START + FRAME_LIFETIME).timestamp()))
    assert [item["expires_at"]["N"] for item in aws.items(aws.registry)] == [expected] * 2


# --- Which transaction runs where -------------------------------------------------------------------------------------

UIDS = ("BE*BEC*E041503001", "BE*BEC*E041503002")


@pytest.fixture
def world(aws: AwsTables) -> World:
    """A station with two connectors."""
    made = World(aws)
    made.put_station(registry_entries.station("CP-001", UIDS))
    return made


def run(world: World, connector: int, transaction: str, *, seconds: float = 0, **changes: object) -> None:
    started = event(EventType.TRANSACTION_STARTED, seconds, connector_id=connector, transaction_id=transaction)
    session = replace(session_of(started, world.csms, world.station), **changes)  # type: ignore[arg-type]
    assert world.sessions.create(session, None)


def running(world: World, connector: int | None, seconds: float = 60) -> str | None:
    place = ("acme", "CP-001", connector, None)
    return SessionTransactions(world.sessions).transaction_at(*place, START + timedelta(seconds=seconds))


def test_the_transaction_that_runs_at_a_connector(world: World) -> None:
    run(world, 1, "778")
    run(world, 2, "779")
    assert [running(world, connector) for connector in (1, 2, 3, None)] == ["778", "779", None, None]


def test_what_was_said_before_a_transaction_began_is_not_its(world: World) -> None:
    run(world, 1, "778", seconds=60)
    assert running(world, 1, 58) is None
    # Stations cut some of their times to the second.
    assert running(world, 1, 59) == "778"


def test_the_newest_of_two_is_meant_and_none_that_was_superseded(world: World) -> None:
    run(world, 1, "777")
    run(world, 1, "778", seconds=10)
    run(world, 1, "779", seconds=20, superseded_at=START + timedelta(seconds=30))
    assert running(world, 1) == "778"


def test_a_session_that_is_over_runs_no_more(world: World) -> None:
    run(world, 1, "778", status=SessionStatus.COMPLETED)
    assert running(world, 1) is None
