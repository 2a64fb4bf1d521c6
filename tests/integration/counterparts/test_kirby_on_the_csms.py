"""The third-party charge point on the demo CSMS, over real sockets: the facts that the bridge is built on."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tools.charge_point import ChargePoint, ChargePointError, TransactionRefusedError
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService, Request, Response
from tools.counterparts.json_types import as_list, as_object, read_json
from tools.demo_csms import DemoCsms, Direction, Token

pytestmark = pytest.mark.integration

STATION = "CP-001"
PROFILE_ID = 4000
# Generous: a test that passes never waits so long.
SECONDS = 20.0
GUIDE_PERIODS = [(0, 22000), (1800, 0), (3600, 10000)]


@pytest.fixture
def csms() -> Iterator[DemoCsms]:
    with DemoCsms(tokens={"STOLEN": Token(blocked=True)}) as csms:
        yield csms


@pytest.fixture
def station(csms: DemoCsms) -> Iterator[ChargePoint]:
    with ChargePoint(csms.ocpp_url, STATION, connectors=2) as station:
        station.wait_until_booted()
        yield station


@pytest.fixture
def inbox() -> Iterator[HttpService]:
    def answer(_: Request) -> Response:
        return Response(204)

    with HttpService(answer, name="callback-inbox") as inbox:
        yield inbox


def guide_profile(transaction_id: int) -> dict[str, object]:
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": PROFILE_ID,
            "transactionId": transaction_id,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": write_datetime(utc_now()),
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [{"startPeriod": start, "limit": limit} for start, limit in GUIDE_PERIODS],
            },
        },
    }


def post(csms: DemoCsms, inbox: HttpService, action: str, body: object) -> object:
    """Send a command as the bridge does and return what the callback brings."""
    before = inbox.requests.mark()
    response = httpx.post(
        f"{csms.http_url}/ocpp/1.6/smartcharging/{action}",
        params={"identifier": STATION, "tenantId": "1", "callbackUrl": f"{inbox.url}/callback"},
        json=body,
    )
    assert (response.status_code, response.json()) == (200, [{"success": True}])
    return read_json(inbox.requests.wait_for(lambda _: True, SECONDS, since=before).body)


def periods(answer: object) -> list[tuple[int, Any]]:
    schedule = as_object(as_object(answer).get("chargingSchedule"))
    found = [as_object(period) for period in as_list(schedule.get("chargingSchedulePeriod"))]
    return [(int(str(period["startPeriod"])), period["limit"]) for period in found]


def test_a_profile_goes_to_the_charge_point_and_its_answers_come_back(
    csms: DemoCsms, station: ChargePoint, inbox: HttpService
) -> None:
    station.plug_in()
    transaction_id = station.start_transaction()
    composite = {"connectorId": 1, "duration": 5400, "chargingRateUnit": "W"}

    assert post(csms, inbox, "setChargingProfile", guide_profile(transaction_id)) == {"status": "Accepted"}
    shown = post(csms, inbox, "getCompositeSchedule", composite)
    assert as_object(shown)["status"] == "Accepted"
    # The charge point counts whole seconds from its own clock, so a start may shift by one.
    assert [limit for _, limit in periods(shown)] == [limit for _, limit in GUIDE_PERIODS]
    assert post(csms, inbox, "clearChargingProfile", {"id": PROFILE_ID}) == {"status": "Accepted"}
    assert post(csms, inbox, "clearChargingProfile", {"id": PROFILE_ID}) == {"status": "Unknown"}
    assert post(csms, inbox, "getCompositeSchedule", composite) == {"status": "Rejected"}

    command = station.wait_for("SetChargingProfile", SECONDS)
    assert station.answer_to(command) == {"status": "Accepted"}


def test_a_profile_without_its_transaction_is_rejected(
    csms: DemoCsms, station: ChargePoint, inbox: HttpService
) -> None:
    assert post(csms, inbox, "setChargingProfile", guide_profile(1)) == {"status": "Rejected"}

    transaction_id = station.start_transaction()

    assert post(csms, inbox, "setChargingProfile", guide_profile(transaction_id + 1)) == {"status": "Rejected"}


def test_the_charge_point_does_not_convert_units(csms: DemoCsms, station: ChargePoint, inbox: HttpService) -> None:
    post(csms, inbox, "setChargingProfile", guide_profile(station.start_transaction()))

    in_ampere = {"connectorId": 1, "duration": 900, "chargingRateUnit": "A"}

    assert post(csms, inbox, "getCompositeSchedule", in_ampere) == {"status": "Rejected"}


def test_a_limit_of_the_cpo_lowers_the_composite_and_is_reported(
    csms: DemoCsms, station: ChargePoint, inbox: HttpService
) -> None:
    post(csms, inbox, "setChargingProfile", guide_profile(station.start_transaction()))

    assert csms.set_limit(STATION, Decimal(11000)) == "Accepted"

    shown = csms.call(STATION, "GetCompositeSchedule", {"connectorId": 1, "duration": 5400})
    assert [limit for _, limit in periods(shown)] == [11000, 0, 10000]
    reported = csms.events.wait_for(lambda event: event["type"] == "charging_limit.changed", SECONDS)
    assert as_object(as_object(reported["data"])["limit"])["source"] == "CSO"
    assert csms.clear_limit(STATION) == "Accepted"


def test_a_session_becomes_events_in_order(csms: DemoCsms, station: ChargePoint) -> None:
    station.plug_in()
    transaction_id = station.start_transaction()
    station.wait_for_connector(1, lambda connector: connector.status == "Charging", SECONDS)
    station.send_meter_values(energy_wh=500)
    station.stop_transaction()
    csms.wait_for_transaction_end(transaction_id, SECONDS)
    station.stop()
    csms.events.wait_for(lambda event: event["type"] == "station.offline", SECONDS)

    events = csms.events.entries()
    kinds = [str(event["type"]) for event in events]
    assert [kind for kind in kinds if kind != "transaction.updated"] == [
        "station.online",
        "station.booted",
        "transaction.started",
        "transaction.ended",
        "station.offline",
    ]
    states = [as_object(event["data"]).get("charging_state") for event in events]
    assert states.index("EVConnected") < states.index("Charging")
    metered = [as_object(event["data"]) for event in events if "power_w" in as_object(event["data"])]
    assert metered[0]["meter_wh"] == 500
    # A made-up meter: one phase, whatever the plan.
    assert len(as_list(metered[0]["current_a"])) == 1
    ended = next(event for event in events if event["type"] == "transaction.ended")
    assert ended["transaction_id"] == str(transaction_id)
    assert as_object(ended["data"])["meter_wh"] == 500


def test_the_operator_starts_and_stops_a_transaction(csms: DemoCsms, station: ChargePoint) -> None:
    assert csms.remote_start(STATION, 2, "OPERATOR") == "Accepted"
    transaction = csms.wait_for_transaction(STATION, 2, timeout=SECONDS)
    assert (transaction.id_tag, transaction.started_remotely) == ("OPERATOR", True)
    station.wait_for_connector(2, lambda connector: connector.transaction_id is not None, SECONDS)

    assert csms.remote_stop(STATION, transaction.transaction_id) == "Accepted"
    assert csms.wait_for_transaction_end(transaction.transaction_id, SECONDS).stop_reason == "Remote"


def test_a_reset_stops_the_transaction_and_takes_its_profile(
    csms: DemoCsms, station: ChargePoint, inbox: HttpService
) -> None:
    transaction_id = station.start_transaction()
    post(csms, inbox, "setChargingProfile", guide_profile(transaction_id))
    booted = csms.mark()

    assert csms.call(STATION, "Reset", {"type": "Soft"}) == {"status": "Accepted"}

    assert csms.wait_for_transaction_end(transaction_id, SECONDS).stop_reason == "SoftReset"
    csms.wait_for_frame(STATION, "BootNotification", timeout=SECONDS, since=booted, direction=Direction.TO_STATION)
    assert csms.call(STATION, "ClearChargingProfile", {"id": PROFILE_ID}) == {"status": "Unknown"}


def test_transaction_and_profile_survive_a_lost_connection(
    csms: DemoCsms, station: ChargePoint, inbox: HttpService
) -> None:
    transaction_id = station.start_transaction()
    post(csms, inbox, "setChargingProfile", guide_profile(transaction_id))
    station.disconnect()
    csms.events.wait_for(lambda event: event["type"] == "station.offline", SECONDS)

    station.connect()

    assert station.connector().transaction_id == transaction_id
    assert csms.call(STATION, "ClearChargingProfile", {"id": PROFILE_ID}) == {"status": "Accepted"}


def test_a_refused_token_starts_nothing(station: ChargePoint) -> None:
    with pytest.raises(TransactionRefusedError, match="Blocked"):
        station.start_transaction(id_tag="STOLEN")
    assert not station.authorize("STOLEN")


def test_no_frame_breaks_its_schema(csms: DemoCsms, station: ChargePoint) -> None:
    station.plug_in()
    station.start_transaction()
    station.send_meter_values()
    station.set_status(1, "SuspendedEV")
    station.stop_transaction()
    station.unplug()

    assert [frame for frame in csms.frames() if frame.problem] == []


def test_the_process_ends_with_its_context(csms: DemoCsms) -> None:
    with ChargePoint(csms.ocpp_url, "CP-END") as station:
        station.wait_until_booted()
        pid = station.pid

    assert pid > 0
    with pytest.raises(ChargePointError, match="not running"):
        station.plug_in()


def test_a_wait_ends_when_the_process_does() -> None:
    with (
        ChargePoint("no-url", "CP-BROKEN") as station,
        pytest.raises(ChargePointError, match="ended"),
    ):
        station.wait_until_booted()


def test_a_clock_that_is_slow_does_not_delay_a_limit(csms: DemoCsms, station: ChargePoint) -> None:
    csms.set_limit(STATION, Decimal(7000), report=False)

    sent = csms.wait_for_frame(STATION, "SetChargingProfile", timeout=SECONDS, calls_only=True)

    schedule = as_object(as_object(sent.payload["csChargingProfiles"])["chargingSchedule"])
    assert str(schedule["startSchedule"]) < write_datetime(utc_now() - timedelta(minutes=1))
    assert [event for event in csms.events.entries() if event["type"] == "charging_limit.changed"] == []
