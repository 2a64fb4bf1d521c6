"""Sessions of a CSMS that speaks OCPI, as events of a station: any version, whole or in part."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.ocpi_sessions import (
    SESSION_ID_IS_TRANSACTION,
    TRANSACTION_AT,
    Change,
    ReportedSession,
    events_of,
    parse_session,
)
from ocpi_bridge.domain.csms_api import FEED_PARAMETERS
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.events import EventType, IdToken, Reading, SessionStatus, StationEvent
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.sessions import Session
from tests.support.fixtures import ocpi_fixture
from tests.support.registry_entries import csms
from tests.support.world import event as station_event
from tests.support.world import session_of

NOON = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=20)
SESSION: dict[str, Any] = {
    "country_code": "NL",
    "party_id": "ACM",
    "id": "S-1",
    "start_date_time": "2026-01-01T12:00:00Z",
    "kwh": Decimal("1.25"),
    "cdr_token": {
        "country_code": "NL",
        "party_id": "TNM",
        "uid": "04AA",
        "type": "RFID",
        "contract_id": "NL-TNM-C12345678-X",
    },
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "BE*1",
    "connector_id": "1",
    "currency": "EUR",
    "charging_periods": [
        {
            "start_date_time": "2026-01-01T12:15:00Z",
            "dimensions": [
                {"type": "POWER", "volume": Decimal("7.2")},
                {"type": "CURRENT", "volume": 31},
                {"type": "STATE_OF_CHARGE", "volume": 55},
            ],
        },
        {"start_date_time": "2026-01-01T12:00:00Z", "dimensions": [{"type": "POWER", "volume": 11}]},
    ],
    "total_cost": {"excl_vat": Decimal("0.5"), "incl_vat": Decimal("0.6")},
    "status": "ACTIVE",
    "last_updated": "2026-01-01T12:20:00Z",
}
# As OCPI 2.1.1 has it.
OLD_SESSION: dict[str, Any] = {
    "id": "S-1",
    "start_datetime": "2026-01-01T12:00:00Z",
    "kwh": 1,
    "auth_id": "NL-TNM-C12345678-X",
    "auth_method": "WHITELIST",
    "location": {
        "id": "LOC1",
        "type": "ON_STREET",
        "evses": [{"uid": "BE*1", "status": "CHARGING", "connectors": [{"id": "1", "voltage": 230}]}],
    },
    "currency": "EUR",
    "total_cost": Decimal("0.5"),
    "status": "ACTIVE",
    "last_updated": "2026-01-01T12:20:00Z",
}
PATCH: dict[str, Any] = {"kwh": Decimal("2.5"), "last_updated": "2026-01-01T12:20:00Z"}


def read(
    body: Mapping[str, Any], change: Change = Change.PUT, parameters: tuple[tuple[str, str], ...] = ()
) -> ReportedSession:
    known = replace(csms(), parameters=parameters)
    return parse_session(known, change, "S-1", body, (known.country_code, known.party_id))


def events(
    body: Mapping[str, Any],
    change: Change = Change.PUT,
    *,
    known: Session | None = None,
    parameters: tuple[tuple[str, str], ...] = (),
) -> list[StationEvent]:
    return list(events_of(read(body, change, parameters), "acme", "CP-001", known))


def refused(body: Mapping[str, Any], change: Change = Change.PUT) -> str:
    with pytest.raises(InvalidInput) as refusal:
        read(body, change)
    return refusal.value.field


def known_session(transaction_id: str = "778", *, known: bool = True) -> Session:
    session = session_of(station_event(EventType.TRANSACTION_STARTED, transaction_id=transaction_id))
    return replace(session, transaction_known=known)


# --- A whole session -------------------------------------------------------------------------------------------------


def test_a_session_is_its_start_on_a_register_of_zero_and_its_state_now() -> None:
    started, updated = events(SESSION)
    token = IdToken("04AA", "RFID", "NL-TNM-C12345678-X")
    same = {
        "csms_id": "acme",
        "station_id": "CP-001",
        "evse_uid": "BE*1",
        "outlet_id": "1",
        "session_id": "S-1",
        "transaction_id": "S-1",
        "transaction_known": False,
        "id_token": token,
        "auth_method": "WHITELIST",
        "told_status": SessionStatus.ACTIVE,
    }
    for event in (started, updated):
        assert {name: getattr(event, name) for name in same} == same
    assert (started.type, started.time) == (EventType.TRANSACTION_STARTED, NOON)
    assert started.reading == Reading(meter_wh=Decimal(0))
    assert (updated.type, updated.time) == (EventType.TRANSACTION_UPDATED, LATER)
    assert updated.reading.meter_wh == Decimal(1250)
    assert updated.total_cost == Price(Decimal("0.5"), Decimal("0.6"))


def test_power_and_state_of_charge_are_the_newest_periods_wherever_it_stands() -> None:
    updated = events(SESSION)[-1]
    assert (updated.reading.power_w, updated.reading.soc) == (Decimal(7200), Decimal(55))


def test_a_current_says_nothing_of_the_phases_in_use() -> None:
    assert events(SESSION)[-1].reading.current_a == ()


@pytest.mark.parametrize(
    "dimension",
    [{"type": "POWER", "volume": 22_000}, {"type": "STATE_OF_CHARGE", "volume": 101}, {"type": "X", "volume": 1}],
)
def test_a_dimension_that_cannot_be_or_is_unknown_is_left_out(dimension: dict[str, object]) -> None:
    period = {"start_date_time": "2026-01-01T12:15:00Z", "dimensions": [dimension]}
    reading = events(SESSION | {"charging_periods": [period]})[-1].reading
    assert (reading.power_w, reading.soc) == (None, None)


@pytest.mark.parametrize("status", [SessionStatus.COMPLETED, SessionStatus.INVALID])
def test_a_session_that_is_over_ends_when_it_says_and_its_start_does_not(status: SessionStatus) -> None:
    started, ended = events(SESSION | {"status": status.value, "end_date_time": "2026-01-01T12:18:00Z"})
    assert (started.type, started.told_status) == (EventType.TRANSACTION_STARTED, None)
    assert (ended.type, ended.told_status) == (EventType.TRANSACTION_ENDED, status)
    assert ended.time == NOON + timedelta(minutes=18)
    assert ended.reading.meter_wh == Decimal(1250)


def test_a_session_that_is_over_without_an_end_ended_with_its_last_update() -> None:
    assert events(SESSION | {"status": "COMPLETED"})[-1].time == LATER


@pytest.mark.parametrize("status", ["PENDING", "RESERVATION"])
def test_a_session_that_has_not_begun_is_told_so_from_its_first_event_on(status: str) -> None:
    assert [event.told_status for event in events(SESSION | {"status": status})] == [status, status]


def test_the_same_message_gives_the_same_events_and_another_one_others() -> None:
    assert events(SESSION) == events(SESSION)
    ids = {event.event_id for event in events(SESSION) + events(SESSION | {"last_updated": "2026-01-01T12:21:00Z"})}
    assert len(ids) == 4


# --- Versions --------------------------------------------------------------------------------------------------------


def test_a_session_of_2_1_1_has_its_place_in_a_location_and_names_the_contract() -> None:
    session = read(OLD_SESSION)
    assert (session.evse_uid, session.connector_id, session.start) == ("BE*1", "1", NOON)
    assert session.token == IdToken("NL-TNM-C12345678-X", "OTHER", "NL-TNM-C12345678-X")
    assert session.total_cost == Price(Decimal("0.5"))


def test_an_evse_of_2_1_1_with_several_connectors_leaves_the_connector_open() -> None:
    evse = {"uid": "BE*1", "connectors": [{"id": "1"}, {"id": "2"}]}
    session = read(OLD_SESSION | {"location": {"evses": [evse]}})
    assert (session.evse_uid, session.connector_id) == ("BE*1", None)


def test_a_cost_of_2_3_0_has_its_taxes_beside_it() -> None:
    taxes = [{"name": "VAT", "amount": Decimal("0.1")}, {"name": "energy", "amount": Decimal("0.02")}]
    session = read(SESSION | {"total_cost": {"before_taxes": Decimal("0.5"), "taxes": taxes}})
    assert session.total_cost == Price(Decimal("0.5"), Decimal("0.62"))


@pytest.mark.parametrize("taxes", [{}, {"taxes": None}, {"taxes": []}])
def test_a_cost_of_2_3_0_may_be_without_taxes(taxes: dict[str, object]) -> None:
    assert read(SESSION | {"total_cost": {"before_taxes": 1} | taxes}).total_cost == Price(Decimal(1))


def test_unknown_fields_and_newer_words_are_nobodys_business() -> None:
    newer = {"cdr_token": SESSION["cdr_token"] | {"type": "EMAID"}, "auth_method": "PLUG_AND_CHARGE", "tariff": [1]}
    session = read(SESSION | newer)
    assert session.token == IdToken("04AA", "OTHER", "NL-TNM-C12345678-X")
    assert session.auth_method is None


@pytest.mark.parametrize("kind", [[], {}, 1, None])
def test_kinds_that_are_no_text_are_like_those_that_nobody_knows(kind: object) -> None:
    odd = {"cdr_token": SESSION["cdr_token"] | {"type": kind}, "auth_method": kind}
    session = read(SESSION | odd)
    assert session.token == IdToken("04AA", "OTHER", "NL-TNM-C12345678-X")
    assert session.auth_method is None


@pytest.mark.parametrize("name", ["end_date_time", "cdr_token", "auth_method", "charging_periods", "total_cost"])
def test_null_for_an_optional_field_is_like_leaving_it_out(name: str) -> None:
    absent = {key: value for key, value in SESSION.items() if key != name}
    assert read(SESSION | {name: None}) == read(absent)


@pytest.mark.parametrize("version", ["spec-2.2.1", "spec-2.3.0"])
@pytest.mark.parametrize("name", ["session_example_1_simple_start", "session_example_2_short_finished"])
def test_the_specifications_own_sessions_are_read(version: str, name: str) -> None:
    body = ocpi_fixture(f"{version}/{name}")
    session = parse_session(csms(), Change.PUT, body["id"], body)
    assert (session.status, session.kwh, session.evse_uid) == (body["status"], body["kwh"], body["evse_uid"])
    assert session.total_cost is not None


@pytest.mark.parametrize("version", ["spec-2.2.1", "spec-2.3.0"])
@pytest.mark.parametrize("name", ["session_patch_example_charging_period", "session_patch_example_total_cost"])
def test_the_specifications_own_patches_are_read(version: str, name: str) -> None:
    body = ocpi_fixture(f"{version}/{name}")
    assert parse_session(csms(), Change.PATCH, "101", body).change is Change.PATCH


# --- A part of a session ---------------------------------------------------------------------------------------------


def test_a_patch_is_an_update_with_what_it_says_and_the_place_that_is_known() -> None:
    known = known_session()
    [updated] = events(PATCH, Change.PATCH, known=known)
    assert (updated.type, updated.time) == (EventType.TRANSACTION_UPDATED, LATER)
    assert updated.reading == Reading(meter_wh=Decimal(2500))
    assert (updated.evse_uid, updated.outlet_id) == (known.evse_uid, known.connector_id)
    assert (updated.told_status, updated.id_token, updated.auth_method) == (None, None, None)


def test_a_patch_of_the_status_alone_says_nothing_of_the_energy() -> None:
    [ended] = events(
        {"status": "COMPLETED", "last_updated": "2026-01-01T12:20:00Z"}, Change.PATCH, known=known_session()
    )
    assert (ended.type, ended.reading) == (EventType.TRANSACTION_ENDED, Reading())


def test_a_patch_with_a_start_tells_the_start_too() -> None:
    patch = PATCH | {"status": "ACTIVE", "start_date_time": "2026-01-01T12:05:00Z"}
    started, _ = events(patch, Change.PATCH, known=known_session())
    assert (started.type, started.time) == (EventType.TRANSACTION_STARTED, NOON + timedelta(minutes=5))


@pytest.mark.parametrize("place", [{"evse_uid": "#NA", "connector_id": "#NA"}, {}])
def test_a_reservation_need_not_have_an_evse_yet(place: dict[str, str]) -> None:
    session = read(PATCH | place, Change.PATCH)
    assert (session.evse_uid, session.connector_id) == (None, None)
    assert read(SESSION | {"evse_uid": "#NA"}).evse_uid is None


# --- The transaction -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transaction_id", [4711, "4711"])
@pytest.mark.parametrize(("path", "nested"), [("ocpp_transaction_id", False), ("x.ocpp.id", True)])
def test_the_transaction_stands_where_the_registry_says(path: str, nested: bool, transaction_id: object) -> None:
    said = {"x": {"ocpp": {"id": transaction_id}}} if nested else {"ocpp_transaction_id": transaction_id}
    for event in events(SESSION | said, parameters=((TRANSACTION_AT, path),)):
        assert (event.transaction_id, event.transaction_known) == ("4711", True)


@pytest.mark.parametrize("said", [{}, {"tx": None}, {"tx": True}, {"tx": ""}, {"tx": {"id": 1}}, {"tx": "x" * 256}])
def test_what_is_no_transaction_is_none_and_the_session_is_only_seen(said: dict[str, object]) -> None:
    for event in events(SESSION | said, parameters=((TRANSACTION_AT, "tx"),)):
        assert (event.transaction_id, event.transaction_known) == ("S-1", False)


def test_the_sessions_id_is_its_transaction_where_the_registry_says_so_and_nothing_else_is_told() -> None:
    same = ((SESSION_ID_IS_TRANSACTION, "true"),)
    assert [event.transaction_known for event in events(SESSION, parameters=same)] == [True, True]
    assert events(SESSION, parameters=((SESSION_ID_IS_TRANSACTION, "false"),))[0].transaction_known is False
    told = events(SESSION | {"tx": 7}, parameters=((TRANSACTION_AT, "tx"), *same))
    assert {event.transaction_id for event in told} == {"7"}


def test_a_transaction_that_is_known_stays_known_when_a_patch_does_not_repeat_it() -> None:
    [updated] = events(PATCH, Change.PATCH, known=known_session("778"))
    assert (updated.transaction_id, updated.transaction_known) == ("778", True)
    [other] = events(PATCH, Change.PATCH, known=known_session("S-1", known=False))
    assert (other.transaction_id, other.transaction_known) == ("S-1", False)


def test_a_transaction_may_become_known_later() -> None:
    known = known_session("S-1", known=False)
    [updated] = events(PATCH | {"tx": 7}, Change.PATCH, known=known, parameters=((TRANSACTION_AT, "tx"),))
    assert (updated.transaction_id, updated.transaction_known) == ("7", True)


def test_the_registry_takes_these_parameters_whatever_the_preset() -> None:
    assert {TRANSACTION_AT, SESSION_ID_IS_TRANSACTION} == FEED_PARAMETERS


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["start_date_time", "kwh", "status", "last_updated", "evse_uid"])
def test_a_whole_session_has_what_a_session_has(field: str) -> None:
    assert refused({key: value for key, value in SESSION.items() if key != field}) == field


def test_a_patch_has_at_least_its_time() -> None:
    assert refused({"kwh": 1}, Change.PATCH) == "last_updated"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "S-2"}, "id"),
        ({"country_code": "DE"}, "country_code"),
        ({"party_id": "XYZ"}, "party_id"),
        ({"kwh": -1}, "kwh"),
        ({"kwh": "1.5"}, "kwh"),
        ({"kwh": Decimal("1E400")}, "kwh"),
        ({"status": "active"}, "status"),
        ({"last_updated": "noon"}, "last_updated"),
        ({"last_updated": 1767268800}, "last_updated"),
        ({"evse_uid": ""}, "evse_uid"),
        ({"evse_uid": "x" * 37}, "evse_uid"),
        ({"cdr_token": {"uid": "04\n"}}, "cdr_token.uid"),
        ({"total_cost": {"excl_vat": "1"}}, "total_cost.excl_vat"),
        ({"total_cost": {"before_taxes": 1, "taxes": [{"name": "VAT"}]}}, "total_cost"),
        ({"total_cost": {"before_taxes": 1, "taxes": 1}}, "total_cost"),
        ({"total_cost": {"before_taxes": "1", "taxes": [{"amount": 1}]}}, "total_cost"),
        ({"charging_periods": [{"dimensions": []}]}, "charging_periods.0.start_date_time"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(change: dict[str, object], field: str) -> None:
    assert refused(SESSION | change) == field


@pytest.mark.parametrize("same", [{"id": "s-1"}, {"country_code": "nl"}, {"party_id": "acm"}])
def test_ids_are_compared_without_case(same: dict[str, str]) -> None:
    assert read(SESSION | same).session_id == "S-1"


@pytest.mark.parametrize("location", [{"evses": []}, {"evses": [{"uid": "1"}, {"uid": "2"}]}, {"id": "LOC1"}, None])
def test_a_location_that_has_not_one_evse_is_no_place(location: object) -> None:
    assert refused(OLD_SESSION | {"location": location}) == "evse_uid"


def test_a_location_that_is_none_is_refused() -> None:
    assert refused(OLD_SESSION | {"location": "LOC1"}) == "body"
