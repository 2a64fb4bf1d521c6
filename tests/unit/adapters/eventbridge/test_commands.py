"""The bus driver: what a CSMS on the bus is told, and what it means when the bus does not take it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from ocpi_bridge.adapters.csms.connect import ChargePointDrivers
from ocpi_bridge.adapters.eventbridge.bus import EventsNotTaken
from ocpi_bridge.adapters.eventbridge.commands import MAX_DETAIL_BYTES, BusChargePointDriver
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import CsmsDriver, CsmsMode, OcppVersion
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.bus import BusEvent
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.json_values import JsonObject
from tests.support.clocks import START, ManualClock
from tests.support.preset_calls import PLAN, a_command, csms_of

CSMS = replace(csms_of("", CsmsMode.CALLBACK), base_url="", driver=CsmsDriver.BUS)
ASKED = Plan(RateUnit.WATT, (PlanPeriod(0, Decimal("11040.5")),), START)


class RecordingBus:
    def __init__(self, error: Exception | None = None) -> None:
        self.events: list[BusEvent] = []
        self._error = error

    def publish(self, events: Sequence[BusEvent]) -> None:
        if self._error is not None:
            raise self._error
        self.events += events


def submit(command: ChargerCommand, bus: RecordingBus | None = None) -> Pending | Failed:
    return BusChargePointDriver(bus or RecordingBus(), ManualClock()).submit(CSMS, command)


def told(command: ChargerCommand) -> JsonObject:
    bus = RecordingBus()
    assert submit(command, bus) == Pending()
    (event,) = bus.events
    assert (event.detail_type, event.time) == ("ocpp.command", START)
    return event.detail


def test_a_profile_comes_as_a_ready_payload_and_as_the_partner_wrote_it() -> None:
    detail = told(replace(a_command(RequestKind.SET), asked_plan=ASKED))
    assert json.loads(dumps(detail)) == {
        "command_id": "r1.0",
        "csms": "acme",
        "station_id": "CP-001",
        "connector_id": 2,
        "evse_uid": "BE*BEC*E041503001",
        "ocpp_version": "1.6",
        "transaction_id": "778",
        "session_id": "SESSION-1",
        "request_id": "r1",
        "correlation_id": "corr-1",
        "deadline": "2026-01-15T17:00:50Z",
        "action": "SetChargingProfile",
        "payload": {
            "connectorId": 2,
            "csChargingProfiles": {
                "chargingProfileId": 1042,
                "transactionId": 778,
                "stackLevel": 1,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Absolute",
                "chargingSchedule": {
                    "startSchedule": "2026-01-15T17:00:00Z",
                    "duration": 3600,
                    "chargingRateUnit": "W",
                    "chargingSchedulePeriod": [
                        {"startPeriod": 0, "limit": 11000, "numberPhases": 3},
                        {"startPeriod": 900, "limit": 4100.5, "numberPhases": 3},
                    ],
                },
            },
        },
        "charging_profile": {
            "start_date_time": "2026-01-15T17:00:00Z",
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": 11040.5}],
        },
    }


def test_ocpp_201_names_its_evse() -> None:
    detail = told(a_command(RequestKind.CLEAR, OcppVersion.V201))
    assert (detail["evse_id"], detail["connector_id"]) == (3, 2)
    assert (detail["action"], detail["payload"]) == ("ClearChargingProfile", {"chargingProfileId": 1042})


@pytest.mark.parametrize("kind", [RequestKind.CLEAR, RequestKind.GET])
def test_only_a_profile_that_is_set_comes_in_ocpis_words_too(kind: RequestKind) -> None:
    assert "charging_profile" not in told(replace(a_command(kind), asked_plan=ASKED))


def test_a_question_about_the_station_names_no_transaction() -> None:
    detail = told(a_command(RequestKind.LEARN))
    assert detail["action"] == "GetConfiguration"
    assert not {"transaction_id", "session_id", "connector_id", "evse_uid"} & set(detail)


@pytest.mark.parametrize("kind", RequestKind)
def test_the_signed_callback_url_stays_with_us(kind: RequestKind) -> None:
    assert "signature" not in dumps(told(a_command(kind)))


def throttled() -> ClientError:
    return ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "PutEvents")


@pytest.mark.parametrize(
    ("error", "nothing_sent", "words"),
    [
        (EventsNotTaken("1 events were not taken: InternalFailure"), True, "InternalFailure"),
        (throttled(), True, "ThrottlingException"),
        (EndpointConnectionError(endpoint_url="https://events"), False, "EndpointConnectionError"),
        (ReadTimeoutError(endpoint_url="https://events"), False, "ReadTimeoutError"),
    ],
)
def test_what_the_bus_did_not_take_may_be_tried_again(error: Exception, nothing_sent: bool, words: str) -> None:
    outcome = submit(a_command(RequestKind.SET), RecordingBus(error))
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (nothing_sent, True)
    assert words in outcome.reason
    assert "https://" not in outcome.reason


def test_a_command_that_cannot_be_written_is_refused_before_it_is_published() -> None:
    bus = RecordingBus()
    outcome = submit(replace(a_command(RequestKind.SET), transaction_id="a-uuid"), bus)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable, bus.events) == (True, False, [])


def test_a_command_beyond_what_eventbridge_carries_is_refused() -> None:
    periods = tuple(PlanPeriod(second, Decimal("11040.5")) for second in range(6_000))
    bus = RecordingBus()
    outcome = submit(replace(a_command(RequestKind.SET), plan=replace(PLAN, periods=periods)), bus)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable, bus.events) == (True, False, [])


def test_the_longest_partners_plan_is_carried() -> None:
    periods = tuple(PlanPeriod(second, Decimal("11040.5")) for second in range(1_024))
    plan = replace(PLAN, periods=periods)
    detail = told(replace(a_command(RequestKind.SET), plan=plan, asked_plan=plan))
    assert len(dumps(detail)) < MAX_DETAIL_BYTES


# --- Which driver ----------------------------------------------------------------------------------------------------


class FixedDriver:
    def submit(self, csms: object, command: object) -> Done:
        return Done("Accepted")


def test_each_command_goes_by_the_driver_of_its_csms_and_http_is_made_once_when_needed() -> None:
    made: list[FixedDriver] = []

    def http() -> FixedDriver:
        made.append(FixedDriver())
        return made[-1]

    bus = RecordingBus()
    drivers = ChargePointDrivers(BusChargePointDriver(bus, ManualClock()), http)
    assert drivers.submit(CSMS, a_command(RequestKind.CLEAR)) == Pending()
    assert (len(bus.events), made) == (1, [])
    by_http = replace(CSMS, driver=CsmsDriver.HTTP)
    for _ in range(2):
        assert drivers.submit(by_http, a_command(RequestKind.CLEAR)) == Done("Accepted")
    assert (len(bus.events), len(made)) == (1, 1)
