"""From the frames of a real charge point to its session, whatever becomes of their order on the way."""

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.frames.translator import FrameTranslator
from ocpi_bridge.adapters.dynamodb.frames import DynamoFrameStore, SessionTransactions
from ocpi_bridge.domain.events import ChargingState, EventType, SessionStatus, StationEvent
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.usecases.ingest_event import IngestEvent
from tests.support.clocks import ManualClock
from tests.support.ocpp_frames import FIXTURES
from tests.support.world import World

# When the frames were recorded.
RECORDED = datetime(2026, 11, 23, 1, 2, 40, tzinfo=UTC)
TRANSACTION = "1366656150"


def recorded() -> list[dict[str, Any]]:
    lines = (FIXTURES / "v16_session_of_kirby.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def take(world: World, bodies: Iterable[object]) -> Session:
    """The session that posts lead to, each taken as the worker takes it."""
    clock = ManualClock(RECORDED)
    ingest = IngestEvent(store=world.sessions, states=world.states, clock=clock)
    frames = DynamoFrameStore(world.tables.client, world.tables.registry)
    translator = FrameTranslator(frames, SessionTransactions(world.sessions), clock)
    for body in bodies:
        for event in translator.events(world.csms, json.dumps(body).encode(), RECORDED):
            ingest(event)
    asked = StationEvent(
        "asked", EventType.TRANSACTION_UPDATED, RECORDED, "acme", "CP-001", connector_id=1, transaction_id=TRANSACTION
    )
    session = world.sessions.session_of(asked)
    assert session is not None
    return session


def told(session: Session) -> tuple[object, ...]:
    """What of a session no order may change."""
    return session.status, session.start, session.end, session.kwh, session.token


def test_a_session_of_a_real_charge_point(world: World) -> None:
    session = take(world, recorded())
    assert (session.status, session.kwh) == (SessionStatus.COMPLETED, Decimal("0.5"))
    assert (session.phases, session.power_w) == (1, Decimal(7160))
    assert (session.start, session.end) == (
        datetime(2026, 11, 23, 1, 2, 34, 855_000, tzinfo=UTC),
        datetime(2026, 11, 23, 1, 2, 34, 866_000, tzinfo=UTC),
    )


def test_frames_that_come_as_one_list_lead_to_the_same(world: World) -> None:
    """What the connector says names no transaction: the session must be there when it is looked at."""
    session = take(world, [recorded()])
    assert (session.status, session.kwh) == (SessionStatus.COMPLETED, Decimal("0.5"))
    assert session.charging_state is ChargingState.EV_CONNECTED


@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_and_twice_the_session_is_the_same(world: World, seed: int) -> None:
    clean = told(take(world, recorded()))
    world.tables.clear()
    frames = recorded() * 2
    random.Random(seed).shuffle(frames)
    assert told(take(World(world.tables), frames)) == clean
    found = [item for item in world.tables.items(world.tables.sessions) if item["entity"]["S"] == "session"]
    assert len(found) == 1
