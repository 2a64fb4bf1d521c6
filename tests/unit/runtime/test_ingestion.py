"""Messages of csms-events, whichever way they came: each report has its turn, and what belongs nowhere can be found."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.answers import CallbackReader
from ocpi_bridge.adapters.csms.frames.translator import FrameTranslator, RefusedFrame
from ocpi_bridge.adapters.dynamodb import registry_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.frames import DynamoFrameStore, SessionTransactions
from ocpi_bridge.adapters.dynamodb.reported_places import DynamoReportedPlaces
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced, Unplaced
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.events import SessionStatus, StationEvent
from ocpi_bridge.domain.requests import RequestState, Result
from ocpi_bridge.runtime.csms_reports import SESSION_TRIES, EventIngestion, SessionNotThere
from ocpi_bridge.runtime.queue_door import QueueMessage
from ocpi_bridge.usecases.ingest_event import IngestEvent
from ocpi_bridge.usecases.ingested import Ingested
from ocpi_bridge.usecases.record_result import RecordResult
from tests.support.registry_entries import csms as registry_csms
from tests.support.tables import ACCOUNT
from tests.support.world import World

Lines = Callable[[], list[dict[str, Any]]]
EVSE = "BE*BEC*E041503001"
GUEST = "111111111111"
NOW = "2026-01-15T17:00:00+00:00"
ONLINE = {"id": "e-1", "type": "station.online", "time": "2026-01-15T17:00:00Z", "station_id": "CP-001"}
STARTED = ONLINE | {
    "id": "e-2",
    "type": "transaction.started",
    "connector_id": 1,
    "transaction_id": 778,
    "data": {"id_token": {"uid": "04AA"}, "meter_wh": 1000},
}
RESULT = ONLINE | {
    "id": "r-1",
    "type": "command.result",
    "data": {"command_id": "r1.0", "payload": {"status": "Accepted"}},
}
SESSION: dict[str, Any] = {
    "id": "S-1",
    "start_date_time": "2026-01-15T17:00:00Z",
    "kwh": 1.25,
    "cdr_token": {"uid": "04AA", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
    "evse_uid": EVSE,
    "connector_id": "1",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T17:05:00Z",
    "ocpp": {"transaction_id": 4711},
}


class Site:
    """The worker on real stores."""

    def __init__(self, world: World) -> None:
        self.world = world
        client, registry = world.tables.client, world.tables.registry
        self.unplaced = DynamoUnplaced(client, registry)
        self.ingestion = EventIngestion(
            ingest=IngestEvent(world.sessions, world.states, world.clock),
            results=lambda: RecordResult(world.commands, CallbackReader(), world.record(), world.clock),
            translator=self.translator,
            places=DynamoReportedPlaces(client, registry, world.tables.sessions),
            unplaced=self.unplaced,
            clock=world.clock,
            account=ACCOUNT,
        )

    def translator(self, refused: Callable[[RefusedFrame], None]) -> FrameTranslator:
        world = self.world
        frames = DynamoFrameStore(world.tables.client, world.tables.registry)
        return FrameTranslator(frames, SessionTransactions(world.sessions), world.clock, refused)

    def take(self, body: object, receipts: int = 1, **attributes: str) -> None:
        text = body if isinstance(body, str) else json.dumps(body)
        self.ingestion.take(QueueMessage(text, attributes, receipts))

    def events(self, *events: object) -> None:
        self.take({"events": events}, csms_id="acme")

    def bus(
        self,
        *events: object,
        account: str = ACCOUNT,
        source: str = "com.example.csms",
        csms_id: object = "acme",
        **change: object,
    ) -> None:
        detail = {"csms_id": csms_id, "events": events}
        envelope = {"version": "0", "id": "b-1", "detail-type": "csms.events", "source": source, "account": account}
        self.take(envelope | {"time": "2026-01-15T17:00:01Z", "region": "eu-west-1", "detail": detail} | change)

    def session(self, body: Mapping[str, Any], change: str = "PUT", receipts: int = 1, **told: str) -> None:
        attributes = {"csms_id": "acme", "form": "sessions", "change": change, "session_id": "S-1"} | told
        self.take(body, receipts, **attributes)

    def online(self) -> bool | None:
        return self.world.states.state("acme", "CP-001").online

    def noted(self, csms_id: str = "acme") -> list[tuple[str, str, str, int]]:
        return [(one.station_id, one.place, one.reason, one.count) for one in self.unplaced.of(csms_id)]

    def only(self) -> Unplaced:
        [one] = self.unplaced.of("acme")
        return one


@pytest.fixture
def site(world: World) -> Site:
    return Site(world)


# --- Events ----------------------------------------------------------------------------------------------------------


def test_events_of_the_door_are_taken(site: Site) -> None:
    site.events(ONLINE, STARTED)
    assert site.online() is True
    [session] = site.world.stored_sessions()
    assert (session.transaction_id, session.meter_start_wh) == ("778", Decimal(1000))
    assert site.noted() == []


def test_a_form_that_no_door_writes_is_a_fault_of_ours(site: Site) -> None:
    with pytest.raises(ValueError, match="csv"):
        site.take({"events": [ONLINE]}, csms_id="acme", form="csv")


def test_a_wrong_event_does_not_keep_the_others_and_can_be_found(site: Site, log: Lines) -> None:
    site.events(ONLINE | {"id": "e-9", "time": "noon"}, STARTED)
    assert len(site.world.stored_sessions()) == 1
    one = site.only()
    assert (one.station_id, one.reason, one.event_id, one.event_type) == (
        "CP-001",
        "unreadable",
        "e-9",
        "station.online",
    )
    assert "events.0.time" in one.detail
    [line] = [line for line in log() if line["message"] == "event.refused"]
    assert (line["level"], line["outcome"], line["csms_id"]) == ("WARNING", "unreadable", "acme")


@pytest.mark.parametrize(
    ("change", "noted"),
    [
        ({"station_id": "CP-9"}, ("CP-9", "connector 1", "unknown_station", 1)),
        ({"connector_id": 7}, ("CP-001", "connector 7", "unknown_connector", 1)),
        ({"connector_id": None, "evse_uid": "BE*X"}, ("CP-001", "EVSE BE*X", "unknown_connector", 1)),
        ({"time": "2036-01-15T17:00:00Z"}, ("CP-001", "connector 1", "implausible_time", 1)),
    ],
    ids=str,
)
def test_an_event_that_belongs_nowhere_is_a_warning_and_can_be_found(
    site: Site, log: Lines, change: dict[str, object], noted: tuple[str, str, str, int]
) -> None:
    site.events(STARTED | change, ONLINE)
    assert site.noted() == [noted]
    assert (site.only().event_id, site.only().event_type) == ("e-2", "transaction.started")
    assert site.online() is True
    warnings = [line for line in log() if line["message"] == "event.ingested" and line["level"] == "WARNING"]
    assert [line["outcome"] for line in warnings] == [noted[2]]


def test_the_same_station_is_found_once_however_often_it_reports(site: Site) -> None:
    for number in range(3):
        site.events(STARTED | {"id": f"e-{number}", "station_id": "CP-9"})
    assert site.noted() == [("CP-9", "connector 1", "unknown_station", 3)]
    assert site.only().event_id == "e-2"


def test_an_event_that_fails_comes_again_and_the_others_of_its_message_had_their_turn(site: Site) -> None:
    taken: list[str] = []
    ingest = site.ingestion.ingest

    def failing(event: StationEvent) -> Ingested:
        taken.append(event.event_id)
        if event.event_id == "e-1":
            raise Contended("others were faster")
        return ingest(event)

    site.ingestion = replace(site.ingestion, ingest=failing)  # type: ignore[arg-type]  # called the same way
    with pytest.raises(ExceptionGroup) as raised:
        site.events(ONLINE, STARTED)
    assert taken == ["e-1", "e-2"]
    assert [str(error) for error in raised.value.exceptions] == ["others were faster"]
    assert len(site.world.stored_sessions()) == 1


# --- The bus ---------------------------------------------------------------------------------------------------------


def test_events_of_the_bridges_own_account_are_taken_from_the_bus(site: Site) -> None:
    site.bus(ONLINE, STARTED)
    assert (site.online(), len(site.world.stored_sessions())) == (True, 1)


def test_events_of_an_account_that_the_registry_names_are_taken(site: Site) -> None:
    site.world.put_csms(replace(registry_csms(), bus_accounts=("222222222222", GUEST)))
    site.bus(STARTED, account=GUEST)
    assert len(site.world.stored_sessions()) == 1


def test_events_of_any_other_account_are_refused_for_good_and_can_be_found(site: Site, log: Lines) -> None:
    site.bus(STARTED, account=GUEST)
    assert site.world.stored_sessions() == []
    assert site.noted() == [("", "", "foreign_account", 1)]
    assert GUEST in site.only().detail
    assert [line["level"] for line in log() if line["message"] == "event.refused"] == ["WARNING"]


def test_an_account_speaks_for_its_own_csms_only(site: Site) -> None:
    theirs = replace(registry_csms("other"), bus_accounts=(GUEST,))
    site.world.tables.put(site.world.tables.registry, dynamo.to_item(registry_items.csms_item(theirs, 1)))
    site.bus(STARTED, account=GUEST)
    assert site.noted() == [("", "", "foreign_account", 1)]
    site.bus(ONLINE, account=GUEST, csms_id="other")
    assert site.online() is None


@pytest.mark.parametrize(
    "change",
    [
        {"source": "ocpi-bridge"},
        {"detail-type": "ocpp.command"},
        {"csms_id": "nobody"},
        {"csms_id": ""},
        {"csms_id": 7},
        {"csms_id": "x" * 5000},
        {"detail": {}},
        {"detail": "csms.events"},
    ],
    ids=str,
)
def test_what_is_not_a_known_csmss_report_is_dropped_with_a_warning(
    site: Site, log: Lines, change: dict[str, Any]
) -> None:
    site.bus(ONLINE, **change)
    assert site.online() is None
    assert [line["level"] for line in log() if line["message"] == "event.refused"] == ["WARNING"]
    assert site.noted() == []


@pytest.mark.parametrize("bomb", ["[" * 100_000, '{"detail":' * 40 + "1" + "}" * 40, '{"detail": 1e999999999}'])
def test_what_no_door_has_vetted_is_dropped_where_it_is_beyond_bounds(site: Site, log: Lines, bomb: str) -> None:
    site.take(bomb)
    assert [line["level"] for line in log() if line["message"] == "event.refused"] == ["WARNING"]


def test_a_report_without_a_list_of_events_can_be_found(site: Site) -> None:
    site.bus(detail={"csms_id": "acme", "events": ONLINE})
    assert site.noted() == [("", "", "unreadable", 1)]


def test_a_wrong_event_on_the_bus_does_not_keep_the_others(site: Site) -> None:
    site.bus({"id": "x"}, ONLINE)
    assert site.online() is True
    assert site.noted() == [("", "", "unreadable", 1)]


# --- Results of commands ---------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(site: Site) -> Site:
    """With a request that waits for the charge point's answer."""
    site.world.put_request(site.world.open_session(), state=RequestState.SENT, attempts=1)
    return site


