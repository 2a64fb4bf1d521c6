import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import cast

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Capabilities, OcppVersion, Outlet, PowerType, Quirk
from ocpi_bridge.ocpp import v16
from ocpi_bridge.ocpp.responses import MAX_LIMIT, MAX_STATUS_LENGTH, UNPARSEABLE
from ocpi_bridge.ports.charge_points import ChargerCommand, Done
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tests.support.ocpp_frames import check_request, fixture, on_the_wire
from tests.support.outlets import command, outlet

SET, CLEAR, GET, LEARN = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET, RequestKind.LEARN
WATT, AMPERE = RateUnit.WATT, RateUnit.AMPERE
START = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
RECEIVED = datetime(2026, 1, 15, 17, 5, 3, tzinfo=UTC)

THREE_PERIODS = Plan(
    WATT,
    (PlanPeriod(0, Decimal(11040)), PlanPeriod(1800, Decimal(0)), PlanPeriod(3600, Decimal(7360))),
    START,
    7200,
    Decimal(1380),
)
ONE_PERIOD = Plan(WATT, (PlanPeriod(0, Decimal("8.1")),), START)


def sent(asked: ChargerCommand) -> tuple[str, JsonObject]:
    action, payload = v16.request(asked)
    check_request(OcppVersion.V16, action, payload)
    return action, on_the_wire(payload)


def profile(asked: ChargerCommand) -> JsonObject:
    return cast("JsonObject", sent(asked)[1]["csChargingProfiles"])


def schedule(asked: ChargerCommand) -> JsonObject:
    return cast("JsonObject", profile(asked)["chargingSchedule"])


def phases_sent(asked: ChargerCommand) -> JsonValue:
    periods = cast("list[JsonObject]", schedule(asked)["chargingSchedulePeriod"])
    return periods[0].get("numberPhases")


def composite(periods: JsonValue, **changes: JsonValue) -> JsonObject:
    inner: dict[str, JsonValue] = {"duration": 900, "chargingRateUnit": "W", "chargingSchedulePeriod": periods}
    return {
        "status": "Accepted",
        "connectorId": 1,
        "scheduleStart": "2026-01-15T17:05:00Z",
        "chargingSchedule": {**inner, **changes},
    }


def shown(payload: JsonValue) -> Plan:
    done = v16.answer(GET, payload, RECEIVED)
    assert done.schedule is not None, done
    return done.schedule


# --- Requests


def test_a_plan_becomes_a_profile_of_the_transaction() -> None:
    assert sent(command(SET, plan=THREE_PERIODS)) == (
        "SetChargingProfile",
        fixture("v16_SetChargingProfile_absolute_W"),
    )


def test_a_plan_for_a_one_phase_car_names_the_phase() -> None:
    plan = Plan(AMPERE, (PlanPeriod(0, Decimal("16.0")),), START)
    assert sent(command(SET, plan=plan, phases=1)) == (
        "SetChargingProfile",
        fixture("v16_SetChargingProfile_W_converted_to_A_single_phase"),
    )


def test_a_relative_plan_has_no_start() -> None:
    asked = command(SET, plan=Plan(AMPERE, (PlanPeriod(0, Decimal(10)),)))
    assert profile(asked)["chargingProfileKind"] == "Relative"
    assert "startSchedule" not in schedule(asked)
    assert "duration" not in schedule(asked)


def test_a_profile_is_cleared_by_its_id_and_nothing_else() -> None:
    assert sent(command(CLEAR)) == ("ClearChargingProfile", fixture("v16_ClearChargingProfile"))


def test_the_composite_schedule_is_asked_of_the_connector() -> None:
    asked = command(GET, duration=900, unit=WATT)
    assert sent(asked) == ("GetCompositeSchedule", fixture("v16_GetCompositeSchedule"))


def test_without_a_unit_the_charge_point_chooses() -> None:
    assert sent(command(GET, duration=900))[1] == {"connectorId": 1, "duration": 900}


