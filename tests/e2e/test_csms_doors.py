"""The other ways in and out: a CSMS that lives on the event bus, and one that speaks OCPI already."""

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from ocpi_bridge.domain.stations import Csms, CsmsDriver
from tests.support.e2e_site import SOON, flat, limits, profile_id, site_name, site_world, sites_station
from tests.support.e2e_waiting import eventually
from tools.charge_point import Behaviour, SilentChargePoint
from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.json_types import JsonObject, as_object
from tools.counterparts.ocpp_json import Call
from tools.demo.world import World
from tools.demo_csms import Reports
from tools.demo_csms.event_reporter import trusting_client
from tools.local_stack import LocalStack
from tools.partner_simulator import ResponseType, ResultType

# --- On the event bus ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BusCsms:
    """A CSMS that has no API: it takes commands from a queue behind a rule of its own, and reports by events."""

    world: World
    station_id: str
    queue_url: str

    def report(self, kind: str, data: JsonObject, **place: object) -> None:
        event = {
            "id": str(uuid.uuid4()),
            "type": kind,
            "time": write_datetime(utc_now()),
            "station_id": self.station_id,
            **place,
            "data": data,
        }
        answer = self.world.stack.client("events").put_events(
            Entries=[
                {
                    "EventBusName": self.world.stack.outputs["CsmsBusName"],
                    "Source": "acme.csms",
                    "DetailType": "csms.events",
                    "Detail": json.dumps({"csms_id": self.world.csms_id, "events": [event]}),
                }
            ]
        )
        assert answer["FailedEntryCount"] == 0

    def transaction(self, kind: str, **data: object) -> None:
        self.report(f"transaction.{kind}", dict(data), connector_id=1, transaction_id="4711")

    def command(self, action: str) -> dict[str, Any]:
        """The next command of an action; what came before it is another one's."""
        sqs = self.world.stack.client("sqs")

        def look() -> dict[str, Any] | None:
            answer = sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=1, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
                detail: dict[str, Any] = json.loads(message["Body"])["detail"]
                if detail["action"] == action:
                    return detail
            return None

        return eventually(look, SOON, what=f"{action} on the bus")

    def answer(self, command: dict[str, Any], payload: JsonObject) -> None:
        self.report("command.result", {"command_id": command["command_id"], "payload": payload})


@pytest.fixture
def on_the_bus(stack: LocalStack) -> Iterator[BusCsms]:
    name = site_name()
    station = sites_station(name)
    events, sqs = stack.client("events"), stack.client("sqs")
    queue_url = sqs.create_queue(QueueName=f"commands-{name}")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = stack.outputs["CsmsBusName"]
    pattern = {"source": ["ocpi-bridge"], "detail-type": ["ocpp.command"], "detail": {"csms": [f"csms-{name}"]}}
    events.put_rule(Name=f"commands-{name}", EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=f"commands-{name}", EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue_arn}])

    def by_bus(csms: Csms) -> Csms:
        return replace(csms, driver=CsmsDriver.BUS)

    with site_world(stack, name, [station], timeout=60, change_csms=by_bus) as world:
        yield BusCsms(world, station.station_id, queue_url)
        assert world.partner.violations() == []
    events.remove_targets(Rule=f"commands-{name}", EventBusName=bus, Ids=["queue"])
    events.delete_rule(Name=f"commands-{name}", EventBusName=bus)
    sqs.delete_queue(QueueUrl=queue_url)


def test_a_csms_on_the_bus_reports_obeys_and_answers_by_events_alone(on_the_bus: BusCsms) -> None:
    csms, world = on_the_bus, on_the_bus.world
    csms.transaction("started", meter_wh=1000, id_token={"uid": "04A1B2C3"}, charging_state="Charging")
    session = world.partner.wait_for_session(lambda one: one.status == "ACTIVE", SOON)

    put = world.partner.bridge.put_profile(session.id, flat(7000))
    assert put.result is ResponseType.ACCEPTED
    command = csms.command("SetChargingProfile")
    assert (command["station_id"], command["session_id"], command["ocpp_version"]) == (
        csms.station_id,
        session.id,
        "1.6",
    )
    assert command["charging_profile"]["charging_profile_period"] == [{"start_period": 0, "limit": 7000}]
    assert "callback" not in json.dumps(command)
    csms.answer(command, {"status": "Accepted"})
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED

    asked = world.partner.bridge.get_active_profile(session.id, 900)
    composite = csms.command("GetCompositeSchedule")
    schedule: JsonObject = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6900}]}
    csms.answer(
        composite,
        {
            "status": "Accepted",
            "scheduleStart": write_datetime(utc_now()),
            "chargingSchedule": {"duration": 900, **schedule},
        },
    )
    told = asked.wait_for_result(SOON)
    assert told.result is ResultType.ACCEPTED

    csms.transaction("ended", meter_wh=3500)
    ended = world.partner.wait_for_session(lambda one: one.status == "COMPLETED", SOON)
    assert ended.kwh == 2.5
    cleared = csms.command("ClearChargingProfile")
    assert cleared["payload"]["id"] == command["payload"]["csChargingProfiles"]["chargingProfileId"]