@pytest.mark.parametrize("way", ["door", "bus"])
def test_a_result_answers_its_request_whichever_way_it_comes(waiting: Site, way: str) -> None:
    waiting.events(RESULT) if way == "door" else waiting.bus(RESULT)
    assert (waiting.world.request().state, waiting.world.request().result) == (RequestState.ANSWERED, Result.ACCEPTED)


def test_a_result_that_comes_again_or_of_nothing_changes_nothing(waiting: Site, log: Lines) -> None:
    nothing = RESULT | {"data": {"command_id": "r7.0", "payload": {"status": "Accepted"}}}
    rejected = RESULT | {"data": {"command_id": "r1.0", "payload": {"status": "Rejected"}}}
    waiting.events(RESULT, rejected, nothing)
    assert waiting.world.request().result is Result.ACCEPTED
    outcomes = [line["outcome"] for line in log() if line["message"] == "command.answered"]
    assert outcomes == ["answered", "too_late", "unknown_command"]
    assert waiting.noted() == []


def test_a_result_of_another_csmss_command_is_refused_and_can_be_found(waiting: Site, log: Lines) -> None:
    waiting.take({"events": [RESULT]}, csms_id="other")
    assert waiting.world.request().state is RequestState.SENT
    assert waiting.noted("other") == [("CP-001", "", "another_csms", 1)]
    assert [line["level"] for line in log() if line["message"] == "command.answered"] == ["WARNING"]


