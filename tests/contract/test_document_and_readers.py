"""The OpenAPI document and the parsers take and refuse the same bodies.

Each field of each fixture is replaced by values of every kind. Where a parser goes beyond what a schema can say (the
order of periods, months that there are not), the document is the more generous of the two, never the stricter.
"""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.events import parse_events
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.ocpi.charging_preferences import parse_preferences
from ocpi_bridge.ocpi.charging_profiles import SetProfile
from ocpi_bridge.ocpi.credentials import Credentials
from ocpi_bridge.ocpi.pairing import parse_code
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest
from tests.contract.catalogue import text_of
from tests.contract.documented import problems

EVENTS = {
    "events": [
        {
            "id": "1",
            "type": "transaction.updated",
            "time": "2026-01-15T17:00:00Z",
            "station_id": "CP-001",
            "connector_id": 1,
            "evse_id": None,
            "evse_uid": "BE*BEC*E041503001",
            "session_id": "S-1",
            "transaction_id": 778,
            "data": {
                "id_token": {"uid": "04AA", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
                "auth_method": "WHITELIST",
                "meter_wh": 12345.6,
                "power_w": -11000,
                "current_a": [16, 16.1, 15.9],
                "voltage_v": [230],
                "offered_a": 16,
                "soc": 40,
                "offered_w": 11000,
                "charging_state": "Charging",
                "total_cost": {"excl_vat": 1.5, "incl_vat": 1.8},
                "status": "ACTIVE",
                "stop_reason": "Local",
                "cap_w": 11000,
                "limit": {"source": "EMS"},
                "command_id": "r1.0",
                "error": {"code": "GenericError", "description": ""},
            },
        }
    ]
}


def in_request(parse: Callable[[OcpiRequest], object]) -> Callable[[bytes], object]:
    return lambda body: parse(OcpiRequest("PUT", {}, (), {}, MessageIds("r", "c"), body))


READERS: dict[str, tuple[object, Callable[[bytes], object]]] = {
    "SetChargingProfile": (
        json.loads(text_of("constructed/chargingprofiles/put_request_absolute_W.json")),
        in_request(SetProfile.parse),
    ),
    "ChargingPreferences": (
        json.loads(text_of("constructed/sessions/charging_preferences_put_request.json")),
        in_request(parse_preferences),
    ),
    "Credentials": (
        json.loads(text_of("constructed/transport/credentials_scsp_post_request.json")),
        in_request(Credentials.parse),
    ),
    "PairRequest": (json.loads(text_of("jedlix/pair_request_jedlix_to_cpo.json")), in_request(parse_code)),
    "Events": (EVENTS, lambda body: parse_events("acme", body)),
}

# JSON Schema counts it among the integers, as OCPI's readers do; an event's ids and numbers are stricter.
WHOLE_FRACTION = 8.0
VALUES: tuple[Any, ...] = (
    *(None, True, 0, 1, -1, 1.5, WHOLE_FRACTION, 10**10, 10**13),
    *("", "x", "W", "A", "w", "1", "GREEN", "RFID", "NL", "x" * 256),
    *("2026-01-15T17:00:00", "2026-01-15T17:00:00.1234Z", "2026-01-15", "2026-13-15T17:00:00Z"),
    *([], [1], [[]], {}, {"x": 1}),
)

# What no schema can say, by the parser's words; of times the document says the format, which validators may not check.
BEYOND_A_SCHEMA = (
    "does not start at 0",
    "is not later than the period before",
    "month must be in 1..12",
    "is not an RFC 3339 instant",
    "should have timezone info",
    "is missing in an event of a transaction",
    "is missing in the result of a command",
    "is no charging schedule of OCPP",
    "is what the charge point answered",
    "month value is outside expected range",
)
# The use case refuses a URL that is too long, after the parser (16.7).
REFUSED_LATER = ("SetChargingProfile", ("response_url",), "x" * 256)


def places(value: object, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, part in value.items():
            yield from places(part, *path, name)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from places(part, *path, index)


def replaced(body: object, path: tuple[str | int, ...], value: object) -> object:
    changed: Any = copy.deepcopy(body)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def refusal(read: Callable[[bytes], object], body: object) -> InvalidInput | None:
    try:
        read(json.dumps(body).encode())
    except InvalidInput as error:
        return error
    return None


CASES = [
    pytest.param(schema, path, id=f"{schema}-{'.'.join(map(str, path))}")
    for schema, (body, _) in READERS.items()
    for path in places(body)
]


@pytest.mark.parametrize("schema", READERS)
def test_both_take_the_fixture(schema: str) -> None:
    body, read = READERS[schema]
    assert refusal(read, body) is None
    assert problems(schema, body) == []


@pytest.mark.parametrize(("schema", "path"), CASES)
def test_what_the_parser_takes_the_document_takes(schema: str, path: tuple[str | int, ...]) -> None:
    body, read = READERS[schema]
    for value in VALUES:
        changed = replaced(body, path, value)
        if refusal(read, changed) is None and (schema, path, value) != REFUSED_LATER:
            assert problems(schema, changed) == [], value


@pytest.mark.parametrize(("schema", "path"), CASES)
def test_what_the_document_takes_the_parser_takes(schema: str, path: tuple[str | int, ...]) -> None:
    body, read = READERS[schema]
    for value in VALUES:
        changed = replaced(body, path, value)
        refused = refusal(read, changed)
        if refused is None or any(words in refused.problem for words in BEYOND_A_SCHEMA):
            continue
        if schema == "Events" and value == WHOLE_FRACTION:
            continue
        assert problems(schema, changed), (value, refused.problem)
