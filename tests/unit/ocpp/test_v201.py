from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Capabilities, OcppVersion, PowerType, Quirk
from ocpi_bridge.ocpp import v201
from ocpi_bridge.ocpp.responses import MAX_DETAIL_LENGTH, UNPARSEABLE
from ocpi_bridge.ports.charge_points import ChargerCommand, Done
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tests.support.ocpp_frames import check_request, fixture, on_the_wire
from tests.support.outlets import command, outlet

SET, CLEAR, GET, LEARN = RequestKind.SET, RequestKind.CLEAR, RequestKind.GET, RequestKind.LEARN
WATT, AMPERE = RateUnit.WATT, RateUnit.AMPERE
START = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
RECEIVED = datetime(2026, 1, 15, 17, 5, 3, tzinfo=UTC)
TRANSACTION = "c2b6a6f2-0d0e-4f39-9f0b-4a5c1b8f0a01"

THREE_PERIODS = Plan(
    WATT,
    (PlanPeriod(0, Decimal(11040)), PlanPeriod(1800, Decimal(0)), PlanPeriod(3600, Decimal(7360))),
    START,
    7200,
    Decimal(1380),
)
ONE_PERIOD = Plan(AMPERE, (PlanPeriod(0, Decimal(10)),))


def sent(asked: ChargerCommand) -> tuple[str, JsonObject]:
    action, payload = v201.request(asked)
    check_request(OcppVersion.V201, action, payload)
    return action, on_the_wire(payload)


def test_a_plan_becomes_a_profile_of_the_transaction() -> None:
    assert sent(command(SET, plan=THREE_PERIODS, transaction_id=TRANSACTION)) == (
        "SetChargingProfile",
        fixture("v201_SetChargingProfileRequest_absolute_W"),
    )


def test_a_relative_plan_has_no_start() -> None:
    assert sent(command(SET, plan=ONE_PERIOD, transaction_id=TRANSACTION)) == (
        "SetChargingProfile",
        fixture("v201_SetChargingProfileRequest_relative_A"),
    )


def test_a_profile_is_cleared_by_its_id_and_nothing_else() -> None:
    assert sent(command(CLEAR)) == ("ClearChargingProfile", fixture("v201_ClearChargingProfileRequest"))


def test_the_composite_schedule_is_asked_of_the_evse() -> None:
    asked = command(GET, duration=900, unit=WATT)
    assert sent(asked) == ("GetCompositeSchedule", fixture("v201_GetCompositeScheduleRequest"))


def test_without_a_unit_the_station_chooses() -> None:
    assert sent(command(GET, duration=900))[1] == {"evseId": 1, "duration": 900}


def test_the_evse_is_addressed_by_its_own_number() -> None:
    at = outlet(ocpp_connector_id=1, ocpp_evse_id=7)
    assert sent(command(GET, at, duration=60))[1]["evseId"] == 7
    assert sent(command(SET, at, plan=ONE_PERIOD))[1]["evseId"] == 7


def phases_sent(asked: ChargerCommand) -> JsonValue:
    profile = cast("JsonObject", sent(asked)[1]["chargingProfile"])
    schedules = cast("list[JsonObject]", profile["chargingSchedule"])
    periods = cast("list[JsonObject]", schedules[0]["chargingSchedulePeriod"])
    return periods[0].get("numberPhases")


@pytest.mark.parametrize(
    ("power_type", "phases", "number"),
    [(PowerType.AC_3_PHASE, None, None), (PowerType.AC_3_PHASE, 1, 1), (PowerType.DC, 1, None)],
)
def test_dc_has_no_number_of_phases(power_type: PowerType, phases: int | None, number: int | None) -> None:
    assert phases_sent(command(SET, outlet(power_type), plan=ONE_PERIOD, phases=phases)) == number


def test_a_station_that_refuses_the_number_of_phases_is_never_sent_it() -> None:
    at = outlet(quirks=frozenset({Quirk.NO_NUMBER_PHASES}))
    assert phases_sent(command(SET, at, plan=ONE_PERIOD, phases=1)) is None


@pytest.mark.parametrize("transaction_id", ["", "x" * 37])
def test_a_transaction_id_that_ocpp_cannot_carry_is_refused_before_anything_is_sent(transaction_id: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        v201.request(command(SET, plan=ONE_PERIOD, transaction_id=transaction_id))
    assert refused.value.field == "transaction_id"


@pytest.mark.parametrize(
    "asked",
    [command(SET, outlet(ocpp_evse_id=0), plan=ONE_PERIOD), command(GET, outlet(ocpp_evse_id=0), duration=900)],
)
def test_the_whole_station_is_never_addressed(asked: ChargerCommand) -> None:
    with pytest.raises(InvalidInput, match="ocpp_evse_id"):
        v201.request(asked)


def test_a_command_without_its_content_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="plan"):
        v201.request(command(SET))
    with pytest.raises(ValueError, match="duration"):
        v201.request(command(GET))


@pytest.mark.parametrize("kind", list(RequestKind))
@pytest.mark.parametrize("payload", [None, [], {}, {"status": 3}])
def test_an_answer_without_a_status_is_unparseable(kind: RequestKind, payload: JsonValue) -> None:
    assert v201.answer(kind, payload, RECEIVED).status == UNPARSEABLE


