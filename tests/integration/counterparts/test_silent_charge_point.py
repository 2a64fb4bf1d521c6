"""Charge points that misbehave, and what CitrineOS's surface makes of them."""

import threading
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from tools.charge_point import Behaviour, MeterSample, SilentChargePoint, TransactionRefusedError
from tools.counterparts.http_service import HttpService, Response
from tools.counterparts.json_types import as_list, as_object, read_json
from tools.demo_csms import (
    AnswerInvalidError,
    CallbackOutcome,
    CallInProgressError,
    CallRefusedError,
    DelayCallback,
    DemoCsms,
    DropCallback,
    HoldCallback,
    NoConnectionError,
    RepeatCallback,
    ReplaceCallback,
    StationSilentError,
    Token,
)

pytestmark = pytest.mark.integration

STATION = "CP-S"
SECONDS = 20.0
PROFILE = {
    "connectorId": 1,
    "csChargingProfiles": {
        "chargingProfileId": 1,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "W",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6900}],
        },
    },
}


@pytest.fixture
def csms() -> Iterator[DemoCsms]:
    with DemoCsms(tokens={"STOLEN": Token(blocked=True)}) as csms:
        yield csms


@pytest.fixture
def station(csms: DemoCsms) -> Iterator[SilentChargePoint]:
    with SilentChargePoint(csms.ocpp_url, STATION) as station:
        yield station


@pytest.fixture
def inbox() -> Iterator[HttpService]:
    with HttpService(lambda _: Response(204), name="callback-inbox") as inbox:
        yield inbox


def send(csms: DemoCsms, inbox: HttpService, body: object = PROFILE, action: str = "setChargingProfile") -> object:
    response = httpx.post(
        f"{csms.http_url}/ocpp/1.6/smartcharging/{action}",
        params={"identifier": STATION, "callbackUrl": f"{inbox.url}/callback"},
        json=body,
    )
    return response.json()


def callback(inbox: HttpService) -> object:
    return read_json(inbox.requests.wait_for(lambda _: True, SECONDS).body)


def test_silence_is_success_on_http_and_never_a_callback(
    csms: DemoCsms, station: SilentChargePoint, inbox: HttpService
) -> None:
    assert send(csms, inbox) == [{"success": True}]
    station.wait_for_command("SetChargingProfile", SECONDS)
    assert send(csms, inbox) == [{"success": False, "payload": "Call already in progress"}]

    station.stop()

    lost = csms.callbacks.deliveries.wait_for(lambda _: True, SECONDS)
    assert lost.outcome is CallbackOutcome.NO_ANSWER
    assert inbox.requests.entries() == []


def test_a_callerror_comes_back_as_an_ocpp_error(
    csms: DemoCsms, station: SilentChargePoint, inbox: HttpService
) -> None:
    station.behave(Behaviour.NOT_SUPPORTED)

    assert send(csms, inbox) == [{"success": True}]

    error = as_object(callback(inbox))
    assert (error["name"], error["_errorCode"], error["_errorDetails"]) == ("OcppError", "NotSupported", {})
    with pytest.raises(CallRefusedError, match="NotSupported"):
        csms.call(STATION, "SetChargingProfile", {**PROFILE})


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        (Behaviour.REJECTING, "Rejected"),
        (Behaviour.STATUS_NOT_SUPPORTED, "NotSupported"),
        (Behaviour.ACCEPTING, "Accepted"),
    ],
)
def test_a_status_comes_back_as_it_is(
    csms: DemoCsms, station: SilentChargePoint, inbox: HttpService, behaviour: Behaviour, status: str
) -> None:
    station.behave(behaviour)
    send(csms, inbox)

    assert callback(inbox) == {"status": status}


def test_an_answer_outside_the_schema_is_never_called_back(
    csms: DemoCsms, station: SilentChargePoint, inbox: HttpService
) -> None:
    station.behave(Behaviour.OUT_OF_SCHEMA)
    send(csms, inbox)

    assert csms.callbacks.deliveries.wait_for(lambda _: True, SECONDS).outcome is CallbackOutcome.NO_ANSWER
    assert [frame.action for frame in csms.frames() if frame.problem] == ["SetChargingProfile"]
    with pytest.raises(AnswerInvalidError):
        csms.call(STATION, "SetChargingProfile", {**PROFILE})


