"""What a CPO's day brings to a charging profile, at a charge point that none of us wrote, over the deployed stack."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.stations import Station
from tests.support.e2e_faults import paused, sweep
from tests.support.e2e_kirby import Charging, KirbySite, Metered, kirby_site, periods_of, profile_of
from tests.support.e2e_site import SOON, flat
from tests.support.e2e_waiting import eventually
from tools.charge_point import Car
from tools.counterparts.clock import utc_now
from tools.counterparts.json_types import as_object, as_text
from tools.counterparts.ocpp_json import Call
from tools.local_stack import LocalStack
from tools.partner_simulator import ResponseType, ResultType, watt_profile

SET, CLEAR, COMPOSITE = "SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule"
SITE_LIMIT = 11_000
# Rating of the station: 3 phases of 230 V and 32 A.
MAXIMUM = 22_080
ONE_PHASE = Car(phases=1)
# A partner's fail-safe time where nothing else was agreed on.
FAIL_SAFE = timedelta(hours=2)
# From the partner's PUT until the bridge has written the command; and what whole seconds leave out.
ON_THE_WAY = timedelta(seconds=30)


def schedule_of(command: Call) -> dict[str, object]:
    return as_object(profile_of(command).get("chargingSchedule"))


def limits_sent(command: Call) -> list[Decimal]:
    return [limit for _, limit in periods_of(profile_of(command))]


def end_of(command: Call) -> datetime:
    """When the profile of a SetChargingProfile ends by itself; raises KeyError for one that never does."""
    schedule = schedule_of(command)
    start = datetime.fromisoformat(as_text(schedule["startSchedule"]) or "")
    return start + timedelta(seconds=int(str(schedule["duration"])))


def capped(station: Station) -> Station:
    evses = tuple(replace(evse, cap_w=Decimal(SITE_LIMIT)) for evse in station.evses)
    return replace(station, evses=evses)


def in_ampere_only(station: Station) -> Station:
    return replace(station, allowed_units=frozenset({RateUnit.AMPERE}))


def limits_shown(place: KirbySite, connector: int = 1) -> list[Decimal]:
    return [limit for _, limit in place.shown(connector)]


def put_until_accepted(place: KirbySite, car: Charging, watts: int) -> None:
    """What the CPO or the station just told takes a moment to be known."""

    def accepted() -> bool:
        put = place.partner.bridge.put_profile(car.session_id, flat(watts))
        return put.result is ResponseType.ACCEPTED and put.wait_for_result(SOON).result is ResultType.ACCEPTED

    eventually(accepted, SOON, what="a PUT that is ACCEPTED")


# Limits beside the partner's plan


def test_a_limit_of_the_site_lowers_the_plan_and_the_partner_is_told(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()
        place.put(car, watt_profile([(0, Decimal(22_000)), (1800, Decimal(7_000))], start=utc_now()))

        place.csms.set_limit(place.station_id, Decimal(SITE_LIMIT))

        place.wait_until_told(car, [SITE_LIMIT, 7_000])
        assert place.metered().power == pytest.approx(SITE_LIMIT, abs=100)
        place.csms.clear_limit(place.station_id)
        place.wait_until_told(car, [22_000, 7_000])
        assert len(place.commands(SET)) == 2  # the partner's own, and the CPO's


def test_a_limit_that_nobody_reports_is_seen_in_what_the_charge_point_offers(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()
        place.put(car, flat(22_000))
        place.metered()

        place.csms.set_limit(place.station_id, Decimal(SITE_LIMIT), report=False)
        place.metered()

        place.wait_until_told(car, [SITE_LIMIT])


def test_a_site_limit_kept_as_a_default_profile_and_as_a_cap_is_never_passed(stack: LocalStack) -> None:
    with kirby_site(stack, change_station=capped) as place:
        place.csms.set_limit(
            place.station_id, Decimal(SITE_LIMIT), connector_id=1, purpose="TxDefaultProfile", report=False
        )
        car = place.arrive()

        place.put(car, watt_profile([(0, Decimal(22_000)), (1800, Decimal(7_000))], start=utc_now()))

        # A TxProfile overrules a TxDefaultProfile (OCPP 1.6, 3.13.1): what is sent must not lift the CPO's limit.
        assert limits_sent(place.commands(SET)[1]) == [SITE_LIMIT, 7_000]
        place.wait_until_told(car, [SITE_LIMIT, 7_000])
        assert place.active_profile(car) == [SITE_LIMIT, 7_000]
        assert place.metered().power == pytest.approx(SITE_LIMIT, abs=100)


def test_a_cap_that_the_cpo_sets_in_mid_session_is_kept_and_lifted(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()
        place.put(car, flat(22_000))

        place.csms.tell("cap.changed", place.station_id, connector_id=1, data={"cap_w": SITE_LIMIT})
        assert limits_sent(place.wait_for_command(SET, 2)) == [SITE_LIMIT]
        place.wait_until_told(car, [SITE_LIMIT])
        place.csms.tell("cap.changed", place.station_id, connector_id=1, data={"cap_w": None})

        assert limits_sent(place.wait_for_command(SET, 3)) == [22_000]
        place.wait_until_told(car, [22_000])


# What becomes of a plan when its charge point goes away


def test_after_a_power_cut_a_lost_plan_is_sent_again_once(stack: LocalStack, tmp_path: Path) -> None:
    with kirby_site(stack, state_directory=tmp_path) as place:
        car = place.arrive()
        place.put(car, flat(9_000))
        assert place.metered().power == pytest.approx(9_000, abs=100)

        place.charge_point.power_cycle(loses_profiles=True)
        assert place.charge_point.connector().transaction_id == car.transaction_id

        assert limits_sent(place.wait_for_command(SET, 2)) == [9_000]
        place.swept(lambda: limits_shown(place) == [9_000], "the plan at the charge point")
        assert place.metered().power == pytest.approx(9_000, abs=100)
        place.wait_until_settled(car.session_id)
        assert len(place.commands(SET)) == 2


def test_after_a_power_cut_a_plan_that_was_kept_is_not_sent_again(stack: LocalStack, tmp_path: Path) -> None:
    with kirby_site(stack, state_directory=tmp_path) as place:
        car = place.arrive()
        place.put(car, flat(9_000))

        place.charge_point.power_cycle()

        # Whoever is back is asked what it follows; that is the plan, so there is nothing to do or to tell.
        place.wait_for_command(COMPOSITE)
        place.wait_until_settled(car.session_id)
        sweep(stack)
        assert len(place.commands(SET)) == 1
        assert limits_shown(place) == [9_000]


def test_a_soft_reset_ends_the_session_and_the_next_one_starts_without_its_plan(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()
        place.put(car, flat(9_000))

        # This charge point stops its transactions at a reset, as OCPP 1.6 has it (5.14), and boots then.
        place.csms.call(place.station_id, "Reset", {"type": "Soft"})

        assert place.csms.wait_for_transaction_end(car.transaction_id, SOON).stop_reason == "SoftReset"
        place.wait_for_end(car)
        place.charge_point.wait_for_connector(1, lambda one: one.status == "Available", SOON)
        again = place.arrive()
        assert again.session_id != car.session_id
        place.wait_for_command(CLEAR)
        assert limits_shown(place) == []
        assert len(place.commands(SET)) == 1


def test_a_station_known_to_be_offline_is_rejected_at_once(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()
        place.charge_point.disconnect()
        place.items.wait_for_station(place.csms.csms_id, place.station_id, online=False, timeout=SOON)

        put = place.partner.bridge.put_profile(car.session_id, flat(7_000))

        assert put.result is ResponseType.REJECTED


def test_a_station_that_went_offline_unseen_is_rejected_in_time_and_gets_nothing_later(stack: LocalStack) -> None:
    with kirby_site(stack, timeout=30) as place:
        car = place.arrive()
        assert place.csms.flush_events(SOON)
        with paused(stack, "ingest_csms_events"):
            place.charge_point.disconnect()

            put = place.partner.bridge.put_profile(car.session_id, flat(7_000))

            assert put.result is ResponseType.ACCEPTED
            # The simulator notes a violation for a result that comes after the announced timeout.
            assert put.wait_for_result(SOON).result is ResultType.REJECTED
        place.charge_point.connect()
        place.items.wait_for_station(place.csms.csms_id, place.station_id, online=True, timeout=SOON)
        sweep(stack)
        place.wait_until_settled(car.session_id)
        assert place.commands(SET) == []
        assert limits_shown(place) == []


# Which car


def test_two_cars_on_two_connectors_are_never_mixed_up(stack: LocalStack) -> None:
    with kirby_site(stack, connectors=2) as place:
        first, second = place.arrive(connector=1), place.arrive(ONE_PHASE, connector=2)
        place.metered(2)

        place.put(first, flat(9_000))
        place.put(second, flat(6_000))

        assert {profile_of(command)["transactionId"]: limits_sent(command) for command in place.commands(SET)} == {
            first.transaction_id: [9_000],
            second.transaction_id: [6_000],
        }
        assert [limits_shown(place, 1), limits_shown(place, 2)] == [[9_000], [6_000]]
        assert place.metered(2).power == pytest.approx(6_000, abs=30)
        delete = place.partner.bridge.delete_profile(first.session_id)
        assert delete.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert [limits_shown(place, 1), limits_shown(place, 2)] == [[], [6_000]]
        place.leave(first)
        assert place.active_profile(second) == [6_000]


def test_a_plan_is_cleared_once_when_its_transaction_ends_and_the_next_car_sees_nothing_of_it(
    stack: LocalStack,
) -> None:
    with kirby_site(stack) as place:
        first = place.arrive()
        place.put(first, flat(7_000))
        [sent] = place.commands(SET)

        place.leave(first)

        assert place.wait_for_command(CLEAR).payload == {"id": profile_of(sent)["chargingProfileId"]}
        second = place.arrive()
        assert limits_shown(place) == []
        assert place.metered() == Metered(MAXIMUM, (32, 32, 32), 32)
        assert place.active_profile(second) == [MAXIMUM]
        sweep(stack)
        place.wait_until_settled(first.session_id)
        assert (len(place.commands(CLEAR)), len(place.commands(SET))) == (1, 1)


# What the charge point and the car can take


def test_a_charger_that_takes_only_amperes_follows_a_plan_in_watts(stack: LocalStack) -> None:
    with kirby_site(stack, units=("A",), change_station=in_ampere_only) as place:
        car = place.arrive()

        place.put(car, watt_profile([(0, Decimal(11_040)), (1800, Decimal(6_900))], start=utc_now()))

        [sent] = place.commands(SET)
        assert schedule_of(sent)["chargingRateUnit"] == "A"
        assert limits_sent(sent) == [16, 10]
        assert place.metered() == Metered(11_040, (16, 16, 16), 16)
        # The partner speaks W, whatever its charger does.
        assert place.active_profile(car) == [11_040, 6_900]


def test_that_a_charger_takes_only_amperes_is_learned_from_itself(stack: LocalStack) -> None:
    with kirby_site(stack, units=("A",)) as place:
        car = place.arrive()
        place.charge_point.wait_for("GetConfiguration", SOON)

        put_until_accepted(place, car, 11_040)

        assert schedule_of(place.commands(SET)[-1])["chargingRateUnit"] == "A"
        assert place.metered() == Metered(11_040, (16, 16, 16), 16)


@pytest.mark.parametrize("units", [None, ("A",)], ids=["W", "A"])
def test_a_one_phase_car_gets_the_full_power_and_after_a_pause_again(
    stack: LocalStack, units: tuple[str, ...] | None
) -> None:
    change = in_ampere_only if units else lambda station: station
    with kirby_site(stack, units=units, change_station=change) as place:
        car = place.arrive(ONE_PHASE)
        assert place.metered().currents == (32, 0, 0)

        place.put(car, flat(3_680))
        before = place.metered()
        place.put(car, flat(0))
        place.charge_point.wait_for_connector(1, lambda one: one.status == "SuspendedEVSE", SOON)
        meanwhile = place.metered()
        place.put(car, flat(3_680))
        place.charge_point.wait_for_connector(1, lambda one: one.status == "Charging", SOON)

        assert before == Metered(3_680, (16, 0, 0), 16)
        assert meanwhile == Metered(0, (0, 0, 0), 0)
        assert place.metered() == before


def test_a_plan_is_sent_again_when_the_car_turns_out_to_use_one_phase(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive(ONE_PHASE)
        place.put(car, flat(6_900))

        # Nobody knows the car yet, so the plan counts on three phases, and the car gets a third of it.
        assert place.metered() == Metered(2_300, (10, 0, 0), 10)

        place.wait_for_command(SET, 2)
        eventually(lambda: place.metered().power == 6_900, SOON, what="the full power")


# Nobody stays paused


def test_a_car_charges_again_when_its_partner_falls_silent_after_a_pause(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()
        began = utc_now()
        place.put(car, watt_profile([(0, Decimal(11_000)), (1800, Decimal(0))], start=began))

        [sent] = place.commands(SET)
        assert abs(end_of(sent) - (began + timedelta(seconds=1800) + FAIL_SAFE)) <= ON_THE_WAY
        place.charge_point.move_clock(timedelta(minutes=31))
        place.charge_point.wait_for_connector(1, lambda one: one.status == "SuspendedEVSE", SOON)
        place.charge_point.move_clock(FAIL_SAFE)

        place.charge_point.wait_for_connector(1, lambda one: one.status == "Charging", SOON)
        assert limits_shown(place) == []


def test_a_plan_that_does_not_end_in_a_pause_has_no_end_of_its_own(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()

        place.put(car, watt_profile([(0, Decimal(0)), (1800, Decimal(11_000))], start=utc_now()))

        [sent] = place.commands(SET)
        assert "duration" not in schedule_of(sent)


# The CPO takes over


def test_the_cpo_takes_its_station_back_and_gives_it_away_again(stack: LocalStack) -> None:
    with kirby_site(stack) as place:
        car = place.arrive()
        place.put(car, flat(7_000))

        place.csms.tell("steering.suspended", place.station_id)

        place.wait_for_command(CLEAR)
        place.wait_until_told(car, [MAXIMUM])
        assert place.metered().power == MAXIMUM
        assert place.partner.bridge.put_profile(car.session_id, flat(5_000)).result is ResponseType.REJECTED
        place.csms.tell("steering.resumed", place.station_id)
        put_until_accepted(place, car, 8_000)
        assert limits_shown(place) == [8_000]
