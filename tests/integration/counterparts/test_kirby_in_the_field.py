"""The third-party charge point as charge points in the field are: cars that draw what they may, units, power cuts."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tools.charge_point import Car, ChargePoint
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, as_list, as_object
from tools.demo_csms import DemoCsms, Direction

pytestmark = pytest.mark.integration

STATION = "CP-001"
PROFILE_ID = 4000
# Generous: a test that passes never waits so long.
SECONDS = 20.0
ONE_PHASE, THREE_PHASES = Car(phases=1), Car(phases=3)


@pytest.fixture
def csms() -> Iterator[DemoCsms]:
    with DemoCsms() as csms:
        yield csms


@pytest.fixture
def station(csms: DemoCsms) -> Iterator[ChargePoint]:
    with ChargePoint(csms.ocpp_url, STATION) as station:
        station.wait_until_booted()
        yield station


def charging(station: ChargePoint, car: Car) -> int:
    station.plug_in(1, car)
    return station.start_transaction()


def set_limit(
    csms: DemoCsms,
    transaction_id: int,
    limit: int,
    *,
    unit: str = "W",
    phases: int | None = None,
    duration: int | None = None,
) -> str:
    period: JsonObject = {"startPeriod": 0, "limit": limit}
    schedule: JsonObject = {
        "startSchedule": write_datetime(utc_now()),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [period if phases is None else {**period, "numberPhases": phases}],
    }
    if duration is not None:
        schedule["duration"] = duration
    profile: JsonObject = {
        "chargingProfileId": PROFILE_ID,
        "transactionId": transaction_id,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    answer = csms.call(STATION, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})
    return str(answer["status"])


def metered(csms: DemoCsms, station: ChargePoint) -> tuple[float, list[float], float]:
    """Power (W), current per phase and current offered (A), as the CSMS read them off the next MeterValues."""
    mark = csms.events.mark()
    station.send_meter_values(1)
    event = csms.events.wait_for(lambda one: "power_w" in as_object(one["data"]), SECONDS, since=mark)
    data = as_object(event["data"])
    currents = [float(str(current)) for current in as_list(data["current_a"])]
    return float(str(data["power_w"])), currents, float(str(data["offered_a"]))


def shown(csms: DemoCsms) -> JsonObject:
    return csms.call(STATION, "GetCompositeSchedule", {"connectorId": 1, "duration": 900})


def test_without_a_limit_a_car_draws_the_most_it_can(csms: DemoCsms, station: ChargePoint) -> None:
    charging(station, ONE_PHASE)

    assert metered(csms, station) == (7360, [32, 0, 0], 32)


@pytest.mark.parametrize(
    ("car", "unit", "limit", "phases", "power", "currents"),
    [
        # What OCPP means by a limit in W without numberPhases: three phases, whatever the car uses.
        (ONE_PHASE, "W", 6900, None, 2300, [10, 0, 0]),
        (ONE_PHASE, "W", 6900, 1, 6900, [30, 0, 0]),
        (ONE_PHASE, "A", 16, None, 3680, [16, 0, 0]),
        (THREE_PHASES, "W", 11040, None, 11040, [16, 16, 16]),
        (THREE_PHASES, "A", 16, None, 11040, [16, 16, 16]),
        (Car(phases=1, ampere=16), "W", 6900, 1, 3680, [16, 0, 0]),
        (THREE_PHASES, "W", 4000, None, 0, [0, 0, 0]),
    ],
    ids=[
        "a third of it on one phase",
        "all of it on one phase",
        "A on one phase",
        "W on three phases",
        "A on three phases",
        "no more than the car can take",
        "nothing below 6 A",
    ],
)
def test_a_car_draws_what_its_limit_leaves_it(
    csms: DemoCsms,
    station: ChargePoint,
    car: Car,
    unit: str,
    limit: int,
    phases: int | None,
    power: int,
    currents: list[int],
) -> None:
    set_limit(csms, charging(station, car), limit, unit=unit, phases=phases)

    drawn, by_phase, _ = metered(csms, station)

    assert (drawn, by_phase) == (power, currents)


def test_the_lower_limit_counts_in_whatever_unit_it_is(csms: DemoCsms, station: ChargePoint) -> None:
    set_limit(csms, charging(station, THREE_PHASES), 16, unit="A")
    csms.set_limit(STATION, Decimal(6900))

    assert metered(csms, station) == (6900, [10, 10, 10], 10)


def wait_for_charging_state(csms: DemoCsms, state: str, since: int) -> None:
    csms.events.wait_for(lambda one: as_object(one["data"]).get("charging_state") == state, SECONDS, since=since)


def test_a_pause_and_its_end_are_told(csms: DemoCsms, station: ChargePoint) -> None:
    transaction_id = charging(station, THREE_PHASES)
    mark = csms.events.mark()

    set_limit(csms, transaction_id, 0)
    wait_for_charging_state(csms, "SuspendedEVSE", mark)
    paused = metered(csms, station)
    mark = csms.events.mark()
    set_limit(csms, transaction_id, 11040)

    wait_for_charging_state(csms, "Charging", mark)
    assert [paused, metered(csms, station)] == [(0, [0, 0, 0], 0), (11040, [16, 16, 16], 16)]


def test_a_profile_ends_when_the_clock_has_come_so_far(csms: DemoCsms, station: ChargePoint) -> None:
    set_limit(csms, charging(station, ONE_PHASE), 0, duration=7200)

    station.move_clock(timedelta(hours=2) - timedelta(minutes=1))
    before = station.connector().status
    station.move_clock(timedelta(minutes=2))

    assert before == "SuspendedEVSE"
    station.wait_for_connector(1, lambda one: one.status == "Charging", SECONDS)
    assert shown(csms) == {"status": "Rejected"}
    assert metered(csms, station) == (7360, [32, 0, 0], 32)


def test_the_clock_shows_in_what_the_station_sends(csms: DemoCsms, station: ChargePoint) -> None:
    charging(station, ONE_PHASE)
    station.move_clock(timedelta(hours=3))
    mark = csms.mark()

    station.send_meter_values(1)

    frame = csms.wait_for_frame(STATION, "MeterValues", timeout=SECONDS, calls_only=True, since=mark)
    [value] = as_list(frame.payload["meterValue"])
    assert str(as_object(value)["timestamp"]) > write_datetime(utc_now() + timedelta(hours=2))


def test_a_unit_that_the_station_does_not_take_is_rejected(csms: DemoCsms) -> None:
    with ChargePoint(csms.ocpp_url, STATION, units=["A"]) as station:
        station.wait_until_booted()
        transaction_id = charging(station, ONE_PHASE)

        assert set_limit(csms, transaction_id, 3680) == "Rejected"
        assert shown(csms) == {"status": "Rejected"}
        assert set_limit(csms, transaction_id, 16, unit="A") == "Accepted"

        asked: JsonObject = {"key": ["ChargingScheduleAllowedChargingRateUnit"]}
        [told] = as_list(csms.call(STATION, "GetConfiguration", asked)["configurationKey"])
        assert as_object(told)["value"] == "Current"


def test_a_default_profile_of_the_cpo_stays_the_upper_bound(csms: DemoCsms, station: ChargePoint) -> None:
    # Not what OCPP 1.6 says in 3.13.1, where a TxProfile overrules it: so this charge point cannot show what it lifts.
    csms.set_limit(STATION, Decimal(11000), connector_id=1, purpose="TxDefaultProfile")

    set_limit(csms, charging(station, THREE_PHASES), 22000)

    schedule = as_object(shown(csms)["chargingSchedule"])
    assert [as_object(period)["limit"] for period in as_list(schedule["chargingSchedulePeriod"])] == [11000]


def test_two_cars_draw_each_its_own(csms: DemoCsms) -> None:
    with ChargePoint(csms.ocpp_url, STATION, connectors=2) as station:
        station.wait_until_booted()
        first = charging(station, THREE_PHASES)
        station.plug_in(2, ONE_PHASE)
        station.start_transaction(2)
        set_limit(csms, first, 0)
        station.wait_for_connector(1, lambda one: one.status == "SuspendedEVSE", SECONDS)
        mark = csms.events.mark()

        station.send_meter_values(2)

        event = csms.events.wait_for(lambda one: "power_w" in as_object(one["data"]), SECONDS, since=mark)
        assert (event["connector_id"], as_object(event["data"])["power_w"]) == (2, 7360)
        assert station.connector(2).status == "Charging"


@pytest.mark.parametrize("loses_profiles", [False, True])
def test_a_transaction_survives_a_power_cut_and_its_profile_if_it_is_kept(
    csms: DemoCsms, tmp_path: Path, loses_profiles: bool
) -> None:
    with ChargePoint(csms.ocpp_url, STATION, state_directory=tmp_path) as station:
        station.wait_until_booted()
        transaction_id = charging(station, THREE_PHASES)
        set_limit(csms, transaction_id, 6900)
        mark = csms.events.mark()

        station.power_cycle(loses_profiles=loses_profiles)

        assert station.connector().transaction_id == transaction_id
        csms.events.wait_for(lambda one: one["type"] == "station.booted", SECONDS, since=mark)
        running = csms.events.wait_for(lambda one: one["type"] == "transaction.updated", SECONDS, since=mark)
        assert running["transaction_id"] == str(transaction_id)
        assert metered(csms, station)[0] == (22080 if loses_profiles else 6900)


def test_without_a_state_directory_a_power_cut_ends_everything(csms: DemoCsms, station: ChargePoint) -> None:
    charging(station, THREE_PHASES)

    station.power_cycle()

    station.wait_for_connector(1, lambda one: one.transaction_id is None and one.status == "Available", SECONDS)


def test_no_frame_of_a_car_breaks_its_schema(csms: DemoCsms, station: ChargePoint) -> None:
    set_limit(csms, charging(station, ONE_PHASE), 3700, phases=1)
    station.send_meter_values(1)
    station.stop_transaction(1)

    assert [frame for frame in csms.frames() if frame.problem] == []
    [stop] = csms.frames(STATION, "StopTransaction", direction=Direction.FROM_STATION, calls_only=True)
    assert len(as_list(stop.payload["transactionData"])) == 1
