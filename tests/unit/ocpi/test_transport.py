import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.ocpi.transport import (
    MAX_BODY_BYTES,
    MessageIds,
    OcpiRequest,
    StatusCode,
    TransportError,
    dumps,
    envelope,
    routing_headers,
)
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.fixtures import ocpi_fixture

NOW = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)


def request(body: bytes = b"", headers: Mapping[str, str] | None = None) -> OcpiRequest:
    given = headers or {}
    return OcpiRequest("PUT", {}, (), given, MessageIds.of(given), body)


# --- Message ids -----------------------------------------------------------------------------------------------------


def test_the_ids_of_a_message_are_its_own() -> None:
    ids = MessageIds.of({"x-request-id": "req-1", "x-correlation-id": "corr-1"})
    assert (ids.request_id, ids.correlation_id) == ("req-1", "corr-1")


def test_ids_that_the_caller_left_out_are_made_and_differ() -> None:
    one, other = MessageIds.of({}), MessageIds.of({})
    made = {one.request_id, one.correlation_id, other.request_id, other.correlation_id}
    assert len(made) == 4
    assert all(str(uuid.UUID(value)) == value for value in made)


@pytest.mark.parametrize("value", ["", " ", "a b", "a\r\nX-Evil: 1", "\N{SNOWMAN}", "x" * 129])
def test_an_id_that_would_only_do_harm_is_replaced(value: str) -> None:
    assert MessageIds.of({"x-request-id": value}).request_id != value


def test_the_longest_id_is_kept() -> None:
    assert MessageIds.of({"x-request-id": "x" * 128}).request_id == "x" * 128


# --- Routing ---------------------------------------------------------------------------------------------------------


def test_the_parties_of_a_request_are_those_of_its_headers() -> None:
    headers = {
        "ocpi-from-country-code": "NL",
        "ocpi-from-party-id": " JDX ",
        "ocpi-to-country-code": "nl",
        "ocpi-to-party-id": "acm",
    }
    assert request(headers=headers).from_party == Party("NL", "JDX")
    assert request(headers=headers).to_party == Party("nl", "acm")


@pytest.mark.parametrize(
    ("country", "party"),
    [("", "JDX"), ("NL", ""), ("NLD", "JDX"), ("NL", "JEDX"), ("NL", "J\N{LATIN CAPITAL LETTER E WITH ACUTE}")],
)
def test_half_a_party_or_an_impossible_one_is_none(country: str, party: str) -> None:
    assert request(headers={"ocpi-from-country-code": country, "ocpi-from-party-id": party}).from_party is None


def test_a_message_names_its_sender_and_its_receiver_where_it_is_known() -> None:
    sender = {"OCPI-from-country-code": "NL", "OCPI-from-party-id": "ACM"}
    receiver = {"OCPI-to-country-code": "BE", "OCPI-to-party-id": "JDX"}
    assert routing_headers(Party("NL", "ACM"), Party("BE", "JDX")) == sender | receiver
    assert routing_headers(Party("NL", "ACM"), None) == sender


# --- Bodies ----------------------------------------------------------------------------------------------------------


def test_numbers_are_read_exactly() -> None:
    assert request(b'{"whole": 22000, "part": 8.1, "small": 1e-3}').json() == {
        "whole": 22000,
        "part": Decimal("8.1"),
        "small": Decimal("0.001"),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 01}',
        b'{"a": "\xff"}',
        b'{"a": "\n"}',
        b"[" * 100_000,
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_ends_with_http_400(body: bytes) -> None:
    with pytest.raises(TransportError) as refused:
        request(body).json()
    assert refused.value.http_status == 400


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_json_that_is_no_object_names_the_body(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        request(body).json()
    assert refused.value.field == "body"


def test_a_body_beyond_the_bound_is_not_even_parsed() -> None:
    fits = b"{" + b" " * (MAX_BODY_BYTES - 2) + b"}"
    assert request(fits).json() == {}
    with pytest.raises(InvalidInput, match="longer than") as refused:
        request(fits + b" ").json()
    assert refused.value.field == "body"


@pytest.mark.parametrize("text", ['{"a": 1E999999999}', '{"a": 1E99999999999999999999}', '{"a": 1, "a": 2}'])
def test_json_beyond_its_bounds_names_the_body(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        request(text.encode()).json()
    assert refused.value.field == "body"


# --- Answers ---------------------------------------------------------------------------------------------------------


def test_the_envelope_of_a_success_has_data_code_and_time() -> None:
    expected = ocpi_fixture("constructed/chargingprofiles/sync_response_accepted")
    assert envelope(NOW, data={"result": "ACCEPTED", "timeout": 30}) == expected


def test_the_envelope_of_an_error_has_no_data() -> None:
    expected = ocpi_fixture("constructed/chargingprofiles/sync_response_invalid_body_2001")
    message = "Invalid or missing parameters: charging_profile.charging_rate_unit"
    assert envelope(NOW, StatusCode.INVALID_PARAMETERS, message) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("8.1"), "8.1"),
        (Decimal("22000.0"), "22000"),
        (Decimal("2.2E+4"), "22000"),
        (Decimal("0.0"), "0"),
        ({"a": [Decimal("0.125"), None, True]}, '{"a":[0.125,null,true]}'),
    ],
)
def test_decimals_are_written_as_the_numbers_they_are(value: JsonValue, text: str) -> None:
    assert dumps(value) == text


def test_what_has_no_place_in_a_message_is_not_written_as_text() -> None:
    with pytest.raises(TypeError, match="datetime"):
        dumps({"at": NOW})  # type: ignore[dict-item]