# --- Frames ----------------------------------------------------------------------------------------------------------


def test_raw_frames_become_events(site: Site) -> None:
    frame = {"stationId": "CP-001", "event": "connected", "info": {"timestamp": "2026-01-15T17:00:00Z"}}
    site.take(frame, csms_id="acme", form="frames", received_at=NOW)
    assert site.online() is True


def test_a_frame_that_cannot_be_read_can_be_found(site: Site) -> None:
    site.take(
        {"stationId": "CP-001", "event": "message", "message": "[2]"}, csms_id="acme", form="frames", received_at=NOW
    )
    assert site.noted() == [("CP-001", "", "unreadable", 1)]


def test_frames_of_a_csms_that_was_removed_can_be_found(site: Site) -> None:
    site.take({"stationId": "CP-001", "event": "connected"}, csms_id="removed", form="frames", received_at=NOW)
    assert site.noted("removed") == [("", "", "unknown_csms", 1)]


# --- OCPI sessions ---------------------------------------------------------------------------------------------------


def test_a_session_that_was_put_is_ours_under_its_own_id(site: Site) -> None:
    site.session(SESSION, station_id="CP-001")
    [session] = site.world.stored_sessions()
    assert (session.session_id, session.status, session.evse_uid) == ("S-1", SessionStatus.ACTIVE, EVSE)
    assert session.kwh == Decimal("1.25")
    # Seen, and not steered: nobody said which transaction it is.
    assert (session.transaction_known, session.steerable) == (False, False)