# --- By OCPI sessions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OcpiCsms:
    """A CSMS that pushes its sessions by OCPI and reports nothing else."""

    world: World
    charge_point: SilentChargePoint
    http: httpx.Client
    session_id: str

    @property
    def evse_uid(self) -> str:
        return f"{self.charge_point.station_id}-1"

    def send(self, method: str, body: JsonObject, *, token: str | None = None) -> httpx.Response:
        outputs = self.world.stack.outputs
        path = f"{outputs['CountryCode']}/{outputs['PartyId']}/{self.session_id}"
        return self.http.request(
            method,
            f"{self.world.stack.csms_api_url}/csms/v1/ocpi/{self.world.csms_id}/sessions/{path}",
            json=body,
            headers={"Authorization": f"Token {token or self._token}", "X-Request-ID": "r", "X-Correlation-ID": "c"},
        )

    def session(self, at: datetime, **changes: object) -> JsonObject:
        outputs = self.world.stack.outputs
        started: JsonObject = {
            "country_code": outputs["CountryCode"],
            "party_id": outputs["PartyId"],
            "id": self.session_id,
            "start_date_time": write_datetime(at - timedelta(minutes=10)),
            "kwh": 0.5,
            "cdr_token": {"uid": "04A1B2C3", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
            "auth_method": "WHITELIST",
            "location_id": self.world.stations[0].location_id,
            "evse_uid": self.evse_uid,
            "connector_id": "1",
            "currency": "EUR",
            "status": "ACTIVE",
            "last_updated": write_datetime(at),
        }
        return {**started, **changes}

    @property
    def _token(self) -> str:
        stack = self.world.stack
        name = f"{stack.outputs['SecretsPrefix']}/csms/{self.world.csms_id}"
        secret = json.loads(stack.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
        return base64.b64encode(secret["event_key"].encode()).decode()


@pytest.fixture
def by_ocpi(stack: LocalStack) -> Iterator[OcpiCsms]:
    name = site_name()
    station = sites_station(name)

    def with_transaction(csms: Csms) -> Csms:
        return replace(csms, parameters=(("transaction_at", "ocpp_transaction_id"),))

    world_of_its_own = site_world(stack, name, [station], timeout=30, change_csms=with_transaction)
    # Nobody subscribes, so nothing but OCPI tells of what happens.
    world_of_its_own.reports = Reports.FRAMES
    with (
        world_of_its_own as world,
        SilentChargePoint(world.csms.ocpp_url, station.station_id, behaviour=Behaviour.ACCEPTING) as charge_point,
        trusting_client(stack.ca_file, SOON) as http,
    ):
        yield OcpiCsms(world, charge_point, http, f"CSMS-{name}")
        assert world.partner.violations() == []


def test_a_session_pushed_by_ocpi_is_seen_under_its_own_id_and_not_steered(by_ocpi: OcpiCsms) -> None:
    csms, partner = by_ocpi, by_ocpi.world.partner
    now = utc_now()
    taken = csms.send("PUT", csms.session(now))
    assert (taken.status_code, taken.json()["status_code"]) == (200, 1000)
    session = partner.wait_for_session(lambda one: one.id == csms.session_id, SOON)
    assert (session.status, session.evse_uid) == ("ACTIVE", csms.evse_uid)
    assert partner.bridge.put_profile(session.id, flat(7000)).result is ResponseType.NOT_SUPPORTED

    later = write_datetime(now + timedelta(seconds=5))
    ended: JsonObject = {"status": "COMPLETED", "kwh": 2.25, "end_date_time": later, "last_updated": later}
    assert csms.send("PATCH", ended).json()["status_code"] == 1000
    over = partner.wait_for_session(lambda one: one.id == csms.session_id and one.status == "COMPLETED", SOON)
    assert over.kwh == 2.25


def test_with_its_transaction_it_can_be_steered(by_ocpi: OcpiCsms) -> None:
    csms, partner = by_ocpi, by_ocpi.world.partner
    csms.send("PUT", csms.session(utc_now(), ocpp_transaction_id=815))
    partner.wait_for_session(lambda one: one.id == csms.session_id, SOON)
    put = partner.bridge.put_profile(csms.session_id, flat(7000))
    assert put.wait_for_result(SOON).result is ResultType.ACCEPTED
    command = csms.charge_point.wait_for_command("SetChargingProfile", SOON)
    assert limits(command) == [(0, Decimal(7000))]
    assert as_object(command.payload["csChargingProfiles"])["transactionId"] == 815

    later = write_datetime(utc_now() + timedelta(seconds=5))
    csms.send("PATCH", {"status": "COMPLETED", "end_date_time": later, "last_updated": later})
    cleared: Call = csms.charge_point.wait_for_command("ClearChargingProfile", SOON)
    assert profile_id(cleared) == profile_id(command)


@pytest.mark.parametrize(
    ("changes", "method", "token", "answer"),
    [
        ({}, "PUT", "d3Jvbmc=", (401, None)),
        ({}, "GET", None, (405, None)),
        ({"evse_uid": "NOWHERE"}, "PUT", None, (200, 2003)),
        ({"id": "another"}, "PUT", None, (200, 2001)),
        ({"kwh": "much"}, "PUT", None, (200, 2001)),
    ],
    ids=["wrong token", "not offered", "unknown EVSE", "another id", "no number"],
)
def test_what_cannot_be_taken_says_why_in_the_envelope(
    by_ocpi: OcpiCsms, changes: JsonObject, method: str, token: str | None, answer: tuple[int, int | None]
) -> None:
    got = by_ocpi.send(method, by_ocpi.session(utc_now(), **changes), token=token)
    status, code = answer
    assert got.status_code == status
    assert got.json()["timestamp"]
    assert code is None or got.json()["status_code"] == code