def test_a_composite_may_have_no_schedule_no_periods_or_another_unit(
    csms: DemoCsms, station: SilentChargePoint
) -> None:
    ask: dict[str, object] = {"connectorId": 1, "duration": 900, "chargingRateUnit": "W"}

    station.behave(Behaviour.ACCEPTING)
    csms.call(STATION, "SetChargingProfile", {**PROFILE})
    assert csms.call(STATION, "GetCompositeSchedule", ask) == {"status": "Accepted"}

    station.behave(Behaviour.EMPTY_COMPOSITE)
    schedule = as_object(csms.call(STATION, "GetCompositeSchedule", ask)["chargingSchedule"])
    assert as_list(schedule["chargingSchedulePeriod"]) == []

    station.behave(Behaviour.OTHER_UNIT)
    schedule = as_object(csms.call(STATION, "GetCompositeSchedule", ask)["chargingSchedule"])
    assert schedule["chargingRateUnit"] == "A"
    assert as_list(schedule["chargingSchedulePeriod"]) == [{"startPeriod": 0, "limit": 10}]


def test_behaviour_can_differ_by_action(csms: DemoCsms, station: SilentChargePoint) -> None:
    station.behave(Behaviour.ACCEPTING)
    station.behave(Behaviour.REJECTING, action="ClearChargingProfile")

    assert csms.call(STATION, "SetChargingProfile", {**PROFILE}) == {"status": "Accepted"}
    assert csms.call(STATION, "ClearChargingProfile", {"id": 1}) == {"status": "Unknown"}


def test_an_answer_after_the_url_s_cache_time_is_lost(inbox: HttpService) -> None:
    with (
        DemoCsms(callback_cache_seconds=0) as csms,
        SilentChargePoint(csms.ocpp_url, STATION, behaviour=Behaviour.ACCEPTING, answer_delay=0.05),
    ):
        send(csms, inbox)

        assert csms.callbacks.deliveries.wait_for(lambda _: True, SECONDS).outcome is CallbackOutcome.EXPIRED
    assert inbox.requests.entries() == []


def test_a_station_that_owes_an_answer_is_free_again_after_the_call_s_time(inbox: HttpService) -> None:
    with (
        DemoCsms(call_seconds=0.05) as csms,
        SilentChargePoint(csms.ocpp_url, STATION) as station,
    ):
        with pytest.raises(StationSilentError):
            csms.call(STATION, "ClearChargingProfile", {"id": 1}, timeout=0.05)
        station.behave(Behaviour.ACCEPTING)

        assert csms.call(STATION, "ClearChargingProfile", {"id": 1}) == {"status": "Accepted"}


def test_the_csms_waits_for_its_turn_only_so_long(csms: DemoCsms, station: SilentChargePoint) -> None:
    csms.central_system.call(STATION, "ClearChargingProfile", {"id": 1})

    with pytest.raises(CallInProgressError):
        csms.call(STATION, "ClearChargingProfile", {"id": 1}, timeout=0.05)


def test_a_callback_can_be_repeated_dropped_delayed_or_replaced(
    csms: DemoCsms, station: SilentChargePoint, inbox: HttpService
) -> None:
    station.behave(Behaviour.ACCEPTING)
    csms.callbacks.plan(RepeatCallback())
    csms.callbacks.plan(DropCallback())
    csms.callbacks.plan(DelayCallback(0.05))
    csms.callbacks.plan(ReplaceCallback(b"oops"))
    for done in (2, 3, 4, 5, 6):
        send(csms, inbox)
        csms.callbacks.deliveries.wait_for_count(done, lambda _: True, SECONDS)

    bodies = [request.body for request in inbox.requests.entries()]
    accepted = b'{"status":"Accepted"}'
    assert bodies == [accepted, accepted, accepted, b"oops", accepted]


def test_a_callback_can_be_held_back(csms: DemoCsms, station: SilentChargePoint, inbox: HttpService) -> None:
    station.behave(Behaviour.ACCEPTING)
    release = threading.Event()
    csms.callbacks.plan(HoldCallback(release), station_id=STATION, action="SetChargingProfile")
    send(csms, inbox)
    send(csms, inbox, {"id": 1}, "clearChargingProfile")
    csms.callbacks.deliveries.wait_for_count(1, lambda _: True, SECONDS)

    release.set()

    actions = [done.command.action for done in csms.callbacks.deliveries.wait_for_count(2, lambda _: True, SECONDS)]
    assert actions == ["ClearChargingProfile", "SetChargingProfile"]