def test_a_session_whose_transaction_is_told_can_be_steered(site: Site) -> None:
    site.world.put_csms(replace(registry_csms(), parameters=(("transaction_at", "ocpp.transaction_id"),)))
    site.session(SESSION, station_id="CP-001")
    [session] = site.world.stored_sessions()
    assert (session.transaction_id, session.steerable) == ("4711", True)


def test_a_patch_changes_the_session_that_is_known(site: Site) -> None:
    site.session(SESSION, station_id="CP-001")
    site.session({"kwh": 2.5, "last_updated": "2026-01-15T17:10:00Z"}, "PATCH")
    [session] = site.world.stored_sessions()
    assert (session.kwh, session.status) == (Decimal("2.5"), SessionStatus.ACTIVE)
    site.session({"status": "COMPLETED", "last_updated": "2026-01-15T17:20:00Z"}, "PATCH")
    [session] = site.world.stored_sessions()
    assert (session.kwh, session.status) == (Decimal("2.5"), SessionStatus.COMPLETED)


def test_messages_of_a_session_may_come_twice_and_in_any_order(site: Site) -> None:
    patch = {"kwh": 2.5, "last_updated": "2026-01-15T17:10:00Z"}
    site.session(SESSION, station_id="CP-001")
    for _ in range(2):
        site.session(patch, "PATCH")
        site.session(SESSION, station_id="CP-001")
    [session] = site.world.stored_sessions()
    assert session.kwh == Decimal("2.5")
    assert session.last_event_at == session.start + timedelta(minutes=10)


def test_a_patch_that_overtook_its_put_comes_again_some_times(site: Site) -> None:
    patch = {"kwh": 2.5, "last_updated": "2026-01-15T17:10:00Z"}
    for receipts in range(1, SESSION_TRIES):
        with pytest.raises(SessionNotThere):
            site.session(patch, "PATCH", receipts)
    site.session(patch, "PATCH", SESSION_TRIES)
    assert site.noted() == [("", "", "unknown_session", 1)]
    assert site.only().event_id == "S-1"


def test_a_session_of_another_csms_is_not_touched(site: Site) -> None:
    site.session(SESSION, station_id="CP-001")
    other = dynamo.to_item(registry_items.csms_item(registry_csms("other"), 1))
    site.world.tables.put(site.world.tables.registry, other)
    site.session({"kwh": 9, "last_updated": "2026-01-15T17:10:00Z"}, "PATCH", csms_id="other")
    [session] = site.world.stored_sessions()
    assert session.kwh == Decimal("1.25")
    assert site.noted("other") == [("", "", "session_id_taken", 1)]


def test_a_session_that_cannot_be_read_any_more_can_be_found(site: Site) -> None:
    site.session({"kwh": 1}, station_id="CP-001")
    assert site.noted() == [("CP-001", "", "unreadable", 1)]
    assert site.world.stored_sessions() == []


def test_a_session_of_a_csms_that_was_removed_can_be_found(site: Site) -> None:
    site.session(SESSION, csms_id="removed", station_id="CP-001")
    assert site.noted("removed") == [("CP-001", "", "unknown_csms", 1)]