def test_a_unit_that_the_station_does_not_take_is_not_asked_for() -> None:
    only_ampere = outlet(allowed_units=frozenset({AMPERE}))
    assert sent(command(GET, only_ampere, duration=900, unit=WATT))[1] == {"connectorId": 1, "duration": 900}
    preferring_watt = outlet(allowed_units=frozenset({AMPERE}), preferred_unit=WATT)
    assert sent(command(GET, preferring_watt, duration=900, unit=WATT))[1]["chargingRateUnit"] == "W"


@pytest.mark.parametrize(
    ("power_type", "phases", "number"),
    [
        (PowerType.AC_3_PHASE, None, None),
        (PowerType.AC_3_PHASE, 1, 1),
        (PowerType.AC_3_PHASE, 3, 3),
        (PowerType.AC_1_PHASE, None, 1),
        (PowerType.AC_2_PHASE, None, 2),
        (PowerType.DC, None, None),
        (PowerType.DC, 3, None),
    ],
)
def test_the_number_of_phases_is_sent_where_three_would_be_assumed_wrongly(
    power_type: PowerType, phases: int | None, number: int | None
) -> None:
    assert phases_sent(command(SET, outlet(power_type), plan=ONE_PERIOD, phases=phases)) == number


@pytest.mark.parametrize("power_type", [PowerType.AC_3_PHASE, PowerType.AC_1_PHASE])
def test_a_station_that_refuses_the_number_of_phases_is_never_sent_it(power_type: PowerType) -> None:
    at = outlet(power_type, quirks=frozenset({Quirk.NO_NUMBER_PHASES}))
    assert phases_sent(command(SET, at, plan=ONE_PERIOD, phases=1)) is None


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (START, "2026-01-15T17:00:00Z"),
        (START + timedelta(milliseconds=123), "2026-01-15T17:00:00.123Z"),
        (START.astimezone(timezone(timedelta(hours=2))), "2026-01-15T17:00:00Z"),
    ],
)
def test_the_start_is_written_in_utc(start: datetime, written: str) -> None:
    plan = Plan(WATT, ONE_PERIOD.periods, start)
    assert schedule(command(SET, plan=plan))["startSchedule"] == written


@pytest.mark.parametrize("transaction_id", ["4711", "0", "-1"])
def test_a_transaction_id_is_sent_as_an_integer(transaction_id: str) -> None:
    assert profile(command(SET, plan=ONE_PERIOD, transaction_id=transaction_id))["transactionId"] == int(transaction_id)


@pytest.mark.parametrize("transaction_id", ["", "c2b6a6f2", "4711.0", " 4711", "4_711", "٤٧", "1" * 19, "4711\n"])
def test_a_transaction_id_that_is_no_integer_is_refused_before_anything_is_sent(transaction_id: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        v16.request(command(SET, plan=ONE_PERIOD, transaction_id=transaction_id))
    assert refused.value.field == "transaction_id"


def test_clearing_and_reading_need_no_integer_transaction() -> None:
    assert sent(command(CLEAR, transaction_id="c2b6a6f2"))[1] == {"id": 1042}
    assert sent(command(GET, transaction_id="c2b6a6f2", duration=900))[0] == "GetCompositeSchedule"


@pytest.mark.parametrize(
    "asked",
    [
        command(SET, outlet(ocpp_connector_id=0), plan=ONE_PERIOD),
        command(GET, outlet(ocpp_connector_id=0), duration=900),
    ],
)
def test_the_whole_station_is_never_addressed(asked: ChargerCommand) -> None:
    with pytest.raises(InvalidInput, match="ocpp_connector_id"):
        v16.request(asked)


def test_a_command_without_its_content_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="plan"):
        v16.request(command(SET))
    with pytest.raises(ValueError, match="duration"):
        v16.request(command(GET))