@pytest.mark.parametrize(
    ("info", "detail"),
    [
        ({"reasonCode": "InvalidProfile"}, "InvalidProfile"),
        ({"reasonCode": "TxNotFound", "additionalInfo": "ended"}, "TxNotFound: ended"),
        ({"additionalInfo": "x" * 1000}, "x" * MAX_DETAIL_LENGTH),
        ({"reasonCode": 7}, ""),
        ("InvalidProfile", ""),
        (None, ""),
    ],
)
def test_the_stations_reason_is_the_detail(info: JsonValue, detail: str) -> None:
    assert v201.answer(SET, {"status": "Rejected", "statusInfo": info}, RECEIVED) == Done("Rejected", detail=detail)


def test_a_composite_schedule_is_read_with_its_start_and_unit() -> None:
    done = v201.answer(GET, fixture("v201_GetCompositeScheduleResponse"), RECEIVED)
    expected = Plan(
        WATT, (PlanPeriod(0, Decimal(11040)), PlanPeriod(600, Decimal(5520))), START + timedelta(minutes=5), 900
    )
    assert done == Done("Accepted", expected)


def test_a_schedule_without_a_start_begins_on_receipt() -> None:
    schedule: JsonObject = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}
    done = v201.answer(GET, {"status": "Accepted", "schedule": schedule}, RECEIVED)
    assert done == Done("Accepted", Plan(AMPERE, (PlanPeriod(0, Decimal(16)),), RECEIVED))


@pytest.mark.parametrize("payload", [{"status": "Accepted"}, {"status": "Accepted", "schedule": None}])
def test_accepted_without_a_schedule_shows_none(payload: JsonObject) -> None:
    assert v201.answer(GET, payload, RECEIVED) == Done("Accepted")


def test_a_schedule_of_setpoints_only_is_not_taken_for_none() -> None:
    schedule: JsonObject = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "setpoint": 5000}]}
    assert v201.answer(GET, {"status": "Accepted", "schedule": schedule}, RECEIVED).status == UNPARSEABLE


# --- What the station can take


def variable(
    name: str, value: JsonValue, status: str = "Accepted", component: str = "SmartChargingCtrlr"
) -> JsonObject:
    answered: dict[str, JsonValue] = {"component": {"name": component}, "variable": {"name": name}}
    return {**answered, "attributeStatus": status, "attributeValue": value}


def told(*results: JsonValue) -> Capabilities:
    done = v201.answer(LEARN, {"getVariableResult": list(results)}, RECEIVED)
    assert (done.status, done.schedule) == ("Accepted", None)
    assert done.capabilities is not None
    return done.capabilities


def test_only_the_variables_of_smart_charging_are_asked_for() -> None:
    action, payload = sent(command(LEARN))
    asked = cast("list[JsonObject]", payload["getVariableData"])
    assert action == "GetVariables"
    assert {str(cast("JsonObject", each["component"])["name"]) for each in asked} == {"SmartChargingCtrlr"}
    assert [cast("JsonObject", each["variable"])["name"] for each in asked] == [
        "Enabled",
        "Available",
        "RateUnit",
        "PeriodsPerSchedule",
        "ProfileStackLevel",
    ]


def test_a_station_tells_its_units_periods_and_stack_levels() -> None:
    said = told(
        variable("Enabled", "true"),
        variable("Available", "true"),
        variable("RateUnit", "A,W"),
        variable("PeriodsPerSchedule", "24"),
        variable("ProfileStackLevel", "8"),
    )
    assert said == Capabilities(frozenset({WATT, AMPERE}), max_periods=24, max_stack_level=8, smart_charging=True)


@pytest.mark.parametrize(
    ("enabled", "available", "smart_charging"),
    [
        ("true", "true", True),
        ("True", None, True),
        (None, True, True),
        ("false", "true", False),
        ("true", " False ", False),
        (None, None, None),
        ("yes", 1, None),
    ],
)
def test_smart_charging_that_is_not_available_or_not_enabled_takes_no_profile(
    enabled: JsonValue, available: JsonValue, smart_charging: bool | None
) -> None:
    assert told(variable("Enabled", enabled), variable("Available", available)).smart_charging is smart_charging


def test_only_accepted_variables_of_smart_charging_count() -> None:
    said = told(
        variable("Enabled", "false", component="ReservationCtrlr"),
        variable("RateUnit", "A", status="NotSupportedAttributeType"),
        variable("PeriodsPerSchedule", None, status="UnknownVariable"),
        {"attributeStatus": "Accepted", "attributeValue": "1"},
        {"attributeStatus": "Accepted", "component": "SmartChargingCtrlr", "variable": "PeriodsPerSchedule"},
        None,
    )
    assert said == Capabilities()


def test_names_of_the_device_model_have_no_case() -> None:
    assert told(variable("periodsperschedule", 12, component="smartChargingCtrlr")).max_periods == 12


@pytest.mark.parametrize("payload", [None, {}, {"getVariableResult": "all"}, {"status": " "}])
def test_an_answer_that_is_no_list_of_variables_teaches_nothing(payload: JsonValue) -> None:
    done = v201.answer(LEARN, payload, RECEIVED)
    assert (done.status, done.capabilities) == (UNPARSEABLE, None)
