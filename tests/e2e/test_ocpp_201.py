"""Stations of OCPP 2.0.1, whose CSMS reports their transactions: the same job in the other protocol."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from ocpi_bridge.domain.stations import Csms, OcppVersion, Replacement
from tests.support.e2e_site import SOON, flat, sent_frames, site_name, site_world, sites_station
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, as_list, as_object
from tools.demo.world import DRIVER_TAG, World
from tools.demo_csms import FakeStation201, RecordedFrame
from tools.local_stack import LocalStack
from tools.partner_simulator import Exchange, ResultType, guide_profile
from tools.partner_simulator.plans import GUIDE_PERIODS

TWO_HOURS = 7200
# Half of it is the bridge's own deadline.
TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class Charging:
    """A car that charges at a 2.0.1 station."""

    world: World
    station: FakeStation201
    session_id: str
    transaction_id: str

    def report(self, kind: str, data: JsonObject) -> None:
        event: JsonObject = {
            "id": str(uuid.uuid4()),
            "type": f"transaction.{kind}",
            "time": write_datetime(utc_now()),
            "csms": self.world.csms_id,
            "station_id": self.station.station_id,
            "evse_id": 1,
            "connector_id": 1,
            "transaction_id": self.transaction_id,
            "data": data,
        }
        self.world.csms.report(event)

    def commands(self) -> list[RecordedFrame]:
        return sent_frames(self.world.csms, self.station.station_id)


@contextmanager
def charging(
    stack: LocalStack,
    *,
    script: Callable[[str, JsonObject], None] | None = None,
    replaces_same_id: bool = True,
    change_csms: Callable[[Csms], Csms] = lambda csms: csms,
    timeout: int = TIMEOUT,
) -> Iterator[Charging]:
    name, transaction_id = site_name(), str(uuid.uuid4())
    registered = replace(sites_station(name), ocpp_version=OcppVersion.V201)
    with site_world(stack, name, [registered], timeout=timeout, change_csms=change_csms) as world:
        station = world.csms.add_station_201(
            FakeStation201(
                registered.station_id,
                transactions={1: transaction_id},
                script=script,
                replaces_same_id=replaces_same_id,
            )
        )
        car = Charging(world, station, "", transaction_id)
        car.report("started", {"id_token": {"uid": DRIVER_TAG}, "meter_wh": 1000, "charging_state": "Charging"})
        session = world.partner.wait_for_session(lambda _: True, SOON)
        yield replace(car, session_id=session.id)
        assert world.partner.violations() == []
        assert [frame for frame in world.csms.frames(station.station_id) if frame.problem] == []


@pytest.fixture(scope="module", autouse=True)
def silent(stack: LocalStack) -> Iterator[tuple[Charging, Exchange]]:
    """A request to a silent station, sent before all else: it takes as long as the deadline."""
    with charging(stack, script=lambda _action, _payload: None, timeout=TIMEOUT) as car:
        yield car, car.world.partner.bridge.put_profile(car.session_id, flat(7000))


def test_the_guides_profile_goes_to_a_201_station_and_back(stack: LocalStack) -> None:
    with charging(stack) as car:
        bridge = car.world.partner.bridge
        put = bridge.put_profile(car.session_id, guide_profile(utc_now()))
        assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
        (profile,) = car.station.profiles
        (schedule,) = [as_object(one) for one in as_list(profile["chargingSchedule"])]
        assert (profile["chargingProfilePurpose"], profile["transactionId"]) == ("TxProfile", car.transaction_id)
        assert [as_object(one)["limit"] for one in as_list(schedule["chargingSchedulePeriod"])] == [
            limit for _, limit in GUIDE_PERIODS
        ]

        get = bridge.get_active_profile(car.session_id, TWO_HOURS)

        active = get.wait_for_result(SOON).profile
        assert active is not None
        limits = [period.limit for period in active.charging_profile.charging_profile_period or []]
        assert limits == [limit for _, limit in GUIDE_PERIODS]

        delete = bridge.delete_profile(car.session_id)

        assert delete.wait_for_result(SOON).result is ResultType.ACCEPTED
        assert car.station.profiles == []
        again = bridge.delete_profile(car.session_id)
        assert again.wait_for_result(SOON).result is ResultType.UNKNOWN


def test_a_201_session_ends_at_the_partner(stack: LocalStack) -> None:
    with charging(stack) as car:
        car.station.end_transaction(1)
        car.report("ended", {"meter_wh": 4000, "stop_reason": "EVDisconnected"})

        ended = car.world.partner.wait_for_session(lambda one: one.status == "COMPLETED", SOON)

        assert ended.kwh == Decimal(3)


def test_a_transaction_that_the_csms_does_not_know_any_more_means_rejected(stack: LocalStack) -> None:
    with charging(stack) as car:
        car.station.end_transaction(1)

        put = car.world.partner.bridge.put_profile(car.session_id, flat(7000))

        assert put.wait_for_result(SOON).result is ResultType.REJECTED
        assert car.commands() == []


def test_where_a_csms_refuses_to_replace_the_old_profile_is_cleared_first(stack: LocalStack) -> None:
    def clears_first(csms: Csms) -> Csms:
        return replace(csms, replacement=Replacement.CLEAR_THEN_SET)

    with charging(stack, replaces_same_id=False, change_csms=clears_first) as car:
        for watts in (7000, 8000):
            put = car.world.partner.bridge.put_profile(car.session_id, flat(watts))
            assert put.wait_for_result(SOON).result is ResultType.ACCEPTED

        assert [frame.action for frame in car.commands()] == [
            "SetChargingProfile",
            "ClearChargingProfile",
            "SetChargingProfile",
        ]
        assert len(car.station.profiles) == 1


def test_a_silent_201_station_is_rejected_in_time(silent: tuple[Charging, Exchange]) -> None:
    car, put = silent

    assert put.wait_for_result(TIMEOUT).result is ResultType.REJECTED

    assert len(car.commands()) == 1
