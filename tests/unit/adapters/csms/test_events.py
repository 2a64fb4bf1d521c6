"""Events as a CSMS posts them: all of a post or nothing of it, and the first wrong field by name."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.command_results import CommandResult
from ocpi_bridge.adapters.csms.events import MAX_BODY_BYTES, MAX_EVENTS, RefusedEvent, parse_events, read_each
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import (
    ChargingState,
    EventType,
    IdToken,
    Reading,
    ReportedLimit,
    SessionStatus,
    StationEvent,
)
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.sessions import REPORTED_PERIODS

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
STATION = {"id": "e-1", "type": "station.online", "time": "2026-01-01T12:00:00Z", "station_id": "CP-001"}
DATA: dict[str, object] = {
    "id_token": {"uid": "04AA", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
    "auth_method": "WHITELIST",
    "meter_wh": 12345,
    "power_w": 7200.5,
    "current_a": [10.4, 10.4, 0],
    "voltage_v": [231, 230, 229],
    "offered_a": 16,
    "offered_w": 11000,
    "soc": 55,
    "charging_state": "Charging",
    "stop_reason": "Remote",
    "cap_w": 11000,
}
TRANSACTION = STATION | {
    "type": "transaction.updated",
    "connector_id": 1,
    "evse_id": 2,
    "transaction_id": "4711",
    "data": DATA,
}


SCHEDULE: dict[str, object] = {
    "chargingRateUnit": "W",
    "startSchedule": "2026-01-01T11:45:00Z",
    "duration": 3600,
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000.0}, {"startPeriod": 1800, "limit": "7000"}],
}
RESULT: dict[str, Any] = {
    "id": "r-1",
    "type": "command.result",
    "time": "2026-01-01T12:00:00Z",
    "station_id": "CP-001",
    "data": {"command_id": "req-1.0", "payload": {"status": "Accepted"}},
}


def reports(*events: object) -> list[StationEvent | CommandResult]:
    return list(parse_events("acme", json.dumps({"events": events}).encode()))


def parse(*events: object) -> list[StationEvent]:
    return [event for event in reports(*events) if isinstance(event, StationEvent)]


def one(**change: object) -> StationEvent:
    [parsed] = parse(TRANSACTION | change)
    return parsed


def with_data(**change: object) -> dict[str, Any]:
    return TRANSACTION | {"data": change}


def refused(body: bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as refusal:
        parse_events("acme", body)
    return refusal.value


def refused_field(event: object) -> str:
    return refused(json.dumps({"events": [STATION, event]}).encode()).field


# --- What is taken ---------------------------------------------------------------------------------------------------


def test_an_event_of_a_transaction_is_read_whole() -> None:
    assert parse(TRANSACTION) == [
        StationEvent(
            event_id="e-1",
            type=EventType.TRANSACTION_UPDATED,
            time=NOON,
            csms_id="acme",
            station_id="CP-001",
            connector_id=1,
            evse_id=2,
            transaction_id="4711",
            id_token=IdToken("04AA", "RFID", "NL-TNM-C12345678-X"),
            auth_method="WHITELIST",
            reading=Reading(
                meter_wh=Decimal(12345),
                power_w=Decimal("7200.5"),
                current_a=(Decimal("10.4"), Decimal("10.4"), Decimal(0)),
                voltage_v=(Decimal(231), Decimal(230), Decimal(229)),
                offered_a=Decimal(16),
                offered_w=Decimal(11000),
                soc=Decimal(55),
            ),
            charging_state=ChargingState.CHARGING,
            stop_reason="Remote",
            cap_w=Decimal(11000),
        )
    ]


def test_an_event_of_a_station_needs_no_more_than_who_what_and_when() -> None:
    assert parse(STATION) == [StationEvent("e-1", EventType.STATION_ONLINE, NOON, "acme", "CP-001")]


@pytest.mark.parametrize("kind", EventType)
def test_every_kind_of_event_is_known(kind: EventType) -> None:
    assert one(type=kind.value).type is kind


def test_events_keep_their_order() -> None:
    assert [event.event_id for event in parse(*(STATION | {"id": str(number)} for number in range(3)))] == [
        "0",
        "1",
        "2",
    ]


def test_the_csms_is_the_one_that_signed_whatever_the_event_says() -> None:
    assert one(csms="another").csms_id == "acme"


@pytest.mark.parametrize("transaction_id", [4711, "4711"])
def test_a_transaction_may_be_named_by_a_number(transaction_id: object) -> None:
    assert one(transaction_id=transaction_id).transaction_id == "4711"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-01T12:00:00Z", NOON),
        ("2026-01-01T13:00:00+01:00", NOON),
        ("2026-01-01T12:00:00.250Z", NOON + timedelta(milliseconds=250)),
    ],
)
def test_a_time_is_an_instant_of_any_zone(text: str, moment: datetime) -> None:
    assert (one(time=text).time, one(time=text).time.utcoffset()) == (moment, timedelta(0))


def test_null_for_an_optional_field_is_like_leaving_it_out() -> None:
    nulls: dict[str, object] = dict.fromkeys(DATA)
    [event] = parse(with_data(**nulls) | {"connector_id": None, "evse_id": None})
    assert (event.reading, event.id_token, event.connector_id) == (Reading(), None, None)


def test_a_token_has_a_default_kind_and_need_not_have_a_contract() -> None:
    [event] = parse(with_data(id_token={"uid": "04AA"}))
    assert event.id_token == IdToken("04AA", "RFID")


def test_power_and_current_may_flow_back() -> None:
    [event] = parse(with_data(power_w=-7000, current_a=[-16]))
    assert (event.reading.power_w, event.reading.current_a) == (Decimal(-7000), (Decimal(-16),))


def test_unknown_fields_are_nobodys_business() -> None:
    assert len(parse(STATION | {"limit": {"source": "EMS"}, "data": {"stop_reason": "Remote"}})) == 1


def test_a_post_may_have_many_events_but_not_any_number() -> None:
    assert len(parse(*[STATION] * MAX_EVENTS)) == MAX_EVENTS
    body = json.dumps({"events": [STATION] * (MAX_EVENTS + 1)}).encode()
    assert refused(body).field == "events"


def test_a_session_and_its_evse_may_be_named_by_ocpis_ids_and_its_state_be_told() -> None:
    event = one(session_id="S-1", evse_uid="BE*1", data={"status": "RESERVATION"})
    assert (event.session_id, event.evse_uid, event.told_status) == ("S-1", "BE*1", SessionStatus.RESERVATION)
    assert event.transaction_known


@pytest.mark.parametrize("kind", ["steering.suspended", "steering.resumed", "steering.released"])
@pytest.mark.parametrize("place", [{}, {"connector_id": 1}, {"evse_uid": "BE*1"}, {"session_id": "S-1"}])
def test_steering_ends_for_a_station_an_evse_or_a_session(kind: str, place: dict[str, object]) -> None:
    [event] = parse(STATION | {"type": kind} | place)
    assert {name: getattr(event, name) for name in place} == place


@pytest.mark.parametrize("place", [{"connector_id": 1}, {"evse_id": 1}, {"evse_uid": "BE*1"}])
@pytest.mark.parametrize("cap", [11_000, 0, None])
def test_a_cap_is_set_or_lifted_at_an_evse(place: dict[str, object], cap: int | None) -> None:
    [event] = parse(STATION | {"type": "cap.changed", "data": {"cap_w": cap}} | place)
    assert event.cap_w == cap


# --- Limits ----------------------------------------------------------------------------------------------------------


def limit(**said: object) -> ReportedLimit | None:
    [event] = parse(STATION | {"type": "charging_limit.changed", "data": {"limit": said}})
    return event.limit


def test_a_limit_may_be_told_with_its_course() -> None:
    periods = (PlanPeriod(0, Decimal("11000.0")), PlanPeriod(1800, Decimal(7000)))
    plan = Plan(RateUnit.WATT, periods, NOON - timedelta(minutes=15), 3600)
    assert limit(source="EMS", schedule=SCHEDULE) == ReportedLimit("EMS", plan)


def test_a_limit_may_be_told_without_its_course() -> None:
    assert limit(source="SO") == limit(source="SO", schedule=None) == ReportedLimit("SO")


@pytest.mark.parametrize(
    ("start", "began"),
    [
        ({"startSchedule": None, "scheduleStart": "2026-01-01T11:50:00Z"}, NOON - timedelta(minutes=10)),
        ({"startSchedule": None}, NOON),
        ({"startSchedule": "1970-01-01T00:00:00Z"}, NOON),
    ],
)
def test_a_limit_begins_where_either_version_of_ocpp_says_or_when_it_was_told(
    start: dict[str, object], began: datetime
) -> None:
    told = limit(source="CSO", schedule=SCHEDULE | start)
    assert told is not None
    assert told.plan is not None
    assert told.plan.start == began


def test_of_a_long_course_the_beginning_is_known_and_the_rest_is_not_taken_for_the_same() -> None:
    periods = [{"startPeriod": 900 * n, "limit": 1000 + n} for n in range(REPORTED_PERIODS + 1)]
    told = limit(source="EMS", schedule=SCHEDULE | {"chargingSchedulePeriod": periods, "duration": 86_400})
    assert told is not None
    assert told.plan is not None
    assert (len(told.plan.periods), told.plan.duration) == (REPORTED_PERIODS, 900 * REPORTED_PERIODS)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"source": "EMS", "schedule": {}}, "limit.schedule"),
        ({"source": "EMS", "schedule": SCHEDULE | {"chargingRateUnit": "kW"}}, "limit.schedule"),
        ({"source": "EMS", "schedule": SCHEDULE | {"chargingSchedulePeriod": [{"limit": "x"}]}}, "limit.schedule"),
        ({"source": "EMS", "schedule": [SCHEDULE]}, "limit.schedule"),
        ({"source": "the grid"}, "limit.source"),
        ({"schedule": SCHEDULE}, "limit.source"),
    ],
    ids=str,
)
def test_a_limit_that_cannot_be_read_is_named(said: dict[str, object], field: str) -> None:
    assert (
        refused_field(STATION | {"type": "charging_limit.changed", "data": {"limit": said}}) == f"events.1.data.{field}"
    )


# --- Results of commands ---------------------------------------------------------------------------------------------


def result(**data: object) -> CommandResult:
    [read] = reports(RESULT | {"data": {"command_id": "req-1.0", **data}})
    assert isinstance(read, CommandResult)
    return read


def test_the_result_of_a_command_is_no_event_of_a_station() -> None:
    read = result(payload={"status": "Accepted", "chargingSchedule": {"duration": 60, "minChargingRate": 8.1}})
    assert (read.csms_id, read.station_id, read.command_id, read.time) == ("acme", "CP-001", "req-1.0", NOON)
    assert json.loads(read.body) == {
        "status": "Accepted",
        "chargingSchedule": {"duration": 60, "minChargingRate": 8.1},
    }


def test_an_error_of_the_charge_point_is_carried_as_callbacks_carry_it() -> None:
    assert json.loads(result(error={"code": "NotSupported", "description": "no such feature"}).body) == {
        "_errorCode": "NotSupported",
        "_errorDescription": "no such feature",
    }


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"payload": {}}, "command_id"),
        ({"command_id": "req-1.0"}, "payload"),
        ({"command_id": "req-1.0", "payload": {}, "error": {"code": "GenericError"}}, "payload"),
        ({"command_id": "req-1.0", "payload": "Accepted"}, "payload"),
        ({"command_id": "req-1.0", "error": {}}, "error.code"),
    ],
    ids=str,
)
def test_a_result_that_says_nothing_or_two_things_is_refused(data: dict[str, object], field: str) -> None:
    assert refused_field(RESULT | {"data": data}) == f"events.1.data.{field}"


# --- One by one ------------------------------------------------------------------------------------------------------


def test_read_one_by_one_a_wrong_event_is_told_apart_and_the_others_are_taken() -> None:
    listed: list[Any] = [
        STATION,
        STATION | {"id": "e-2", "time": "noon"},
        with_data() | {"transaction_id": None},
        7,
        RESULT,
    ]
    first, second, third, fourth, last = read_each("acme", listed)
    assert isinstance(first, StationEvent)
    assert second == RefusedEvent(
        "acme", "CP-001", "e-2", "station.online", "events.1.time: is not an RFC 3339 instant with a zone"
    )
    assert isinstance(third, RefusedEvent)
    assert third.problem.startswith("events.2.transaction_id: ")
    assert isinstance(fourth, RefusedEvent)
    assert (fourth.station_id, fourth.event_id, fourth.event_type) == ("", "", "")
    assert isinstance(last, CommandResult)


@pytest.mark.parametrize("station_id", [7, None, "CP\n1", "CP\ud800", ""])
def test_of_a_refused_event_only_what_can_be_kept_is_kept(station_id: object) -> None:
    wrong: dict[str, Any] = {"id": "x" * 300, "type": "<script>", "station_id": station_id}
    [refused_one] = read_each("acme", [wrong])
    assert isinstance(refused_one, RefusedEvent)
    assert (refused_one.station_id, refused_one.event_id, refused_one.event_type) == ("", "x" * 255, "")


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"id": 1}, "id"),
        ({"type": "transaction.paused"}, "type"),
        ({"type": None}, "type"),
        ({"time": None}, "time"),
        ({"time": "2026-01-01T12:00:00"}, "time"),
        ({"time": 1767268800}, "time"),
        ({"time": "1767268800"}, "time"),
        ({"time": "2026-01-01"}, "time"),
        ({"time": "noon"}, "time"),
        ({"time": "0001-01-01T00:00:00+05:00"}, "time"),
        ({"time": "9999-12-31T23:59:59-05:00"}, "time"),
        ({"station_id": ""}, "station_id"),
        ({"station_id": None}, "station_id"),
        ({"station_id": "CP\ud800"}, "station_id"),
        ({"connector_id": 0}, "connector_id"),
        ({"connector_id": "1"}, "connector_id"),
        ({"connector_id": 1.5}, "connector_id"),
        ({"connector_id": True}, "connector_id"),
        ({"evse_id": -1}, "evse_id"),
        ({"transaction_id": None}, "transaction_id"),
        ({"transaction_id": ""}, "transaction_id"),
        ({"transaction_id": True}, "transaction_id"),
        ({"transaction_id": 1.5}, "transaction_id"),
        ({"session_id": ""}, "session_id"),
        ({"session_id": "x" * 37}, "session_id"),
        ({"evse_uid": "NL\n"}, "evse_uid"),
        ({"type": "cap.changed", "data": {}}, "data.cap_w"),
        ({"type": "cap.changed", "data": {"cap_w": -1}}, "data.cap_w"),
        ({"type": "cap.changed", "connector_id": None, "evse_id": None}, "evse_uid"),
        ({"data": []}, "data"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named_with_the_place_of_its_event(change: dict[str, object], field: str) -> None:
    assert refused_field(TRANSACTION | change) == f"events.1.{field}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"meter_wh": -1}, "meter_wh"),
        ({"meter_wh": "12345"}, "meter_wh"),
        ({"meter_wh": True}, "meter_wh"),
        ({"meter_wh": 1e11}, "meter_wh"),
        ({"power_w": 1e8}, "power_w"),
        ({"current_a": [1, "2"]}, "current_a.1"),
        ({"current_a": [1, 2, 3, 4]}, "current_a"),
        ({"current_a": 16}, "current_a"),
        ({"voltage_v": [-1]}, "voltage_v.0"),
        ({"offered_a": []}, "offered_a"),
        ({"offered_w": "11 kW"}, "offered_w"),
        ({"status": "active"}, "status"),
        ({"stop_reason": "x" * 51}, "stop_reason"),
        ({"soc": 101}, "soc"),
        ({"charging_state": "charging"}, "charging_state"),
        ({"auth_method": "GUESS"}, "auth_method"),
        ({"id_token": {}}, "id_token.uid"),
        ({"id_token": {"uid": "x" * 37}}, "id_token.uid"),
        ({"id_token": {"uid": "04AA", "type": "CARD"}}, "id_token.type"),
        ({"id_token": {"uid": "04AA", "contract_id": "x" * 37}}, "id_token.contract_id"),
        ({"id_token": {"uid": "04AA", "contract_id": "NL-TNM-é"}}, "id_token.contract_id"),
        ({"id_token": {"uid": "04AA\n"}}, "id_token.uid"),
    ],
    ids=str,
)
def test_a_wrong_reading_is_named(change: dict[str, object], field: str) -> None:
    assert refused_field(with_data(**change)) == f"events.1.data.{field}"


@pytest.mark.parametrize("missing", ["id", "type", "time", "station_id", "transaction_id"])
def test_a_missing_field_is_named(missing: str) -> None:
    event = dict(TRANSACTION)
    del event[missing]
    assert refused_field(event) == f"events.1.{missing}"


@pytest.mark.parametrize("literal", ["1E999999999", "-1E999999999", "1E-999999999999999999999"])
def test_a_number_out_of_all_proportion_is_an_error_like_any_other(literal: str) -> None:
    body = json.dumps({"events": [with_data(meter_wh="#")]}).replace('"#"', literal).encode()
    assert refused(body).field == "body"


def test_a_number_that_is_nearly_zero_is_one() -> None:
    body = json.dumps({"events": [with_data(meter_wh="#")]}).replace('"#"', "1E-29").encode()
    [event] = parse_events("acme", body)
    assert isinstance(event, StationEvent)
    assert event.reading.meter_wh == Decimal("1E-29")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b'{"events": [NaN]}', "body"),
        (b"\xff\xfe", "body"),
        (b"[" * 100_000, "body"),
        (b"[]", "body"),
        (b"{}", "events"),
        (b'{"events": null}', "events"),
        (b'{"events": []}', "events"),
        (b'{"events": {}}', "events"),
        (b'{"events": [1]}', "events.0"),
        (b" " * (MAX_BODY_BYTES + 1), "body"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_no_post_is_refused(body: bytes, field: str) -> None:
    assert refused(body).field == field


def test_a_refusal_says_what_is_allowed_in_the_spelling_that_is_allowed() -> None:
    problem = refused(json.dumps({"events": [with_data(charging_state="charging")]}).encode()).problem
    assert "'SuspendedEVSE'" in problem


def test_a_refusal_repeats_nothing_of_a_driver() -> None:
    body = json.dumps({"events": [with_data(id_token={"uid": "04-SECRET-" + "x" * 40})]}).encode()
    assert "SECRET" not in str(refused(body))
