"""Requests as partners send them, and results as they are given back. Every refusal names its field."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Answer, Result
from ocpi_bridge.ocpi.charging_profiles import (
    MAX_COMPOSITE_SECONDS,
    MAX_PERIODS,
    MAX_SECONDS,
    ChargingProfileResponse,
    ClearProfile,
    ReadActiveProfile,
    ResponseType,
    SetProfile,
    active_charging_profile,
    charging_profile,
    result_body,
)
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, TransportError, dumps, envelope
from ocpi_bridge.ports.json_values import JsonObject
from tests.support.fixtures import ocpi_fixture

START = datetime(2026, 1, 15, 17, 0, tzinfo=UTC)
PERIODS = "charging_profile.charging_profile_period"
GUIDE_GET = (
    "https://www.cpo.com/ocpi/2.2.1/chargingprofiles/1234?duration=900"
    "&response_url=https://www.msp.com/ocpi/2.2.1/chargingprofile/response?request_id=5678"
)
GUIDE_DELETE = "https://www.cpo.com/ocpi/2.2.1/chargingprofiles/1234?response_url=https://www.server.com/example"


def put(body: object) -> SetProfile:
    return SetProfile.parse(_request(body=json.dumps(body).encode()))


def raw_put(limit: str = "11040", start: str = "0") -> SetProfile:
    """A PUT with literals as they stand on the wire."""
    body = (
        '{"response_url": "https://x", "charging_profile": {"charging_rate_unit": "W",'
        f'"charging_profile_period": [{{"start_period": {start}, "limit": {limit}}}]}}}}'
    )
    return SetProfile.parse(_request(body=body.encode()))


def body(*periods: Mapping[str, object], **profile: object) -> dict[str, Any]:
    """A SetChargingProfile with what differs from a plain one."""
    given = list(periods) or [{"start_period": 0, "limit": 11040}]
    fields = {"charging_rate_unit": "W", "charging_profile_period": given} | profile
    return {"charging_profile": fields, "response_url": "https://www.jedlix.com/r"}


def refused_field(given: object) -> str:
    with pytest.raises(InvalidInput) as refused:
        put(given)
    return refused.value.field


def query_of(url: str) -> list[tuple[str, str]]:
    """What API Gateway makes of a URL: the parameters, decoded once."""
    return parse_qsl(urlsplit(url).query, keep_blank_values=True)


def get(query: Sequence[tuple[str, str]]) -> ReadActiveProfile:
    return ReadActiveProfile.parse(_request(query=query))


def delete(query: Sequence[tuple[str, str]]) -> ClearProfile:
    return ClearProfile.parse(_request(query=query))


def _request(query: Sequence[tuple[str, str]] = (), body: bytes = b"") -> OcpiRequest:
    return OcpiRequest("PUT", {"session_id": "1234"}, tuple(query), {}, MessageIds.of({}), body)


# --- PUT: what is accepted -------------------------------------------------------------------------------------------


def test_the_guides_profile_is_read_whole() -> None:
    parsed = SetProfile.parse(_request(body=dumps(ocpi_fixture("jedlix/set_charging_profile_guide")).encode()))
    expected = Plan(
        RateUnit.WATT,
        (PlanPeriod(0, Decimal(22000)), PlanPeriod(1800, Decimal(0)), PlanPeriod(3600, Decimal(10000))),
        datetime(2023, 10, 1, 12, 0, tzinfo=UTC),
    )
    assert parsed.plan == expected
    assert parsed.response_url == "https://www.jedlix.com/ocpi/2.2.1/chargingprofiles/response?request_id=123456"


def test_every_field_of_a_profile_is_read() -> None:
    parsed = put(ocpi_fixture_plain("put_request_absolute_W"))
    limits = ((0, "11040"), (1800, "0"), (3600, "7360"))
    periods = tuple(PlanPeriod(start, Decimal(limit)) for start, limit in limits)
    assert parsed.plan == Plan(RateUnit.WATT, periods, START, 7200, Decimal(1380))


def test_amperes_keep_their_decimal() -> None:
    parsed = put(ocpi_fixture_plain("put_request_absolute_A"))
    assert parsed.plan == Plan(RateUnit.AMPERE, (PlanPeriod(0, Decimal(16)), PlanPeriod(900, Decimal("6.5"))), START)


def test_a_profile_without_a_start_is_relative() -> None:
    assert put(ocpi_fixture_plain("put_request_relative_A")).plan.start is None


def test_null_for_an_optional_field_is_like_leaving_it_out() -> None:
    with_nulls = put(ocpi_fixture_plain("put_request_nulls_for_optionals")).plan
    assert with_nulls == Plan(RateUnit.WATT, (PlanPeriod(0, Decimal(3680)),))


@pytest.mark.parametrize("periods", [[], None, "absent"])
def test_an_empty_list_of_periods_is_legal_here_and_left_to_later_checks(periods: object) -> None:
    given = body(charging_profile_period=periods)
    if periods == "absent":
        del given["charging_profile"]["charging_profile_period"]
    assert put(given).plan.periods == ()


def test_whole_numbers_may_be_written_with_a_fraction_of_zero() -> None:
    assert raw_put(start="0.0").plan.periods[0].start == 0
    assert put(body(duration=1800.0)).plan.duration == 1800
    assert put(body({"start_period": 0, "limit": 1}, {"start_period": 9e2, "limit": 2})).plan.periods[1].start == 900


@pytest.mark.parametrize(
    ("limit", "kept"), [("8.1", "8.1"), ("8.19", "8.1"), ("1e3", "1000"), ("0", "0"), ("-0.0", "0")]
)
def test_a_limit_is_kept_exactly_to_one_decimal_and_never_rounded_up(limit: str, kept: str) -> None:
    assert raw_put(limit=limit).plan.periods[0].limit == Decimal(kept)


@pytest.mark.parametrize("text", ["2026-01-15T17:00:00Z", "2026-01-15T17:00:00", "2026-01-15T17:00:00.000Z"])
def test_a_start_is_read_with_and_without_z(text: str) -> None:
    assert put(body(start_date_time=text)).plan.start == START


def test_unknown_fields_are_nobodys_business() -> None:
    given = body({"start_period": 0, "limit": 1, "number_phases": 3}, min_charge_rate=6)
    given["extra"] = {"a": [1]}
    assert len(put(given).plan.periods) == 1


def test_as_many_periods_as_ocpp_carries_are_taken() -> None:
    periods = [{"start_period": index, "limit": index} for index in range(MAX_PERIODS)]
    assert len(put(body(*periods)).plan.periods) == MAX_PERIODS


# --- PUT: what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"charging_rate_unit": "kW"}, "charging_profile.charging_rate_unit"),
        ({"charging_rate_unit": "w"}, "charging_profile.charging_rate_unit"),
        ({"charging_rate_unit": None}, "charging_profile.charging_rate_unit"),
        ({"charging_rate_unit": 1}, "charging_profile.charging_rate_unit"),
        ({"start_date_time": "tomorrow"}, "charging_profile.start_date_time"),
        ({"start_date_time": "2026-01-15T17:00:00+01:00"}, "charging_profile.start_date_time"),
        ({"start_date_time": 1768496400}, "charging_profile.start_date_time"),
        ({"start_date_time": True}, "charging_profile.start_date_time"),
        ({"start_date_time": "9999-12-31T23:59:59Z"}, "charging_profile.start_date_time"),
        ({"duration": -1}, "charging_profile.duration"),
        ({"duration": "900"}, "charging_profile.duration"),
        ({"duration": 900.5}, "charging_profile.duration"),
        ({"duration": True}, "charging_profile.duration"),
        ({"duration": MAX_SECONDS + 1}, "charging_profile.duration"),
        ({"min_charging_rate": -1}, "charging_profile.min_charging_rate"),
        ({"min_charging_rate": "6"}, "charging_profile.min_charging_rate"),
        ({"min_charging_rate": False}, "charging_profile.min_charging_rate"),
        ({"charging_profile_period": {"start_period": 0, "limit": 1}}, PERIODS),
        ({"charging_profile_period": "0"}, PERIODS),
        ({"charging_profile_period": [1]}, f"{PERIODS}.0"),
        ({"charging_profile_period": [None]}, f"{PERIODS}.0"),
    ],
    ids=str,
)
def test_a_wrong_field_of_the_profile_is_named(change: dict[str, Any], field: str) -> None:
    assert refused_field(body(**change)) == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": -0.1}, "limit"),
        ({"limit": "11040"}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": None}, "limit"),
        ({"limit": [1]}, "limit"),
        ({"limit": 10_000_001}, "limit"),
        ({"start_period": -1}, "start_period"),
        ({"start_period": "0"}, "start_period"),
        ({"start_period": False}, "start_period"),
        ({"start_period": 0.5}, "start_period"),
        ({"start_period": None}, "start_period"),
        ({"start_period": 10**30}, "start_period"),
    ],
    ids=str,
)
def test_a_wrong_field_of_a_period_is_named_with_its_place(change: dict[str, Any], field: str) -> None:
    second = {"start_period": 900, "limit": 5} | change
    assert refused_field(body({"start_period": 0, "limit": 1}, second)) == f"{PERIODS}.1.{field}"


@pytest.mark.parametrize("field", ["start_period", "limit"])
def test_a_missing_field_of_a_period_is_named_with_its_place(field: str) -> None:
    period = {"start_period": 0, "limit": 1}
    del period[field]
    assert refused_field(body(period)) == f"{PERIODS}.0.{field}"


@pytest.mark.parametrize("number", ["1E29", "-1E29", "9" * 40])
def test_a_number_out_of_all_proportion_is_refused_like_any_other_wrong_one(number: str) -> None:
    with pytest.raises(InvalidInput) as limit:
        raw_put(limit=number)
    with pytest.raises(InvalidInput) as start:
        raw_put(start=number)
    assert (limit.value.field, start.value.field) == (f"{PERIODS}.0.limit", f"{PERIODS}.0.start_period")


def test_a_number_that_is_nearly_zero_is_rounded_down_like_any_other() -> None:
    assert raw_put(limit="1E-29").plan.periods[0].limit == 0


@pytest.mark.parametrize("literal", ["NaN", "Infinity"])
def test_what_only_python_calls_a_number_is_no_json(literal: str) -> None:
    with pytest.raises(TransportError) as refused:
        raw_put(limit=literal)
    assert refused.value.http_status == 400


def test_a_first_period_that_does_not_start_at_0_is_refused() -> None:
    assert refused_field(body({"start_period": 1, "limit": 1})) == f"{PERIODS}.0.start_period"


@pytest.mark.parametrize("starts", [(0, 900, 600), (0, 600, 600), (0, 0, 600)])
def test_periods_that_do_not_ascend_are_refused_at_the_first_that_does_not(starts: tuple[int, ...]) -> None:
    wrong = next(i for i in range(1, 3) if starts[i] <= starts[i - 1])
    periods = [{"start_period": start, "limit": 1} for start in starts]
    assert refused_field(body(*periods)) == f"{PERIODS}.{wrong}.start_period"


def test_more_periods_than_ocpp_carries_are_refused() -> None:
    periods = [{"start_period": index, "limit": index} for index in range(MAX_PERIODS + 1)]
    assert refused_field(body(*periods)) == PERIODS


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"response_url": "https://x"}, "charging_profile"),
        ({"response_url": "https://x", "charging_profile": None}, "charging_profile"),
        ({"response_url": "https://x", "charging_profile": [1]}, "charging_profile"),
        ({"response_url": "https://x", "charging_profile": {}}, "charging_profile.charging_rate_unit"),
        ({"charging_profile": {"charging_rate_unit": "W"}}, "response_url"),
        ({"charging_profile": {"charging_rate_unit": "W"}, "response_url": None}, "response_url"),
        ({"charging_profile": {"charging_rate_unit": "W"}, "response_url": 5}, "response_url"),
        ({}, "charging_profile"),
        ([], "body"),
    ],
    ids=str,
)
def test_a_missing_or_mistyped_part_of_the_body_is_named(given: object, field: str) -> None:
    assert refused_field(given) == field


def test_a_refusal_says_what_is_allowed_in_the_spelling_that_is_allowed() -> None:
    with pytest.raises(InvalidInput, match="'W' or 'A'"):
        put(body(charging_rate_unit="kW"))
    with pytest.raises(InvalidInput, match="is not an OCPI DateTime, for example 2026-01-15T17:05:00Z"):
        put(body(start_date_time="tomorrow"))


# --- GET and DELETE: response_url in a query -------------------------------------------------------------------------


def test_the_guides_get_is_read_whole_though_its_response_url_is_not_encoded() -> None:
    expected = ReadActiveProfile(900, "https://www.msp.com/ocpi/2.2.1/chargingprofile/response?request_id=5678")
    assert get(query_of(GUIDE_GET)) == expected


def test_the_guides_delete_is_read() -> None:
    assert delete(query_of(GUIDE_DELETE)) == ClearProfile("https://www.server.com/example")


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/r?a=1&b=2",
        "https://x.example/r?a=1&b=2&c=https://y/z?d=e",
        "https://x.example/r?request_id=12-3_4.5~6&user=a@b",
    ],
)
def test_an_unencoded_response_url_is_put_together_again(url: str) -> None:
    assert get(query_of(f"https://cpo/1?duration=900&response_url={url}")).response_url == url
    assert get(query_of(f"https://cpo/1?response_url={url}&duration=900")).response_url == url
    assert delete(query_of(f"https://cpo/1?response_url={url}")).response_url == url


def test_an_encoded_response_url_is_decoded_once_and_no_more() -> None:
    url = "https://x.example/r?a=1&b=%26c%3D2&d=e+f"
    assert delete(query_of("https://cpo/1?" + urlencode({"response_url": url}))).response_url == url


@pytest.mark.parametrize(
    "query",
    [
        "response_url=https://x&response_url=https://y",
        "response_url=https://x?a=1&a=2&b=3&b=3",
        "a=1&response_url=https://x",
        "response_url=https://x?a=1&b",
        "response_url=https://x?a=1&b=",
        "response_url=https://x?a=1&b=%2F%26c",
        "response_url=https://x?a=1&b=c+d",
        "response_url=https://x?a=1&b=%C3%A9",
        "response_url=https://x?a=1&b%3Dc=d",
        "response_url=https://x?a=1&b%26c=d",
    ],
)
def test_what_could_mean_two_things_is_refused_and_not_guessed(query: str) -> None:
    with pytest.raises(InvalidInput, match="percent-encode"):
        delete(query_of(f"https://cpo/1?{query}"))


@pytest.mark.parametrize(
    "query", ["response_url=https://x?a=1&tok%26en-4711=", "tok%26en-4711=1&response_url=https://x"]
)
def test_a_refusal_repeats_nothing_of_the_response_urls_query(query: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        delete(query_of(f"https://cpo/1?{query}"))
    assert refused.value.field == "response_url"
    assert "4711" not in str(refused.value)


def test_a_repeated_duration_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput) as refused:
        get(query_of("https://cpo/1?duration=900&response_url=https://x&duration=60"))
    assert refused.value.field == "duration"


@pytest.mark.parametrize("query", ["duration=900", "", "duration=900&response_uri=https://x"])
def test_a_missing_response_url_is_named(query: str) -> None:
    for parse in (get, delete):
        with pytest.raises(InvalidInput) as refused:
            parse(query_of(f"https://cpo/1?{query}"))
        assert refused.value.field == "response_url"


def test_duration_is_no_parameter_of_delete_and_so_part_of_the_url() -> None:
    assert delete([("response_url", "https://x?a=1"), ("duration", "9")]).response_url == "https://x?a=1&duration=9"


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "900.0", "1e3", "+900", " 900", "9 00", "15m", "\N{ARABIC-INDIC DIGIT NINE}", "9" * 5000,
             str(MAX_COMPOSITE_SECONDS + 1)], ids=lambda text: repr(text[:8])
)  # fmt: skip
def test_a_duration_that_is_no_number_of_seconds_is_named(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        get([("duration", text), ("response_url", "https://x")])
    assert refused.value.field == "duration"


def test_a_missing_duration_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        get([("response_url", "https://x")])
    assert refused.value.field == "duration"


@pytest.mark.parametrize("seconds", [1, MAX_COMPOSITE_SECONDS])
def test_a_duration_within_the_bounds_is_taken(seconds: int) -> None:
    assert get([("duration", str(seconds)), ("response_url", "https://x")]).duration == seconds


# --- What we send ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "fixture"),
    [
        (ChargingProfileResponse(ResponseType.ACCEPTED, 30), "sync_response_accepted"),
        (ChargingProfileResponse(ResponseType.REJECTED), "sync_response_rejected"),
        (ChargingProfileResponse(ResponseType.NOT_SUPPORTED), "sync_response_not_supported"),
        (ChargingProfileResponse(ResponseType.TOO_OFTEN), "sync_response_too_often"),
        (ChargingProfileResponse(ResponseType.UNKNOWN_SESSION), "sync_response_unknown_session"),
    ],
)
def test_a_synchronous_answer_always_has_a_timeout(response: ChargingProfileResponse, fixture: str) -> None:
    assert envelope(START, data=response.to_json()) == ocpi_fixture(f"constructed/chargingprofiles/{fixture}")


ACTIVE = Plan(
    RateUnit.WATT,
    (PlanPeriod(0, Decimal("11040.0")), PlanPeriod(600, Decimal("5520.0"))),
    datetime(2026, 1, 15, 17, 5, tzinfo=UTC),
    900,
)


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("kind", ["charging_profile", "clear_profile"])
def test_the_result_of_put_and_delete_is_the_bare_word(result: Result, kind: str) -> None:
    fixture = ocpi_fixture(f"constructed/chargingprofiles/async_{kind}_result_{result.lower()}")
    assert sent(result_body(Answer(result, "for operators only"))) == fixture


def test_the_result_of_get_carries_the_active_profile() -> None:
    fixture = ocpi_fixture("constructed/chargingprofiles/async_active_charging_profile_result_accepted")
    assert sent(result_body(Answer(Result.ACCEPTED, "", ACTIVE))) == fixture


@pytest.mark.parametrize("result", [Result.REJECTED, Result.UNKNOWN])
def test_a_get_without_success_carries_no_profile(result: Result) -> None:
    fixture = ocpi_fixture(f"constructed/chargingprofiles/async_active_charging_profile_result_{result.lower()}")
    assert sent(result_body(Answer(result, "no schedule"))) == fixture


def test_an_active_profile_has_one_base_for_all_its_times() -> None:
    fixture = ocpi_fixture("constructed/chargingprofiles/push_active_charging_profile_put_body")
    assert sent(active_charging_profile(ACTIVE)) == fixture


def test_an_active_profile_must_have_a_start() -> None:
    with pytest.raises(ValueError, match="absolute start"):
        active_charging_profile(replace(ACTIVE, start=None))


def test_absent_optional_fields_are_left_out_and_limits_of_one_decimal_stay_so() -> None:
    relative = Plan(RateUnit.AMPERE, (PlanPeriod(0, Decimal("8.1")),))
    assert dumps(charging_profile(relative)) == (
        '{"charging_rate_unit":"A","charging_profile_period":[{"start_period":0,"limit":8.1}]}'
    )
    assert sent(charging_profile(replace(relative, min_rate=Decimal("6.0"))))["min_charging_rate"] == 6


@pytest.mark.parametrize(
    "fixture", ["put_request_absolute_W", "put_request_absolute_A", "put_request_relative_A"]
)  # fmt: skip
def test_what_was_read_is_written_the_same(fixture: str) -> None:
    given = ocpi_fixture(f"constructed/chargingprofiles/{fixture}")
    assert sent(charging_profile(put(ocpi_fixture_plain(fixture)).plan)) == given["charging_profile"]


def sent(value: JsonObject) -> dict[str, Any]:
    """As the other side reads it."""
    received: dict[str, Any] = json.loads(dumps(value), parse_float=Decimal)
    return received


def ocpi_fixture_plain(name: str) -> object:
    """A fixture with plain numbers, so that it can be written again."""
    given: object = json.loads(dumps(ocpi_fixture(f"constructed/chargingprofiles/{name}")))
    return given
