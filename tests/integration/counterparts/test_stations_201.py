"""OCPP 2.0.1 bodies through the HTTP surface: checked by the official schemas, answered by a station in memory."""

from collections.abc import Iterator

import httpx
import pytest

from tools.charge_point import SilentChargePoint
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService, Response
from tools.counterparts.json_types import read_json
from tools.counterparts.ocpp_json import OcppVersion
from tools.demo_csms import DemoCsms, FakeStation201

pytestmark = pytest.mark.integration

SECONDS = 20.0


@pytest.fixture
def csms() -> Iterator[DemoCsms]:
    with DemoCsms() as csms:
        csms.add_station_201(FakeStation201("CP-201", transactions={1: "tx-1"}))
        yield csms


def profile(transaction_id: str = "tx-1") -> dict[str, object]:
    return {
        "evseId": 1,
        "chargingProfile": {
            "id": 1,
            "stackLevel": 1,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "transactionId": transaction_id,
            "chargingSchedule": [
                {
                    "id": 1,
                    "startSchedule": write_datetime(utc_now()),
                    "chargingRateUnit": "W",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000}],
                }
            ],
        },
    }


def post(csms: DemoCsms, action: str, body: object, **query: str) -> httpx.Response:
    return httpx.post(
        f"{csms.http_url}/ocpp/2.0.1/smartcharging/{action}", params={"identifier": "CP-201", **query}, json=body
    )


def test_a_profile_is_set_and_the_answer_called_back(csms: DemoCsms) -> None:
    with HttpService(lambda _: Response(204), name="callback-inbox") as inbox:
        answer = post(csms, "setChargingProfile", profile(), callbackUrl=f"{inbox.url}/callback")
        called_back = inbox.requests.wait_for(lambda _: True, SECONDS)

    assert answer.json() == [{"success": True}]
    assert read_json(called_back.body) == {"status": "Accepted"}
    frame = csms.wait_for_frame("CP-201", "SetChargingProfile", timeout=SECONDS, calls_only=True)
    assert frame.version is OcppVersion.V201


def test_a_body_of_the_other_version_is_refused(csms: DemoCsms) -> None:
    answer = post(csms, "clearChargingProfile", {"id": 1})

    assert (answer.status_code, answer.json()["code"]) == (400, "FST_ERR_VALIDATION")


def test_an_unknown_transaction_is_refused_before_it_is_sent(csms: DemoCsms) -> None:
    assert post(csms, "setChargingProfile", profile("tx-9")).json() == [
        {"success": False, "payload": "Transaction tx-9 not found on station CP-201"}
    ]
    assert csms.frames("CP-201") == []


def test_a_station_of_the_other_version_is_refused(csms: DemoCsms) -> None:
    with SilentChargePoint(csms.ocpp_url, "CP-16"):
        to_16 = post(csms, "clearChargingProfile", {"chargingProfileId": 1}, identifier="CP-16")
    to_201 = httpx.post(
        f"{csms.http_url}/ocpp/1.6/smartcharging/clearChargingProfile?identifier=CP-201", json={"id": 1}
    )

    assert to_16.json()[0]["payload"] == (
        "Requested protocol: 'ocpp2.0.1', connection protocol: 'ocpp1.6' for identifier: '1:CP-16'"
    )
    assert "connection protocol: 'ocpp2.0.1'" in to_201.json()[0]["payload"]
    assert csms.frames(action="ClearChargingProfile") == []


def test_an_unknown_station_has_no_connection_in_this_version_either(csms: DemoCsms) -> None:
    answer = post(csms, "clearChargingProfile", {"chargingProfileId": 1}, identifier="NOSUCH")

    assert answer.json() == [{"success": False, "payload": "No connection found for identifier: 1:NOSUCH"}]
