"""Every message that a partner may send us is read, whoever wrote it: the fixtures of tests/fixtures/ocpi, one by one.

What is read is compared with the file, value by value. What a request may be is also what the OpenAPI document says.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import Reply
from ocpi_bridge.adapters.partner_http.receipts import receipt_of
from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.tokens import candidates
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ocpi.charging_preferences import parse_preferences
from ocpi_bridge.ocpi.charging_profiles import ClearProfile, ReadActiveProfile, SetProfile, charging_profile
from ocpi_bridge.ocpi.credentials import Credentials
from ocpi_bridge.ocpi.datetimes import format_datetime, parse_datetime
from ocpi_bridge.ocpi.pairing import parse_code
from ocpi_bridge.ocpi.session_pages import MAX_PAGE, SessionQuery
from ocpi_bridge.ocpi.transport import MessageIds, OcpiRequest, TransportError
from tests.contract.catalogue import Message, files, text_of
from tests.contract.documented import on_the_wire, problems
from tests.support.clocks import START


def request_of(body: str = "", query: str = "") -> OcpiRequest:
    """A request as the gateway hands it on: its query decoded once."""
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    return OcpiRequest("PUT", {}, pairs, {}, MessageIds("req-1", "corr-1"), body.encode())


def without_nulls(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: without_nulls(part) for name, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def data_of(name: str) -> Any:  # noqa: ANN401 - whatever stands in the file
    """The object of a file, taken out of the envelope where there is one."""
    content = json.loads(text_of(name))
    return content["data"] if "status_code" in content else content


# --- Requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", files(Message.SET_CHARGING_PROFILE))
def test_a_charging_profile_is_read_without_losing_anything(name: str) -> None:
    sent = json.loads(text_of(name))
    read = SetProfile.parse(request_of(text_of(name)))
    assert on_the_wire(charging_profile(read.plan)) == without_nulls(sent["charging_profile"])
    assert read.response_url == sent["response_url"]
    assert problems("SetChargingProfile", sent) == []


@pytest.mark.parametrize("name", files(Message.PREFERENCES))
def test_charging_preferences_are_read(name: str) -> None:
    sent = json.loads(text_of(name))
    read = parse_preferences(request_of(text_of(name)))
    assert read.departure_time is not None
    assert {
        "profile_type": read.profile_type.value,
        "departure_time": format_datetime(read.departure_time),
        "energy_need": float(read.energy_need or 0),
        "discharge_allowed": read.discharge_allowed,
    } == sent
    assert problems("ChargingPreferences", sent) == []


@pytest.mark.parametrize("name", files(Message.CREDENTIALS))
def test_credentials_of_every_platform_are_read_with_all_their_parties(name: str) -> None:
    sent = json.loads(text_of(name))
    read = Credentials.parse(request_of(text_of(name)))
    assert (read.token, read.url) == (sent["token"], sent["url"])
    assert [(role.role, role.party.country_code, role.party.party_id) for role in read.roles] == [
        (role["role"], role["country_code"], role["party_id"]) for role in sent["roles"]
    ]
    assert problems("Credentials", sent) == []


@pytest.mark.parametrize("name", files(Message.PAIR_REQUEST))
def test_a_pair_request_is_read(name: str) -> None:
    sent = json.loads(text_of(name))
    assert parse_code(request_of(text_of(name))) == sent["code"]
    assert problems("PairRequest", sent) == []


@pytest.mark.parametrize("name", files(Message.BROKEN_JSON))
@pytest.mark.parametrize("read", [SetProfile.parse, Credentials.parse, parse_preferences, parse_code])
def test_what_is_no_json_is_http_400_with_2001(name: str, read: Any) -> None:  # noqa: ANN401 - a parser
    body = text_of(name).partition("\n")[2]
    with pytest.raises(TransportError, match="not valid JSON") as refused:
        read(request_of(body))
    assert (refused.value.http_status, refused.value.status_code) == (400, 2001)


@pytest.mark.parametrize("name", files(Message.SET_CHARGING_PROFILE))
@pytest.mark.parametrize("field", ["charging_profile", "response_url"])
def test_a_profile_without_a_required_field_names_it(name: str, field: str) -> None:
    lacking = {key: value for key, value in json.loads(text_of(name)).items() if key != field}
    with pytest.raises(InvalidInput) as refused:
        SetProfile.parse(request_of(json.dumps(lacking)))
    assert refused.value.field == field
    assert problems("SetChargingProfile", lacking)


@pytest.mark.parametrize("name", files(Message.CREDENTIALS))
@pytest.mark.parametrize("field", ["token", "url", "roles"])
def test_credentials_without_a_required_field_name_it(name: str, field: str) -> None:
    lacking = {key: value for key, value in json.loads(text_of(name)).items() if key != field}
    with pytest.raises(InvalidInput) as refused:
        Credentials.parse(request_of(json.dumps(lacking)))
    assert refused.value.field == field
    assert problems("Credentials", lacking)


@pytest.mark.parametrize(
    "name", files(Message.SET_CHARGING_PROFILE, Message.CREDENTIALS, Message.PREFERENCES, Message.PAIR_REQUEST)
)
def test_unknown_fields_are_never_a_reason_to_refuse(name: str) -> None:
    more = json.dumps(json.loads(text_of(name)) | {"hub_party_id": "XXHUB", "x_vendor": {"a": [1]}})
    readers = {
        Message.SET_CHARGING_PROFILE: SetProfile.parse,
        Message.CREDENTIALS: Credentials.parse,
        Message.PREFERENCES: parse_preferences,
        Message.PAIR_REQUEST: parse_code,
    }
    (read,) = (reader for message, reader in readers.items() if name in files(message))
    read(request_of(more))


# --- Versions ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", files(Message.VERSIONS))
def test_a_version_list_is_read_whole(name: str) -> None:
    listed = data_of(name)
    read = versions.read_versions(listed)
    assert [{"version": one.version, "url": one.url} for one in read] == listed


@pytest.mark.parametrize("name", files(Message.VERSIONS))
def test_the_newest_version_of_both_is_chosen_and_none_where_there_is_none(name: str) -> None:
    read = versions.read_versions(data_of(name))
    chosen = versions.newest_shared(read, versions.VERSIONS)
    offered = {one.version for one in read} & set(versions.VERSIONS)
    assert (chosen.version if chosen else None) == max(offered, default=None)


@pytest.mark.parametrize("name", files(Message.VERSION_DETAILS))
def test_version_details_are_read_whole(name: str) -> None:
    details = data_of(name)
    read = versions.read_version_details(details, details["version"])
    assert [{"identifier": one.module, "role": one.role, "url": one.url} for one in read] == details["endpoints"]


@pytest.mark.parametrize("name", files(Message.VERSION_DETAILS))
def test_endpoints_of_another_version_than_the_one_asked_for_are_not_called(name: str) -> None:
    with pytest.raises(InvalidInput, match="version"):
        versions.read_version_details(data_of(name), "2.1.1")


@pytest.mark.parametrize("name", files(Message.VERSION_DETAILS))
def test_an_endpoint_is_found_by_module_and_role_and_credentials_by_module_alone(name: str) -> None:
    details = data_of(name)
    read = versions.read_version_details(details, details["version"])
    for endpoint in details["endpoints"]:
        role = None if endpoint["identifier"] == "credentials" else endpoint["role"]
        assert versions.endpoint_url(read, endpoint["identifier"], role) == endpoint["url"]


# --- Headers, times and URLs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", files(Message.AUTHORIZATION))
def test_the_printed_authorization_headers_mean_their_tokens(name: str) -> None:
    printed = text_of(name).strip().removeprefix("Authorization: ")
    tokens = {"authorization_example-token": "example-token", "authorization_uuid_token": UUID_TOKEN}
    assert candidates(printed)[0] == tokens[name.rpartition("/")[2].removesuffix(".txt")]


UUID_TOKEN = "ebf3b399-779f-4497-9b9d-ac6ad3cc44d2"


@pytest.mark.parametrize("name", files(Message.TOKENS))
@pytest.mark.parametrize("form", ["correct_b64", "spec_printed_b64", "token"])
def test_a_token_is_known_in_each_of_its_spellings(name: str, form: str) -> None:
    for vector in json.loads(text_of(name))["vectors"]:
        assert vector["token"] in candidates(f"Token {vector[form]}")


@pytest.mark.parametrize("name", files(Message.DATE_TIMES))
def test_each_of_the_allowed_shapes_of_a_datetime_is_the_instant_that_it_says(name: str) -> None:
    shapes = text_of(name).split()
    assert len(shapes) == 6
    for shape in shapes:
        expected = datetime.fromisoformat(shape.removesuffix("Z")).replace(tzinfo=UTC)
        assert parse_datetime(shape) == expected


RESULT_URL = "https://www.msp.com/ocpi/2.2.1/chargingprofile/response?request_id=5678"

# What becomes of each URL of the tables: the response_url that is read, the parameter that is missing, or whose it is.
READ = {
    "https://www.cpo.com/ocpi/2.2.1/chargingprofiles/1234?response_url=https://www.server.com/example": (
        "https://www.server.com/example"
    ),
    f"https://www.cpo.com/ocpi/2.2.1/chargingprofiles/1234?duration=900&response_url={RESULT_URL}": RESULT_URL,
}
LISTS = {
    "https://www.server.com/ocpi/cpo/2.2.1/sessions/?date_from=2019-01-28T12:00:00&date_to=2019-01-29T12:00:00": None,
    "https://ocpi.server.com/2.2.1/sessions/?offset=50": "date_from",
    "https://www.server.com/ocpi/2.2.1/sessions/?date_from=2019-01-29T12:00:00&limit=100": None,
    "https://www.server.com/ocpi/cpo/2.2.1/sessions/?offset=50&limit=100": "date_from",
}
# The forms of paths are free (4.3), so there is nothing to be read from these.
NOTHING_TO_READ = {
    "https://www.cpo.com/ocpi/2.2.1/chargingprofiles/1234": "PUT at our Receiver interface",
    "https://www.server.com/ocpi/cpo/2.2.1/sessions/1234/charging_preferences": "PUT at our Sender interface",
    "https://www.server.com/ocpi/emsp/2.2.1/sessions/BE/BEC/1234": "a partner's: unit/usecases/test_push_session",
    "https://www.server.com/ocpi/2.2.1/chargingprofiles/1234": "a partner's: unit/usecases/test_watch_active_profile",
    "https://www.server.com/ocpi/2.2.1/chargingprofiles/chargingprofile/12345678": "a response_url",
    "https://www.server.com/activechargingprofile/12345678": "a response_url",
    "https://www.server.com/clearprofile?request_id=12345678": "a response_url",
    "https://www.server.com/ocpi/2.2.1/12345678": "a response_url",
    "https://www.server.com/ocpi/cpo/versions": "a version list",
    "https://www.server.com/ocpi/emsp/versions": "a version list",
    "https://ocpi.server.com/versions": "a version list",
    "https://www.server.com/ocpi/cpo/2.2.1": "version details",
    "https://www.server.com/ocpi/emsp/2.2.1": "version details",
    "https://ocpi.server.com/2.2.1/details": "version details",
}


def urls() -> list[str]:
    rows = [row for name in files(Message.URLS) for row in csv.reader(text_of(name).splitlines(), delimiter="\t")]
    return sorted({row[1] for row in rows if row[0] != "mod_hub_client_info"})


def test_every_url_of_the_tables_is_accounted_for() -> None:
    assert set(urls()) == READ.keys() | LISTS.keys() | NOTHING_TO_READ.keys()


@pytest.mark.parametrize("url", READ)
def test_an_unencoded_response_url_is_read_whole(url: str) -> None:
    request = request_of(query=urlsplit(url).query)
    read = ReadActiveProfile.parse(request) if "duration" in url else ClearProfile.parse(request)
    assert read.response_url == READ[url]


@pytest.mark.parametrize("url", LISTS)
def test_a_list_of_sessions_is_asked_for_by_its_query_or_the_missing_parameter_is_named(url: str) -> None:
    request = request_of(query=urlsplit(url).query)
    missing = LISTS[url]
    if missing is None:
        assert SessionQuery.parse(request).since.tzinfo is UTC
        return
    with pytest.raises(InvalidInput) as refused:
        SessionQuery.parse(request)
    assert refused.value.field == missing


@pytest.mark.parametrize("name", files(Message.QUERY))
def test_filters_are_read_and_a_limit_beyond_ours_is_ours(name: str) -> None:
    given = parse_qsl(urlsplit(text_of(name).strip()).query)
    names = {key for key, _ in given}
    query = SessionQuery.parse(request_of(query="&".join(f"{key}={value}" for key, value in _with_date(given))))
    assert query.limit == MAX_PAGE
    assert (query.until is not None) == ("date_to" in names)


def _with_date(given: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lists of other modules may be asked for without date_from; that of sessions may not (9.2.1.1)."""
    return [*dict([("date_from", "2016-01-01T00:00:00Z"), *given]).items()]


# --- Answers to our calls ----------------------------------------------------------------------------------------------


# What some platforms put into the `data` of their answer to a push, where none is defined (4.1.7): the object itself.
OBJECTS = files(Message.SESSION)


@pytest.mark.parametrize("name", files(Message.ANSWER))
def test_a_partners_success_is_a_delivery_whatever_its_data_are(name: str) -> None:
    receipt = receipt_of(Reply(200, body=text_of(name).encode()), START)
    assert receipt.delivered
    assert receipt.ocpi_status == 1000


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_in_the_data_of_an_acknowledgement_is_not_looked_at(name: str) -> None:
    envelope = {"status_code": 1001, "timestamp": "2026-01-15T17:00:00Z", "data": json.loads(text_of(name))}
    assert receipt_of(Reply(201, body=json.dumps(envelope).encode()), START).delivered


@pytest.mark.parametrize("name", files(Message.ERROR_ANSWER))
def test_a_partners_refusal_in_a_2xx_is_no_delivery(name: str) -> None:
    receipt = receipt_of(Reply(200, body=text_of(name).encode()), START)
    assert not receipt.delivered
    assert receipt.final
    assert receipt.ocpi_status == json.loads(text_of(name))["status_code"]