def test_the_evse_number_has_no_place_in_1_6() -> None:
    on_second_connector: Outlet = outlet(ocpp_connector_id=2, ocpp_evse_id=7)
    assert sent(command(GET, on_second_connector, duration=60))[1]["connectorId"] == 2


# --- Answers


@pytest.mark.parametrize("kind", list(RequestKind))
@pytest.mark.parametrize("status", ["Accepted", "Rejected", "NotSupported", "Unknown", "NotImplemented", "accepted"])
def test_a_status_is_passed_on_even_outside_the_schema(kind: RequestKind, status: str) -> None:
    assert v16.answer(kind, {"status": status}, RECEIVED) == Done(status)


@pytest.mark.parametrize("payload", [None, [], "Accepted", 7, {}, {"status": None}, {"status": 1}, {"status": " "}])
@pytest.mark.parametrize("kind", [SET, CLEAR, GET])
def test_an_answer_without_a_status_is_unparseable(kind: RequestKind, payload: JsonValue) -> None:
    done = v16.answer(kind, payload, RECEIVED)
    assert (done.status, done.schedule) == (UNPARSEABLE, None)
    assert done.detail


def test_a_status_is_bounded() -> None:
    assert len(v16.answer(SET, {"status": "x" * 10_000}, RECEIVED).status) == MAX_STATUS_LENGTH


def test_a_composite_schedule_is_read_with_its_start_and_unit() -> None:
    done = v16.answer(GET, fixture("v16_GetCompositeScheduleResponse"), RECEIVED)
    expected = Plan(
        WATT, (PlanPeriod(0, Decimal(11040)), PlanPeriod(600, Decimal(5520))), START + timedelta(minutes=5), 900
    )
    assert done == Done("Accepted", expected)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-01-15T17:05:00", START + timedelta(minutes=5)),
        ("2026-01-15T18:05:00.5+01:00", START + timedelta(minutes=5, milliseconds=500)),
        ("2026-01-15T17:05:00.123456789Z", START + timedelta(minutes=5, microseconds=123456)),
        ("1970-01-01T00:00:00Z", RECEIVED),
        ("0001-01-01T00:00:00+10:00", RECEIVED),
        ("now", RECEIVED),
        (1768496700, RECEIVED),
        (None, RECEIVED),
    ],
)
def test_a_start_that_says_nothing_plausible_is_the_moment_of_receipt(start: JsonValue, expected: datetime) -> None:
    payload = {**composite([{"startPeriod": 0, "limit": 1}]), "scheduleStart": start}
    assert shown(payload).start == expected


def test_a_start_inside_the_schedule_is_tolerated() -> None:
    inside = composite([{"startPeriod": 0, "limit": 1}], startSchedule="2026-01-15T17:04:00Z")
    assert shown(inside).start == START + timedelta(minutes=5)
    assert shown({**inside, "scheduleStart": None}).start == START + timedelta(minutes=4)


@pytest.mark.parametrize("schedule", [None, {}, {"chargingRateUnit": "W"}, {"chargingSchedulePeriod": []}, []])
def test_accepted_without_a_schedule_shows_none(schedule: JsonValue) -> None:
    assert v16.answer(GET, {"status": "Accepted", "chargingSchedule": schedule}, RECEIVED) == Done("Accepted")


@pytest.mark.parametrize(
    "payload",
    [
        composite([{"startPeriod": 0, "limit": 1}], chargingRateUnit=None),
        composite([{"startPeriod": 0, "limit": 1}], chargingRateUnit="kW"),
        composite([{"startPeriod": 0, "limit": 1}], chargingRateUnit=["W"]),
        composite([{"startPeriod": 0}]),
        composite([{"startPeriod": 0, "limit": "much"}, {"startPeriod": 1, "limit": True}, None, 3]),
        composite({"startPeriod": 0, "limit": 1}),
        composite("0:1"),
        {"status": "Accepted", "chargingSchedule": "none"},
    ],
)
def test_a_schedule_that_cannot_be_understood_is_not_taken_for_none(payload: JsonObject) -> None:
    done = v16.answer(GET, payload, RECEIVED)
    assert (done.status, done.schedule) == (UNPARSEABLE, None)
    assert "composite schedule" in done.detail


