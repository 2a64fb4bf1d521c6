"""What the ingestion of events is made of."""

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb.reported_places import DynamoReportedPlaces
from ocpi_bridge.adapters.dynamodb.requests import DynamoRequestStore
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.csms_reports import EventIngestion
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.usecases.ingest_event import IngestEvent
from ocpi_bridge.usecases.own_requests import OwnRequests

if TYPE_CHECKING:
    # Loaded where a message needs them: most have events, and a worker's start is the first event's delay.
    from ocpi_bridge.adapters.csms.frames.translator import FrameTranslator, RefusedFrame
    from ocpi_bridge.usecases.record_result import RecordResult


def event_ingestion() -> EventIngestion:
    """The ingestion of messages."""
    clock = SystemClock()
    dynamodb, sessions, registry = clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REGISTRY_TABLE")
    return EventIngestion(
        ingest=ingest_event(),
        results=_record_result,
        translator=_frame_translator,
        places=DynamoReportedPlaces(dynamodb, registry, sessions),
        unplaced=DynamoUnplaced(dynamodb, registry),
        clock=clock,
        account=variable("ACCOUNT_ID"),
    )


def ingest_event() -> IngestEvent:
    """The ingestion of one event."""
    dynamodb, clock = clients.dynamodb(), SystemClock()
    sessions, requests, registry = variable("SESSIONS_TABLE"), variable("REQUESTS_TABLE"), variable("REGISTRY_TABLE")
    own = OwnRequests(DynamoRequestStore(dynamodb, sessions, requests), clock, time.sleep)
    return IngestEvent(
        store=DynamoSessionStore(dynamodb, sessions, registry),
        states=DynamoStationStates(dynamodb, registry),
        clock=clock,
        learn=own.learn,
    )


@cache
def _record_result() -> "RecordResult":
    from ocpi_bridge.adapters.csms.answers import CallbackReader  # noqa: PLC0415
    from ocpi_bridge.adapters.dynamodb.commands import DynamoCommandStore  # noqa: PLC0415
    from ocpi_bridge.usecases.record_answer import RecordAnswer  # noqa: PLC0415
    from ocpi_bridge.usecases.record_result import RecordResult  # noqa: PLC0415

    clock = SystemClock()
    dynamodb, registry = clients.dynamodb(), variable("REGISTRY_TABLE")
    store = DynamoCommandStore(
        client=dynamodb,
        sessions=variable("SESSIONS_TABLE"),
        requests=variable("REQUESTS_TABLE"),
        registry=registry,
        clock=clock,
    )
    record = RecordAnswer(store, DynamoStationStates(dynamodb, registry), clock)
    return RecordResult(store, CallbackReader(), record, clock)


def _frame_translator(refused: "Callable[[RefusedFrame], None]") -> "FrameTranslator":
    from ocpi_bridge.adapters.csms.frames.translator import FrameTranslator  # noqa: PLC0415
    from ocpi_bridge.adapters.dynamodb.frames import DynamoFrameStore, SessionTransactions  # noqa: PLC0415

    dynamodb, registry = clients.dynamodb(), variable("REGISTRY_TABLE")
    store = DynamoSessionStore(dynamodb, variable("SESSIONS_TABLE"), registry)
    return FrameTranslator(DynamoFrameStore(dynamodb, registry), SessionTransactions(store), SystemClock(), refused)
