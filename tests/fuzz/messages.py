"""Valid messages, from which near misses are made."""

from typing import Any

from tests.support.fixtures import ocpi_fixture
from tests.support.raw_frames import call, result
from tests.support.registrations import credentials_body
from tests.support.registry_entries import csms
from tests.support.world import RESPONSE_URL

AT = "2026-01-15T17:00:00Z"
PROFILE: dict[str, Any] = {
    "charging_profile": {
        "start_date_time": AT,
        "duration": 7200,
        "charging_rate_unit": "W",
        "min_charging_rate": 0,
        "charging_profile_period": [{"start_period": 0, "limit": 11000.5}, {"start_period": 900, "limit": 0}],
    },
    "response_url": RESPONSE_URL,
}
PREFERENCES: dict[str, Any] = {
    "profile_type": "CHEAP", "departure_time": AT, "energy_need": 20.5, "discharge_allowed": False,
}  # fmt: skip
CREDENTIALS: dict[str, Any] = credentials_body()
PAIRING: dict[str, Any] = ocpi_fixture("jedlix/pair_request_jedlix_to_cpo")
SESSION: dict[str, Any] = {
    "country_code": csms().country_code, "party_id": csms().party_id, "id": "S-1",
    "start_date_time": AT, "kwh": 1.25, "auth_method": "WHITELIST",
    "cdr_token": {"uid": "04AA", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
    "location_id": "LOC1", "evse_uid": "BE*BEC*E041503001", "connector_id": "1", "currency": "EUR",
    "charging_periods": [{"start_date_time": AT, "dimensions": [{"type": "POWER", "volume": 7}]}],
    "total_cost": {"excl_vat": 1, "incl_vat": 1.21}, "status": "ACTIVE", "last_updated": "2026-01-15T17:05:00Z",
}  # fmt: skip
SCHEDULE: dict[str, Any] = {
    "status": "Accepted", "connectorId": 1, "scheduleStart": AT,
    "chargingSchedule": {
        "duration": 900, "chargingRateUnit": "W", "startSchedule": AT,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11040.5}, {"startPeriod": 600, "limit": 5520}],
    },
}  # fmt: skip
EVENT: dict[str, Any] = {
    "id": "e-1", "type": "transaction.updated", "time": AT, "station_id": "CP-001", "connector_id": 1,
    "transaction_id": 778,
    "data": {
        "id_token": {"uid": "04AA", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
        "meter_wh": 1000, "power_w": 7000.5, "current_a": [10, 10, 10.5], "voltage_v": [230, 230, 230], "soc": 40,
        "charging_state": "Charging", "total_cost": {"excl_vat": 1.5, "incl_vat": 2}, "status": "ACTIVE",
        "limit": {"source": "EMS", "schedule": SCHEDULE["chargingSchedule"]},
    },
}  # fmt: skip
STARTED = EVENT | {"id": "e-2", "type": "transaction.started", "transaction_id": "779", "session_id": "S-2"}
CAP = EVENT | {"id": "e-3", "type": "cap.changed", "data": {"cap_w": 5000}}
RESULT = EVENT | {
    "id": "e-4", "type": "command.result", "data": {"command_id": "r1.0", "payload": {"status": "Accepted"}},
}  # fmt: skip
EVENTS: dict[str, Any] = {"events": [EVENT, STARTED, CAP, RESULT]}
FRAMES: list[dict[str, Any]] = [
    call("StartTransaction", {"connectorId": 1, "idTag": "04AA", "meterStart": 5, "timestamp": AT}),
    result({"transactionId": 780, "idTagInfo": {"status": "Accepted"}}),
    call(
        "MeterValues",
        {
            "connectorId": 1, "transactionId": 778,
            "meterValue": [{"timestamp": AT, "sampledValue": [{"value": "1000", "unit": "Wh", "context": "Trigger"}]}],
        },
        "m-2",
    ),
    call(
        "TransactionEvent",
        {
            "eventType": "Updated", "timestamp": AT, "triggerReason": "MeterValuePeriodic", "seqNo": 1,
            "transactionInfo": {"transactionId": "781", "chargingState": "Charging"}, "evse": {"id": 1},
            "meterValue": [{"timestamp": AT, "sampledValue": [{"value": 7.5, "measurand": "SoC"}]}],
        },
        "m-3",
    ),
]  # fmt: skip