def test_a_callback_that_fails_is_not_repeated(csms: DemoCsms, station: SilentChargePoint, inbox: HttpService) -> None:
    station.behave(Behaviour.ACCEPTING)
    inbox.stop()
    send(csms, inbox)

    assert csms.callbacks.deliveries.wait_for(lambda _: True, SECONDS).outcome is CallbackOutcome.FAILED


def test_the_synchronous_surface_gives_the_payload_or_gives_up(station: SilentChargePoint, csms: DemoCsms) -> None:
    url = f"{csms.http_url}/sync/ocpp/1.6/smartcharging/clearChargingProfile?identifier={STATION}"
    station.behave(Behaviour.REJECTING)

    assert httpx.post(url, json={"id": 1}).json() == {"status": "Unknown"}


def test_the_synchronous_surface_times_out_on_a_silent_station() -> None:
    with DemoCsms(sync_seconds=0.05) as csms, SilentChargePoint(csms.ocpp_url, STATION):
        url = f"{csms.http_url}/sync/ocpp/1.6/smartcharging/clearChargingProfile?identifier={STATION}"

        assert httpx.post(url, json={"id": 1}).status_code == 504


def test_the_hook_knows_the_caller_s_port(csms: DemoCsms, station: SilentChargePoint, inbox: HttpService) -> None:
    seen = []
    csms.before_http_answer(lambda command: seen.append(command.client_port))
    with (
        httpx.Client() as client,
        client.stream(
            "POST",
            f"{csms.http_url}/ocpp/1.6/smartcharging/clearChargingProfile",
            params={"identifier": STATION},
            json={"id": 1},
        ) as response,
    ):
        response.read()
        local = response.extensions["network_stream"].get_extra_info("client_addr")
    station.wait_for_command("ClearChargingProfile", SECONDS)

    assert seen == [local[1]]


def test_meter_values_have_the_chosen_power_and_phases(csms: DemoCsms, station: SilentChargePoint) -> None:
    station.start_transaction()
    station.send_meter_values(MeterSample(energy_wh=Decimal(1000), power_w=Decimal(3680), phases=1))

    event = csms.events.wait_for(lambda event: "power_w" in as_object(event["data"]), SECONDS)
    data = as_object(event["data"])
    assert (data["power_w"], data["current_a"]) == (3680, [16, 0, 0])


def test_a_remote_start_and_stop_work_on_it_too(csms: DemoCsms, station: SilentChargePoint) -> None:
    csms.remote_start(STATION, 1, "OPERATOR")
    transaction = csms.wait_for_transaction(STATION, timeout=SECONDS)
    csms.events.wait_for(lambda event: as_object(event["data"]).get("charging_state") == "Charging", SECONDS)

    csms.remote_stop(STATION, transaction.transaction_id)

    assert csms.wait_for_transaction_end(transaction.transaction_id, SECONDS).stop_reason == "Remote"


def test_a_refused_token_starts_nothing(station: SilentChargePoint) -> None:
    with pytest.raises(TransactionRefusedError, match="Blocked"):
        station.start_transaction(id_tag="STOLEN")


def test_a_station_that_is_gone_has_no_connection(csms: DemoCsms, station: SilentChargePoint) -> None:
    station.disconnect()
    csms.events.wait_for(lambda event: event["type"] == "station.offline", SECONDS)

    with pytest.raises(NoConnectionError):
        csms.call(STATION, "ClearChargingProfile", {"id": 1})

    station.start()
    csms.events.wait_for_count(2, lambda event: event["type"] == "station.booted", SECONDS)


def test_a_second_connection_replaces_the_first(csms: DemoCsms, station: SilentChargePoint) -> None:
    with SilentChargePoint(csms.ocpp_url, STATION, behaviour=Behaviour.ACCEPTING):
        assert csms.call(STATION, "ClearChargingProfile", {"id": 1}) == {"status": "Accepted"}
    csms.events.wait_for(lambda event: event["type"] == "station.offline", SECONDS)

    assert len([event for event in csms.events.entries() if event["type"] == "station.offline"]) == 1
