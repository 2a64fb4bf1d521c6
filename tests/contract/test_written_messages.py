"""Every message that we send has the shape of its fixture and keeps to the OpenAPI document.

Values that the fixture has and we can have too are the same; else the fields and their types are compared, both ways.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given

from ocpi_bridge.domain.assignments import Share
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.errors import EndpointMissing, PlatformUnusable
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.pairing import CodeUnknown
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.requests import Answer, Result
from ocpi_bridge.domain.sessions import ChargingPeriod, Session, SessionStatus
from ocpi_bridge.domain.stations import CHARGING_PROFILE_CAPABLE, Connector, Evse, PowerType
from ocpi_bridge.domain.tokens import AcceptedToken, token_hash
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ocpi.charging_preferences import ChargingPreferencesResponse
from ocpi_bridge.ocpi.charging_profiles import (
    ChargingProfileResponse,
    ResponseType,
    SetProfile,
    active_charging_profile,
    result_body,
)
from ocpi_bridge.ocpi.credentials import own_credentials
from ocpi_bridge.ocpi.pairing import evse_fields
from ocpi_bridge.ocpi.session_pages import Cursor, SessionPage
from ocpi_bridge.ocpi.sessions import changed_fields, charging_periods, session_fields
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, StatusCode, TransportError
from ocpi_bridge.ports import Caller, Clock, IntakeStore, JsonObject, JsonValue
from ocpi_bridge.ports.session_feed import FeedEntry
from ocpi_bridge.runtime.ocpi_door import Answer as DoorAnswer
from ocpi_bridge.runtime.ocpi_door import Endpoint, PartnerCall, ocpi_endpoint
from ocpi_bridge.runtime.pairing_door import pairing_endpoint
from tests.contract import strategies
from tests.contract.catalogue import Message, files, text_of
from tests.contract.documented import answer_schema, on_the_wire, problems
from tests.contract.shapes import lacking, shape
from tests.properties.strategies import plans
from tests.support.clocks import START, ManualClock
from tests.support.feeds import ENDPOINT, parsed
from tests.support.lambda_events import proxy_event
from tests.support.world import CARD, event, session_of

KEY = b"key of the pseudonyms"
US = Party("NL", "CPO")
THEM = Party("NL", "JED")
ROUTING = MappingProxyType(
    {
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "JED",
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "CPO",
    }
)
PROFILES = "/ocpi/2.2.1/chargingprofiles/{session_id}"
SESSIONS = {"2.2.1": "/ocpi/2.2.1/sessions", "2.3.0": "/ocpi/2.3.0/sessions"}


@dataclass(frozen=True)
class OnePartner:
    """A service that knows one token, and tables of which nothing is asked."""

    party: Party = US
    clock: Clock = field(default_factory=ManualClock)

    @property
    def intake(self) -> IntakeStore:
        return self  # type: ignore[return-value]

    def caller(self, hashes: object, session_id: str | None = None) -> Caller:
        return Caller("jedlix", THEM, AcceptedToken(token_hash("t"), "jedlix", THEM, self.clock.now()))


def fixture(name: str) -> Any:  # noqa: ANN401 - whatever stands in the file
    return json.loads(text_of(name))


def answered(
    endpoint: Endpoint, *, body: str = "", configuration_module: bool = False
) -> tuple[int, Any, dict[str, str]]:
    """What a partner gets of an endpoint: the HTTP status, the body, the headers."""
    door = ocpi_endpoint(OnePartner(), configuration_module=configuration_module)
    headers = {"Authorization": "Token dA==", "X-Request-ID": "req-1", "X-Correlation-ID": "corr-1", **ROUTING}
    answer: Any = door(endpoint)(proxy_event("PUT", "/", headers=headers, body=body), None)
    return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


def refusing(error: Exception) -> Endpoint:
    def endpoint(_: PartnerCall) -> JsonValue:
        raise error

    return endpoint


def same_shape(ours: object, theirs: object) -> None:
    """Both have the same fields of the same types."""
    assert lacking(shape(ours), shape(theirs)) == set()
    assert lacking(shape(theirs), shape(ours)) == set()


# --- Answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", files(Message.SYNC_ANSWER))
def test_a_synchronous_answer_is_the_envelope_around_result_and_timeout(name: str) -> None:
    wanted = fixture(name)["data"]
    response = ChargingProfileResponse(ResponseType(wanted["result"]), wanted["timeout"])
    status, body, headers = answered(lambda _: response.to_json())
    assert status == 200
    assert body == fixture(name)
    assert problems(answer_schema(PROFILES, "put"), body) == []
    assert {header: headers[header] for header in ROUTING} == {
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "CPO",
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "JED",
    }


def test_every_kind_of_synchronous_answer_has_its_fixture() -> None:
    assert {fixture(name)["data"]["result"] for name in files(Message.SYNC_ANSWER)} == {*ResponseType}


@pytest.mark.parametrize("name", files(Message.REFUSED_BODY))
def test_a_wrong_field_is_http_200_with_2001_and_no_data(name: str) -> None:
    wrong = fixture("constructed/chargingprofiles/put_request_absolute_A.json")
    del wrong["charging_profile"]["charging_rate_unit"]
    status, body, _ = answered(lambda call: SetProfile.parse(call.request).response_url, body=json.dumps(wrong))
    assert status == 200
    same_shape(body, fixture(name))
    assert body["status_code"] == fixture(name)["status_code"] == 2001
    assert body["status_message"].startswith(fixture(name)["status_message"])
    assert problems(answer_schema(PROFILES, "put"), body) == []


@pytest.mark.parametrize("name", files(Message.PREFERENCES_ANSWER))
def test_the_answer_to_preferences_is_a_string(name: str) -> None:
    _, body, _ = answered(lambda _: ChargingPreferencesResponse(fixture(name)["data"]).value)
    assert body == fixture(name)
    assert problems(answer_schema(f"{SESSIONS['2.2.1']}/{{session_id}}/charging_preferences", "put"), body) == []


@pytest.mark.parametrize("name", files(Message.PREFERENCES_REFUSED))
def test_preferences_where_there_can_be_none_are_http_404_with_2001(name: str) -> None:
    refusal = TransportError(404, "no preferences", status_code=StatusCode.INVALID_PARAMETERS)
    status, body, _ = answered(refusing(refusal))
    assert status == 404
    same_shape(body, fixture(name))
    assert body["status_code"] == fixture(name)["status_code"]
    schema = answer_schema(f"{SESSIONS['2.2.1']}/{{session_id}}/charging_preferences", "put", 404)
    assert problems(schema, body) == []


@pytest.mark.parametrize("name", files(Message.HANDSHAKE_ERROR))
def test_a_handshake_that_fails_is_http_200_with_its_code(name: str) -> None:
    errors = {
        3001: PlatformUnusable("GET versions: no answer in time"),
        3003: EndpointMissing("chargingprofiles SENDER"),
    }
    code = fixture(name)["status_code"]
    status, body, headers = answered(refusing(errors[code]), configuration_module=True)
    assert (status, body["status_code"]) == (200, code)
    same_shape(body, fixture(name))
    assert problems(answer_schema("/ocpi/2.2.1/credentials", "post"), body) == []
    assert not headers.keys() & ROUTING.keys()


# --- Versions and credentials ------------------------------------------------------------------------------------------

BASE = "https://cpo.example.com"


@pytest.mark.parametrize("name", files(Message.OWN_VERSIONS))
def test_our_versions_are_those_of_the_fixture(name: str) -> None:
    _, body, headers = answered(lambda _: versions.versions(BASE), configuration_module=True)
    assert body == fixture(name)
    assert problems(answer_schema("/ocpi/versions", "get"), body) == []
    assert not headers.keys() & ROUTING.keys()


@pytest.mark.parametrize("name", files(Message.OWN_VERSION_DETAILS))
def test_our_endpoints_are_those_of_the_fixture(name: str) -> None:
    version = fixture(name)["data"]["version"]
    _, body, _ = answered(lambda _: versions.version_details(BASE, version), configuration_module=True)
    same_shape(body, fixture(name))
    ours, theirs = (
        {(one["identifier"], one["role"]) for one in details["data"]["endpoints"]} for details in (body, fixture(name))
    )
    assert ours == theirs


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_the_details_of_each_version_keep_to_the_document(version: str) -> None:
    _, body, _ = answered(lambda _: versions.version_details(BASE, version), configuration_module=True)
    assert problems(answer_schema(f"/ocpi/{version}", "get"), body) == []


@pytest.mark.parametrize("name", files(Message.OWN_CREDENTIALS))
def test_our_credentials_are_those_of_the_fixture(name: str) -> None:
    wanted = fixture(name)["data"]
    own = OwnPlatform(wanted["url"], US, "Example CPO")
    _, body, _ = answered(lambda _: own_credentials(wanted["token"], own, ()), configuration_module=True)
    assert body == fixture(name)
    for method in ("get", "post", "put"):
        assert problems(answer_schema("/ocpi/2.2.1/credentials", method), body) == []


# --- Sessions ----------------------------------------------------------------------------------------------------------

PERIODS = (
    ChargingPeriod(1, START, START + timedelta(minutes=7), Decimal("1.25"), Decimal("11.03"), Decimal(48), Decimal(40)),
    ChargingPeriod(2, START + timedelta(minutes=7), START + timedelta(minutes=12), Decimal("0.92"), Decimal("11.04")),
)
# Optional fields that the examples have and we never do: the tariff is the CPO's own affair.
NEVER_OURS = frozenset({"charging_periods[].tariff_id"})


def version_of(name: str) -> str:
    return "2.3.0" if name.startswith("spec-2.3.0/") else "2.2.1"


def with_content_of(sample: Mapping[str, Any]) -> Session:
    """A session that has happened to what the sample tells of."""
    price = sample.get("total_cost")
    has_vat = price is not None and ("incl_vat" in price or "taxes" in price)
    return replace(
        session_of(event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD)),
        status=SessionStatus(sample.get("status", "ACTIVE")),
        end=START + timedelta(hours=2) if "end_date_time" in sample else None,
        meter_wh=Decimal(2500) if "kwh" in sample else Decimal(1000),
        total_cost=None if price is None else Price(Decimal("8.5"), Decimal("9.35") if has_vat else None),
    )


def written(sample: Mapping[str, Any], fields: JsonObject) -> Any:  # noqa: ANN401 - JSON
    """The fields with charging periods where the sample has them."""
    if "charging_periods" in sample:
        fields = {**fields, "charging_periods": charging_periods(PERIODS)}
    return on_the_wire(fields)


@pytest.mark.parametrize("name", files(Message.SESSION))
def test_a_session_has_the_fields_of_the_example(name: str) -> None:
    sample, version = fixture(name), version_of(name)
    ours = written(sample, session_fields(with_content_of(sample), "jedlix", KEY, version))
    absent = {path for path in NEVER_OURS if path in shape(sample)}
    assert lacking(shape(ours), shape(sample)) == absent
    # The first print of 2.2.1 forgot the eMSP's parties, which its own table requires (10.4.5).
    forgotten = {"cdr_token.country_code", "cdr_token.party_id"} if "original-2021" in name else set()
    assert lacking(shape(sample), shape(ours)) == forgotten
    assert problems("Session" if version == "2.2.1" else "TaxedSession", ours) == []


@pytest.mark.parametrize("name", files(Message.SESSION_PATCH))
def test_a_patch_has_the_fields_of_the_example_and_no_other(name: str) -> None:
    sample, version = fixture(name), version_of(name)
    before = session_fields(with_content_of({}), "jedlix", KEY, version)
    after = session_fields(with_content_of(sample), "jedlix", KEY, version)
    ours = written(sample, changed_fields(before, after))
    same_shape(ours, sample)
    assert problems("SessionPatch" if version == "2.2.1" else "TaxedSessionPatch", ours) == []


@pytest.mark.parametrize("name", files(Message.SESSION_PAGE))
def test_a_page_is_a_list_in_the_envelope(name: str) -> None:
    (sample,) = fixture(name)["data"]
    page = SessionPage([session_fields(with_content_of(sample), "jedlix", KEY)], 1, None)
    _, body, headers = answered(lambda _: DoorAnswer(page.sessions, page.headers(ENDPOINT)))
    same_shape(body, fixture(name))
    assert problems(answer_schema(SESSIONS["2.2.1"], "get"), body) == []
    assert "Link" not in headers


@pytest.mark.parametrize("version", versions.VERSIONS)
@given(session=strategies.sessions(), periods=strategies.charging_periods())
def test_whatever_happens_in_a_session_it_keeps_to_the_document(
    version: str, session: Session, periods: list[ChargingPeriod]
) -> None:
    shares = session.rights.shared_with("jedlix")
    fields = session_fields(session, "jedlix", KEY, version)
    ours = on_the_wire({**fields, "charging_periods": charging_periods(periods, shares)})
    plain = version == "2.2.1"
    assert problems("Session" if plain else "TaxedSession", ours) == []
    told = {one["type"] for period in ours["charging_periods"] for one in period["dimensions"]}
    assert "STATE_OF_CHARGE" not in told or Share.STATE_OF_CHARGE in shares


@pytest.mark.parametrize("version", versions.VERSIONS)
@given(before=strategies.sessions(), after=strategies.sessions(), periods=strategies.charging_periods())
def test_whatever_changes_in_a_session_its_patch_keeps_to_the_document(
    version: str, before: Session, after: Session, periods: list[ChargingPeriod]
) -> None:
    # What ended, and what it cost, is never taken back (domain.sessions).
    after = replace(after, end=after.end or before.end, total_cost=after.total_cost or before.total_cost)
    known = session_fields(before, "jedlix", KEY, version)
    changed = changed_fields(known, session_fields(after, "jedlix", KEY, version))
    ours = on_the_wire({**changed, "charging_periods": charging_periods(periods)})
    assert problems("SessionPatch" if version == "2.2.1" else "TaxedSessionPatch", ours) == []


@pytest.mark.parametrize("name", files(Message.LINK))
def test_our_link_is_written_as_the_examples_are_and_repeats_what_they_repeat(name: str) -> None:
    form = re.compile(r'<(https://[^<>\s]+)>; rel="next"')
    printed = form.fullmatch(re.sub(r"\s+(?=&)", "", text_of(name).strip().removeprefix("Link: ")))
    query = parsed("2016-01-01T00:00:00Z", date_to="2016-12-31T23:59:59Z", limit="50")
    following = query.following(Cursor(FeedEntry(0, query.since, "session-1"), 120), 50)
    ours = form.fullmatch(SessionPage([], 120, following).headers(ENDPOINT)["Link"])
    assert printed is not None
    assert ours is not None
    theirs_repeats, ours_repeats = (parse_qs(urlsplit(link[1]).query) for link in (printed, ours))
    assert theirs_repeats.keys() <= ours_repeats.keys()
    assert (ours_repeats["offset"], ours_repeats["limit"]) == (["50"], ["50"])


# --- Charging profiles -------------------------------------------------------------------------------------------------


def plan_of(active: JsonObject) -> Plan:
    """The plan of an ActiveChargingProfile in a fixture, by the parser of requests."""
    body = json.dumps({"charging_profile": active["charging_profile"], "response_url": "https://x"})
    return SetProfile.parse(OcpiRequest("PUT", {}, (), {}, MessageIds("r", "c"), body.encode())).plan


@pytest.mark.parametrize("name", files(Message.RESULT))
def test_a_result_is_the_bare_object_with_a_profile_where_one_was_read(name: str) -> None:
    sample = fixture(name)
    profile = plan_of(sample["profile"]) if "profile" in sample else None
    ours = on_the_wire(result_body(Answer(Result(sample["result"]), "why", profile)))
    assert ours == sample
    assert problems("ActiveChargingProfileResult" if "active" in name else "ProfileResult", ours) == []


def test_every_result_of_every_kind_has_its_fixture() -> None:
    stems = {name.rpartition("async_")[2].removesuffix(".json") for name in files(Message.RESULT)}
    kinds = ("charging_profile", "clear_profile", "active_charging_profile")
    assert stems == {f"{kind}_result_{result.value.lower()}" for kind in kinds for result in Result}


@pytest.mark.parametrize("name", files(Message.ACTIVE_PROFILE))
def test_an_active_profile_is_the_bare_object(name: str) -> None:
    ours = on_the_wire(active_charging_profile(plan_of(fixture(name))))
    assert ours == fixture(name)
    assert problems("ActiveChargingProfile", ours) == []


@given(plan=plans(absolute=True))
def test_whatever_a_charge_point_follows_its_profile_keeps_to_the_document(plan: Plan) -> None:
    ours = on_the_wire(active_charging_profile(plan))
    assert problems("ActiveChargingProfile", ours) == []
    assert ours["start_date_time"] == ours["charging_profile"]["start_date_time"]


# --- Pairing -----------------------------------------------------------------------------------------------------------


def evse_of(sample: Mapping[str, Any]) -> Evse:
    connectors = tuple(
        Connector(one["id"], number, PowerType(one["power_type"]), one["max_voltage"], one["max_amperage"])
        for number, one in enumerate(sample["connectors"], 1)
    )
    return Evse(
        sample["uid"], connectors, capabilities=frozenset({CHARGING_PROFILE_CAPABLE}), evse_id=sample["evse_id"]
    )


@pytest.mark.parametrize("name", files(Message.PAIR_CALL, Message.PAIR_ANSWER))
def test_an_evse_is_described_as_the_guide_does(name: str) -> None:
    sample = fixture(name)
    ours = on_the_wire({**sample, "evse": evse_fields(evse_of(sample["evse"]))})
    assert ours == sample
    assert problems("PairCall" if "code" in sample else "PairAnswer", ours) == []


@pytest.mark.parametrize("name", files(Message.PAIR_REFUSAL))
def test_a_wrong_code_is_http_404_with_a_message(name: str) -> None:
    def endpoint(_: PartnerCall) -> JsonObject:
        raise CodeUnknown

    event = proxy_event("POST", "/v1/cpo/ocpi2.2/pair", headers={"Authorization": "Token dA=="}, body="{}")
    answer: Any = pairing_endpoint(OnePartner())(endpoint)(event, None)
    assert answer["statusCode"] == 404
    same_shape(json.loads(answer["body"]), fixture(name))
    assert problems(answer_schema("/v1/cpo/ocpi2.2/pair", "post", 404), json.loads(answer["body"])) == []