def test_periods_are_sorted_and_those_without_a_limit_skipped() -> None:
    periods: JsonValue = [
        {"startPeriod": 600, "limit": 2, "numberPhases": 3},
        {"startPeriod": 300},
        {"startPeriod": 0, "limit": 1},
    ]
    assert shown(composite(periods)).periods == (PlanPeriod(0, Decimal(1)), PlanPeriod(600, Decimal(2)))


def test_a_gap_before_the_first_limit_is_left_out_of_the_plan() -> None:
    plan = shown(composite([{"startPeriod": 0}, {"startPeriod": 60, "limit": 1}, {"startPeriod": 90, "limit": 2}]))
    assert plan == Plan(
        WATT,
        (PlanPeriod(0, Decimal(1)), PlanPeriod(30, Decimal(2))),
        START + timedelta(minutes=6),
        840,
    )


def test_of_periods_that_began_before_the_start_the_last_one_counts() -> None:
    plan = shown(composite([{"startPeriod": -60, "limit": 1}, {"startPeriod": -5, "limit": 2}]))
    assert plan.periods == (PlanPeriod(0, Decimal(2)),)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (16.1, "16.1"),
        (Decimal("16.1"), "16.1"),
        ("16.1", "16.1"),
        (7, "7"),
        (-3.5, "0"),
        (1e300, str(MAX_LIMIT)),
        (Decimal("1E+999999999"), str(MAX_LIMIT)),
    ],
)
def test_limits_are_read_by_their_text(limit: JsonValue, expected: str) -> None:
    assert shown(composite([{"startPeriod": 0, "limit": limit}])).periods[0].limit == Decimal(expected)


@pytest.mark.parametrize("limit", [float("nan"), float("inf"), None, "", "1,5", [], {}])
def test_a_limit_that_is_no_number_is_skipped(limit: JsonValue) -> None:
    plan = shown(composite([{"startPeriod": 0, "limit": 5}, {"startPeriod": 60, "limit": limit}]))
    assert plan.periods == (PlanPeriod(0, Decimal(5)),)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(900, 900), (900.0, 900), ("900", 900), (0, None), (-1, None), (None, None), (2**40, None)],
)
def test_a_duration_that_says_nothing_is_left_open(duration: JsonValue, expected: int | None) -> None:
    assert shown(composite([{"startPeriod": 0, "limit": 1}], duration=duration)).duration == expected


def test_a_period_beyond_32_bits_never_begins() -> None:
    plan = shown(composite([{"startPeriod": 0, "limit": 1}, {"startPeriod": 2**31, "limit": 2}]))
    assert plan.periods == (PlanPeriod(0, Decimal(1)),)


def test_the_unit_is_the_answers_own() -> None:
    assert shown(composite([{"startPeriod": 0, "limit": 16}], chargingRateUnit="A")).unit is AMPERE


def test_a_rejected_answer_shows_no_schedule_whatever_it_carries() -> None:
    payload = {**composite([{"startPeriod": 0, "limit": 16}]), "status": "Rejected"}
    assert v16.answer(GET, payload, RECEIVED) == Done("Rejected")


# --- What the station can take


def told(keys: JsonValue) -> Capabilities:
    done = v16.answer(LEARN, {"configurationKey": keys, "unknownKey": []}, RECEIVED)
    assert (done.status, done.schedule) == ("Accepted", None)
    assert done.capabilities is not None
    return done.capabilities


def key(name: str, value: JsonValue) -> JsonObject:
    return {"key": name, "readonly": True, "value": value}


def test_only_the_keys_of_smart_charging_are_asked_for() -> None:
    assert sent(command(LEARN)) == (
        "GetConfiguration",
        {
            "key": [
                "ChargingScheduleAllowedChargingRateUnit",
                "ChargingScheduleMaxPeriods",
                "ChargeProfileMaxStackLevel",
                "MaxChargingProfilesInstalled",
            ]
        },
    )


def test_a_station_tells_its_units_periods_and_stack_levels() -> None:
    said = told(
        [
            key("ChargeProfileMaxStackLevel", "8"),
            key("ChargingScheduleAllowedChargingRateUnit", "Current,Power"),
            key("ChargingScheduleMaxPeriods", "24"),
            key("MaxChargingProfilesInstalled", "10"),
        ]
    )
    assert said == Capabilities(frozenset({WATT, AMPERE}), max_periods=24, max_stack_level=8)


@pytest.mark.parametrize(
    ("value", "units"),
    [
        ("Current", {AMPERE}),
        ("Power", {WATT}),
        ("current, power", {AMPERE, WATT}),
        ("Power;Current", {AMPERE, WATT}),
        (" W ", {WATT}),
        ("A", {AMPERE}),
        ("[A,W]", {AMPERE, WATT}),
        ("Current,kW", {AMPERE}),
        ("kW", None),
        ("", None),
        (None, None),
        (7, None),
        (["Current"], None),
    ],
)
def test_the_units_are_read_as_the_field_writes_them(value: JsonValue, units: set[RateUnit] | None) -> None:
    said = told([key("ChargingScheduleAllowedChargingRateUnit", value)])
    assert said.allowed_units == (None if units is None else frozenset(units))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1", 1),
        (" 24 ", 24),
        (24, 24),
        (24.0, 24),
        ("0", None),
        ("-1", None),
        ("2.5", None),
        ("many", None),
        (True, None),
        (None, None),
        ("9" * 30, None),
        ("1E-999999999", None),
    ],
)
def test_a_number_of_periods_that_is_none_is_not_said(value: JsonValue, number: int | None) -> None:
    assert told([key("ChargingScheduleMaxPeriods", value)]).max_periods == number


def test_stack_levels_begin_at_zero() -> None:
    assert told([key("ChargeProfileMaxStackLevel", "0")]).max_stack_level == 0


@pytest.mark.parametrize(("room", "smart_charging"), [("0", False), ("1", None), (None, None)])
def test_a_station_without_room_for_a_profile_takes_none(room: str | None, smart_charging: bool | None) -> None:
    assert told([key("MaxChargingProfilesInstalled", room)]).smart_charging is smart_charging


def test_keys_are_named_without_regard_to_case_and_the_first_of_two_counts() -> None:
    keys: JsonValue = [key("chargingschedulemaxperiods ", "6"), key("ChargingScheduleMaxPeriods", "7"), None, "key"]
    assert told(keys).max_periods == 6


@pytest.mark.parametrize(
    "payload",
    [
        {"unknownKey": ["ChargeProfileMaxStackLevel"]},
        {"configurationKey": [], "unknownKey": ["ChargeProfileMaxStackLevel"]},
        {},
    ],
)
def test_a_station_that_knows_none_of_the_keys_says_nothing(payload: JsonObject) -> None:
    assert v16.answer(LEARN, payload, RECEIVED) == Done("Accepted", capabilities=Capabilities())


@pytest.mark.parametrize("payload", [None, [], "Accepted", {"configurationKey": "all"}, {"status": 1}])
def test_an_answer_that_is_no_configuration_teaches_nothing(payload: JsonValue) -> None:
    done = v16.answer(LEARN, payload, RECEIVED)
    assert (done.status, done.capabilities) == (UNPARSEABLE, None)


def test_the_schema_check_of_these_tests_can_fail() -> None:
    _, payload = v16.request(command(SET, plan=Plan(WATT, (PlanPeriod(0, Decimal("8.15")),), START)))
    with pytest.raises(Exception, match=re.escape("8.15")):
        check_request(OcppVersion.V16, "SetChargingProfile", payload)
