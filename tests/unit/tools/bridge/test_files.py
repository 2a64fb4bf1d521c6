import json
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from ocpi_bridge.domain.assignments import Assignment, Share
from ocpi_bridge.domain.partners import (
    DEFAULT_RATE,
    OAuth2Client,
    OutboundAuth,
    Pairing,
    Partner,
    Party,
    Rate,
    Registration,
)
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.stations import (
    Connector,
    Csms,
    CsmsAuth,
    CsmsDriver,
    CsmsMode,
    Evse,
    OcppVersion,
    ProfileIdRange,
    Quirk,
    Replacement,
    Station,
)
from tests.support.operator import EXAMPLES, ROOT, Change, Write
from tools.bridge import files
from tools.bridge.files import FileRefused

READERS: dict[str, Callable[[Path], object]] = {
    "partner.json": lambda path: files.read_partner(path, local=False),
    "partner-oauth2.json": lambda path: files.read_partner(path, local=False),
    "csms.json": lambda path: files.read_csms(path, local=False),
    "csms-bus.json": lambda path: files.read_csms(path, local=False),
    "stations.json": files.read_stations,
    "assignments.json": files.read_assignments,
}


def setting(path: str, value: object) -> Change:
    """Sets the value at a path such as `stations.0.evses.1.uid`."""

    def change(content: dict[str, Any]) -> None:
        holder, name = found(content, path)
        holder[name] = value

    return change


def removing(path: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        holder, name = found(content, path)
        del holder[name]

    return change


def found(content: dict[str, Any], path: str) -> tuple[Any, str | int]:
    """What holds the last name of a path, and that name."""
    *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    holder: Any = content
    for step in way:
        holder = holder[step]
    return holder, last


def problems(file: Path) -> dict[str, str]:
    with pytest.raises(FileRefused) as refused:
        READERS[file.name](file)
    assert refused.value.path == file
    assert all(str(file) in line for line in str(refused.value).splitlines())
    return {problem.field: problem.problem for problem in refused.value.problems}


# --- The documented examples -----------------------------------------------------------------------------------------


def test_the_example_of_a_partner_is_read() -> None:
    partner = files.read_partner(EXAMPLES / "partner.json", local=False)
    assert partner.partner_id == "jedlix"
    assert partner.callback_hosts == (".jedlix.com",)
    assert partner.rate == DEFAULT_RATE


def test_the_example_of_a_partner_with_oauth2_is_read() -> None:
    partner = files.read_partner(EXAMPLES / "partner-oauth2.json", local=False)
    assert (partner.auth, partner.accepts_bearer) == (OutboundAuth.OAUTH2, True)
    assert partner.oauth2 is not None
    assert (partner.oauth2.api_key_header, partner.oauth2.scope) == ("ApiKey", None)
    assert partner.pairing is not None


def test_the_example_of_a_csms_is_read() -> None:
    csms = files.read_csms(EXAMPLES / "csms.json", local=False)
    assert csms.parameters == (("tenantId", "1"),)
    assert csms.replacement is Replacement.SAME_ID


def test_the_example_of_stations_is_read() -> None:
    content = files.read_stations(EXAMPLES / "stations.json")
    first, second = content.stations
    assert {first.csms_id, second.csms_id, content.csms_id} == {"acme"}
    assert first.evses[0].cap_w == Decimal(11_000)
    assert first.allowed_units == frozenset(RateUnit)
    assert second.ocpp_version is OcppVersion.V201


def test_the_example_of_assignments_is_read() -> None:
    steer, see = files.read_assignments(EXAMPLES / "assignments.json")
    assert (steer.key, steer.valid_from, steer.valid_until) == ("3256", datetime(2026, 1, 1, tzinfo=UTC), None)
    assert (steer.shares, see.shares) == (frozenset({Share.STATE_OF_CHARGE}), frozenset())
    assert see.valid_until == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("example", "document"),
    [
        ("partner.json", lambda path: files.partner_document(files.read_partner(path, local=False))),
        ("partner-oauth2.json", lambda path: files.partner_document(files.read_partner(path, local=False))),
        ("csms.json", lambda path: files.csms_document(files.read_csms(path, local=False))),
        ("csms-bus.json", lambda path: files.csms_document(files.read_csms(path, local=False))),
        (
            "stations.json",
            lambda path: {
                "csms_id": "acme",
                "stations": [files.station_document(one) for one in files.read_stations(path).stations],
            },
        ),
        (
            "assignments.json",
            lambda path: {"assignments": [files.assignment_document(one) for one in files.read_assignments(path)]},
        ),
    ],
)
def test_what_is_written_says_what_was_read(
    example: str, document: Callable[[Path], dict[str, files.Json]], tmp_path: Path
) -> None:
    written = document(EXAMPLES / example)
    (tmp_path / example).write_text(json.dumps(written))
    assert READERS[example](tmp_path / example) == READERS[example](EXAMPLES / example)


@pytest.mark.parametrize(
    "kind",
    [
        Partner,
        Party,
        OAuth2Client,
        Pairing,
        Rate,
        Csms,
        ProfileIdRange,
        Station,
        Evse,
        Connector,
        Assignment,
    ],
)
def test_every_field_is_documented(kind: type) -> None:
    documentation = (ROOT / "docs/configuration.md").read_text()
    undocumented = [field.name for field in fields(kind) if f"`{field.name}`" not in documentation]
    assert undocumented == []


@pytest.mark.parametrize("kind", [OutboundAuth, Registration, Share, CsmsAuth, CsmsDriver, Quirk])
def test_every_choice_is_documented(kind: type[StrEnum]) -> None:
    documentation = (ROOT / "docs/configuration.md").read_text()
    assert [choice.value for choice in kind if f"`{choice.value}`" not in documentation] == []


# --- What is wrong with a file as a whole ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"partner_id": }', "line 1, column 16"),
        (b"[]", "file"),
        (b"\xff\xfe", "file"),
        (b"", "line 1, column 1"),
        (b'{"name": "a", "name": "b"}', "name"),
        (b'{"meter_push_interval": NaN}', "NaN"),
        (b'{"meter_push_interval": ' + b"9" * 5000 + b"}", "file"),
        (b"[" * 100_000, "file"),
    ],
)
def test_a_file_that_is_no_json_object_is_refused_with_the_place(content: bytes, field: str, tmp_path: Path) -> None:
    file = tmp_path / "partner.json"
    file.write_bytes(content)
    assert list(problems(file)) == [field]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "No such file" in problems(tmp_path / "partner.json")["file"]


# --- What is wrong with a field --------------------------------------------------------------------------------------

API: dict[str, Any] = {
    "name": "ours",
    "operations": [{"kind": "SET", "path": "/stations/{station_id}/profile"}],
    "synchronous": {},
}
JDX = {"country_code": "NL", "party_id": "JDX"}
S, E, C = "stations.0.", "stations.0.evses.0.", "stations.0.evses.0.connectors.0."


@pytest.mark.parametrize(
    ("example", "path", "value", "expected"),
    [
        ("partner.json", "partner_id", "a/b", "letters, digits"),
        ("partner.json", "partner_id", "", "letters, digits"),
        ("partner.json", "name", "", "1 to 100"),
        ("partner.json", "party.country_code", "NLD", "two letters"),
        ("partner.json", "party.party_id", "JEDLIX", "three letters"),
        ("partner.json", "callback_hosts", [], "at least one"),
        ("partner.json", "callback_hosts.0", ".com", "two labels"),
        ("partner.json", "callback_hosts.0", "https://jedlix.com", "host name"),
        ("partner.json", "callback_hosts.0", "10.0.0.1", "IP address"),
        ("partner.json", "callback_hosts.0", "localhost", "this machine"),
        ("partner.json", "callback_hosts.0", "localhost:8443", "this machine"),
        ("partner.json", "callback_hosts.0", 1, "valid string"),
        ("partner.json", "sessions_url", "http://ocpi.jedlix.com/", "https"),
        ("partner.json", "sessions_url", "https://127.0.0.1/", "this machine"),
        ("partner.json", "sessions_url", "not a url", "https URL"),
        ("partner.json", "sessions_url", "https://user:pw@ocpi.jedlix.com/", "user information"),
        ("partner.json", "sessions_url", "https://ocpi.jedlix.com/" + "x" * 255, "255"),
        ("partner.json", "sessions_url", "https://ocpi.jedlix.com/sessions?key=1", "no query"),
        ("partner.json", "charging_profiles_url", "ftp://ocpi.jedlix.com/", "https"),
        ("partner.json", "token_encoding", "hex", "'base64' or 'plain'"),
        ("partner.json", "registration", "registered", "no one's to write"),
        ("partner.json", "credential", "c7", "no one's to write"),
        ("partner.json", "version", "2.1.1", "2.2.1, 2.3.0"),
        ("partner.json", "versions_url", "http://ocpi.jedlix.com/versions", "https"),
        ("partner.json", "versions_url", "https://10.0.0.1/versions", "IP address"),
        ("partner.json", "parties", [{"country_code": "DE", "party_id": "JDS"}], "must contain"),
        ("partner.json", "parties.0.party_id", "JEDLIX", "three letters"),
        (
            "partner.json",
            "parties",
            [{"country_code": "NL", "party_id": f"J{n}"} for n in range(10, 31)] + [JDX],
            "at most 20",
        ),
        ("partner.json", "auth", "token", "'ocpi_token', 'bearer' or 'oauth2_client_credentials'"),
        ("partner.json", "accepts_bearer", "yes", "valid boolean"),
        ("partner.json", "oauth2", {"token_url": "https://l.example/t", "client_id": "us"}, "must be left out"),
        ("partner-oauth2.json", "pairing.url", "https://pair.example/v1", "callback_hosts"),
        ("partner-oauth2.json", "pairing.url", "http://ocpi.jedlix.com/v1", "https"),
        ("partner-oauth2.json", "oauth2", None, "needs it"),
        ("partner-oauth2.json", "oauth2.token_url", "http://login.example/t", "https"),
        ("partner-oauth2.json", "oauth2.token_url", "https://10.0.0.1/t", "IP address"),
        ("partner-oauth2.json", "oauth2.token_url", "https://u:p@login.example/t", "user information"),
        ("partner-oauth2.json", "oauth2.token_url", "https://login.example/t#f", "fragment"),
        ("partner-oauth2.json", "oauth2.token_url", "http://localhost:9000/t", "this machine"),
        ("partner-oauth2.json", "oauth2.token_url", "https://login.example/" + "x" * 255, "255"),
        ("partner-oauth2.json", "oauth2.client_id", "", "1 to 255"),
        ("partner-oauth2.json", "oauth2.audience", "é", "printable"),
        ("partner-oauth2.json", "oauth2.scope", "a\nb", "printable"),
        ("partner-oauth2.json", "oauth2.api_key_header", "Api Key", "HTTP header"),
        ("partner-oauth2.json", "oauth2.api_key_header", "", "HTTP header"),
        ("partner-oauth2.json", "oauth2.api_key_header", "authorization", "for itself"),
        ("partner-oauth2.json", "oauth2.api_key_header", "X-Request-ID", "for itself"),
        ("partner-oauth2.json", "oauth2.api_key_header", "OCPI-to-party-id", "for itself"),
        ("partner-oauth2.json", "oauth2.client_secret", "hunter2", "is no field"),
        ("partner.json", "rate.burst", 0, "at least 1"),
        ("partner.json", "rate.burst", "10", "valid integer"),
        ("partner.json", "clear_rate.seconds_per_request", 0, "more than 0"),
        ("partner.json", "meter_push_interval", 0, "1 to 86400 s"),
        ("partner.json", "fail_safe", 599, "600 to 604800 s"),
        ("partner.json", "fail_safe", 604_801, "600 to 604800 s"),
        ("partner.json", "fail_safe", "2 h", "valid integer"),
        ("csms.json", "csms_id", "a#b", "letters, digits"),
        ("csms.json", "preset", "steve", "citrineos"),
        ("csms.json", "preset", None, "valid string"),
        ("csms.json", "preset", "", "describe the API in `api`"),
        ("csms.json", "driver", "mqtt", "'http' or 'bus'"),
        ("csms-bus.json", "bus_accounts.0", "11112222333", "12 digits"),
        ("csms-bus.json", "bus_accounts.0", 111122223333, "valid string"),
        ("csms.json", "auth", "digest", "'oauth2_client_credentials'"),
        ("csms.json", "oauth2", {"token_url": "https://l.example/t", "client_id": "us"}, "must be left out"),
        ("csms-bus.json", "preset", "citrineos", "calls no API"),
        ("csms-bus.json", "base_url", "https://csms.example.com", "calls no API"),
        ("csms-bus.json", "api", API, "calls no API"),
        ("csms-bus.json", "oauth2", {"token_url": "https://l.example/t", "client_id": "us"}, "calls no API"),
        ("csms-bus.json", "auth", "bearer", "'none'"),
        ("csms-bus.json", "mode", "synchronous", "'callback'"),
        ("csms-bus.json", "profile_ids.first", 0, "from 1"),
        ("csms.json", "mode", "async", "'synchronous' or 'callback'"),
        ("csms.json", "base_url", "http://csms.example.com", "https"),
        ("csms.json", "base_url", "http://localhost:8080", "https"),
        ("csms.json", "base_url", "https://", "host"),
        ("csms.json", "base_url", "https://csms.example.com:99999", "URL"),
        ("csms.json", "base_url", "https://user:pw@csms.example.com", "--api-credential"),
        ("csms.json", "base_url", "https://csms.example.com?tenant=1", "query"),
        ("csms.json", "profile_ids.first", 0, "from 1"),
        ("csms.json", "profile_ids.last", 2**31, "2147483647"),
        ("csms.json", "profile_ids", {"first": 10, "last": 20}, "at least 64"),
        ("csms.json", "profile_ids", {"first": 2000, "last": 1000}, "at least 64"),
        ("csms.json", "country_code", "", "two letters"),
        ("csms.json", "stack_level", -1, "from 0"),
        ("csms.json", "call_timeout", 21, "1 to 20 s"),
        ("csms.json", "result_timeout", 20, "21 to 900 s"),
        ("csms.json", "parameters", ["tenantId"], "object"),
        ("csms.json", "parameters.tenantId", 1, "text"),
        ("csms.json", "parameters.tenant", "1", "parameter of preset"),
        ("stations.json", "csms_id", 7, "valid string"),
        ("stations.json", "stations", {}, "valid array"),
        ("stations.json", S + "csms_id", "acme", "stands once"),
        ("stations.json", S + "station_id", "CP 001", "OCPP identity"),
        ("stations.json", S + "location_id", "x" * 37, "1 to 36"),
        ("stations.json", S + "ocpp_version", "2.1", "'1.6' or '2.0.1'"),
        ("stations.json", S + "allowed_units", [], "at least one"),
        ("stations.json", S + "allowed_units.0", "kW", "'W' or 'A'"),
        ("stations.json", S + "max_periods", 0, "from 1"),
        ("stations.json", S + "max_stack_level", -1, "from 0"),
        ("stations.json", S + "currency", "eur", "capital"),
        ("stations.json", S + "evses", [], "at least one"),
        ("stations.json", E + "uid", "", "1 to 36"),
        ("stations.json", E + "uid", " 3256", "1 to 36"),
        ("stations.json", E + "cap_w", -1, "negative"),
        ("stations.json", E + "cap_w", "much", "decimal"),
        ("stations.json", E + "capabilities", ["CHARGING_PROFILES_CAPABLE"], "Capability"),
        ("stations.json", E + "connectors", [], "at least one"),
        ("stations.json", E + "ocpp_evse_id", 0, "from 1"),
        ("stations.json", E + "evse_id", "", "by eMI3"),
        ("stations.json", E + "evse_id", "BE*BEC*E 041503001", "by eMI3"),
        ("stations.json", E + "evse_id", "E" * 49, "by eMI3"),
        ("stations.json", C + "connector_id", "", "1 to 36"),
        ("stations.json", C + "ocpp_connector_id", 0, "from 1 to 64"),
        ("stations.json", C + "ocpp_connector_id", 65, "from 1 to 64"),
        ("stations.json", C + "power_type", "AC_3", "'AC_3_PHASE'"),
        ("stations.json", C + "max_voltage", 400, "line and neutral"),
        ("stations.json", C + "max_voltage", 230.5, "valid integer"),
        ("stations.json", C + "nominal_voltage", 0, "from 1"),
        ("stations.json", C + "nominal_voltage", 400, "line and neutral"),
        ("stations.json", C + "max_amperage", 0, "A per phase"),
        ("stations.json", C + "max_electric_power", 0, "1 W"),
        ("stations.json", "stations.1.evses.0.connectors.0.max_voltage", 1501, "1500 V"),
        ("stations.json", "stations.1.preferred_unit", "kW", "'W' or 'A'"),
        ("assignments.json", "assignments.0.scope", "site", "'evse'"),
        ("assignments.json", "assignments.0.right", "own", "'see' or 'steer'"),
        ("assignments.json", "assignments.0.key", "", "1 to 36"),
        ("assignments.json", "assignments.0.shares.0", "name", "'token' or 'state_of_charge'"),
        ("assignments.json", "assignments.0.valid_from", "yesterday", "datetime"),
        ("assignments.json", "assignments.1.valid_until", "2025-01-01T00:00:00Z", "after valid_from"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_expected(
    example: str, path: str, value: object, expected: str, write: Write
) -> None:
    told = problems(write(example, setting(path, value)))
    assert path in told
    assert expected in told[path]


def test_a_required_field_that_is_missing_is_named(write: Write) -> None:
    assert problems(write("stations.json", removing(S + "location_id"))) == {S + "location_id": "is missing"}
    assert problems(write("stations.json", removing("csms_id"))) == {"csms_id": "is missing"}


def test_a_mistyped_name_is_an_error_with_a_hint_and_not_a_default(write: Write) -> None:
    told = problems(write("stations.json", setting(E + "cap", 11_000)))
    assert told == {E + "cap": "is no field of this object; is cap_w meant?"}


def test_an_unknown_name_is_told_with_the_known_ones(write: Write) -> None:
    assert "country_code, party_id" in problems(write("partner.json", setting("party.zzz", 1)))["party.zzz"]


def test_everything_that_is_wrong_is_told_at_once(write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        setting(C + "power_type", "AC")(content)
        setting("stations.1.curency", "EUR")(content)
        removing("stations.1.location_id")(content)

    assert set(problems(write("stations.json", change))) == {
        C + "power_type",
        "stations.1.curency",
        "stations.1.location_id",
    }


def test_no_message_repeats_a_value_that_may_be_a_secret(write: Write) -> None:
    file = write("partner.json", setting("token", "hunter2-hunter2-hunter2"))
    with pytest.raises(FileRefused) as refused:
        files.read_partner(file, local=False)
    assert "hunter2" not in str(refused.value)


# --- Rules between fields --------------------------------------------------------------------------------------------


def test_two_connectors_of_an_ocpp_16_station_need_numbers_of_their_own(write: Write) -> None:
    path = "stations.0.evses.1.connectors.0.ocpp_connector_id"
    assert "already" in problems(write("stations.json", setting(path, 1)))[path]


def test_connectors_of_ocpp_201_are_counted_within_their_evse(write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        evses = content["stations"][1]["evses"]
        evses.append({**evses[0], "uid": "3259", "ocpp_evse_id": 2})

    assert len(files.read_stations(write("stations.json", change)).stations[1].evses) == 2


def test_two_evses_of_an_ocpp_201_station_need_numbers_of_their_own(write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        evses = content["stations"][1]["evses"]
        evses.append({**evses[0], "uid": "3259", "ocpp_evse_id": None})

    assert "EVSE 1" in problems(write("stations.json", change))["stations.1.evses.1.ocpp_evse_id"]


def test_connector_ids_are_unique_within_an_evse_without_regard_to_case(write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        connectors = content["stations"][0]["evses"][0]["connectors"]
        connectors[0]["connector_id"] = "a"
        connectors.append({**connectors[0], "connector_id": "A", "ocpp_connector_id": 9})

    assert list(problems(write("stations.json", change))) == [E + "connectors.1.connector_id"]


def test_a_station_has_as_many_connectors_as_a_session_can_tell_apart(write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        evse = content["stations"][0]["evses"][0]
        evse["connectors"] = [
            {**evse["connectors"][0], "connector_id": str(number), "ocpp_connector_id": number + 1}
            for number in range(64)
        ]

    assert "64" in problems(write("stations.json", change))["stations.0.evses"]


def test_the_preferred_unit_is_one_that_the_station_takes(write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content["stations"][0].update(allowed_units=["A"], preferred_unit="W")

    assert list(problems(write("stations.json", change))) == [S + "preferred_unit"]


@pytest.mark.parametrize(("key", "right"), [("NL/TNM", True), ("NLTNM", False), ("NL/TNMX", False), ("N1/TNM", False)])
def test_an_emsp_is_named_by_country_code_and_party_id(key: str, right: bool, write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content["assignments"][0].update(scope="emsp", key=key)

    file = write("assignments.json", change)
    if right:
        assert files.read_assignments(file)[0].key == key
    else:
        assert list(problems(file)) == ["assignments.0.key"]


def test_what_a_person_shares_rests_on_consent(write: Write) -> None:
    file = write("assignments.json", setting("assignments.0.consent", " "))
    assert list(problems(file)) == ["assignments.0.consent"]


def test_a_party_is_named_once_without_regard_to_case(write: Write) -> None:
    parties = [{"country_code": "NL", "party_id": "JDX"}, {"country_code": "nl", "party_id": "jdx"}]
    assert problems(write("partner.json", setting("parties", parties))) == {
        "parties.1": "is given at parties.0 already"
    }


@pytest.mark.parametrize("field", ["sessions_url", "charging_profiles_url"])
def test_a_pairing_url_may_be_on_the_host_of_an_endpoint(field: str, write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content.update({field: "https://ocpi.partner.example/x", "pairing": {"url": "https://ocpi.partner.example/y"}})

    assert files.read_partner(write("partner.json", change), local=False).pairing is not None


def test_a_malformed_endpoint_is_told_where_it_stands_and_not_at_the_pairing(write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        content.update(sessions_url="not a url", pairing={"url": "https://ocpi.jedlix.com/pair"})

    assert list(problems(write("partner.json", change))) == ["sessions_url"]


def test_the_fields_of_a_handshake_are_neither_read_written_nor_proposed(write: Write) -> None:
    partner = files.read_partner(EXAMPLES / "partner.json", local=False)
    assert (partner.registration, partner.credential) == (Registration.STATIC, "")
    assert not files.partner_document(partner).keys() & {"registration", "credential"}
    told = problems(write("partner.json", setting("zzz", 1)))["zzz"]
    assert "versions_url" in told
    assert "registration" not in told
    assert "registration" not in problems(write("partner.json", setting("registratio", "static")))["registratio"]


@pytest.mark.parametrize("seconds", [None, 600])
def test_the_fail_safe_can_be_switched_off_and_stays_off(seconds: int | None, write: Write, tmp_path: Path) -> None:
    partner = files.read_partner(write("partner.json", setting("fail_safe", seconds)), local=False)
    assert partner.fail_safe == seconds
    document = files.partner_document(partner)
    assert document["fail_safe"] == seconds
    (tmp_path / "again.json").write_text(json.dumps(document))
    assert files.read_partner(tmp_path / "again.json", local=False) == partner


def test_a_fail_safe_that_is_not_named_is_on(write: Write) -> None:
    assert files.read_partner(write("partner.json", removing("fail_safe")), local=False).fail_safe == 7200


def described(content: dict[str, Any]) -> None:
    """The CSMS with a description of its own API instead of a preset."""
    for name in ("preset", "parameters"):
        del content[name]
    content.update(mode="synchronous", api=API)


def test_a_csms_may_describe_its_api_instead_of_naming_a_preset(write: Write, tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        described(content)
        content["api"]["operations"] = [
            {**API["operations"][0], "query": {"id": "{profile_id}"}},
            {"kind": "CLEAR", "path": "/stations/{station_id}/profile", "method": "DELETE"},
        ]

    csms = files.read_csms(write("csms.json", change), local=False)
    assert csms.api is not None
    assert csms.preset == ""
    assert [one.method for one in csms.api.operations] == ["POST", "DELETE"]
    document = files.csms_document(csms)
    assert "preset" not in document
    (tmp_path / "again.json").write_text(json.dumps(document))
    assert files.read_csms(tmp_path / "again.json", local=False) == csms


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("api.operations.0.kind", "START", "'SET'"),
        ("api.operations.0.pathh", "/x", "is path meant?"),
        ("api.operations.0.path", "stations", "slash"),
        ("api.operations.0.path", "/{password}", "no value or parameter"),
        ("api.operations.0.body", {"renam": {}}, "is rename meant?"),
        ("api.operations", [], "at least one"),
        ("mode", "callback", "not possible"),
    ],
)
def test_a_description_is_checked_as_whole_as_the_rest(path: str, value: object, told: str, write: Write) -> None:
    def change(content: dict[str, Any]) -> None:
        described(content)
        content["api"] = json.loads(json.dumps(API))
        setting(path, value)(content)

    found = problems(write("csms.json", change))
    [(field, problem)] = found.items()
    assert field.startswith(path.split(".renam", maxsplit=1)[0])
    assert told in problem


def oauth2(**fields: object) -> Change:
    client = {"token_url": "https://login.example/t", "client_id": "us", **fields}
    return lambda content: content.update(auth="oauth2_client_credentials", oauth2=client)


def test_a_csms_may_ask_for_oauth2(write: Write) -> None:
    csms = files.read_csms(write("csms.json", oauth2()), local=False)
    assert csms.oauth2 is not None
    assert csms.oauth2.client_id == "us"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (setting("auth", "oauth2_client_credentials"), "oauth2"),
        (oauth2(token_url="http://login.example/t"), "oauth2.token_url"),
        (oauth2(client_id=""), "oauth2.client_id"),
        (oauth2(api_key_header="ApiKey"), "oauth2.api_key_header"),
        (lambda content: content.update(auth="header", auth_header="Content-Type"), "auth_header"),
        (lambda content: content.update(auth="header", auth_header="X Key"), "auth_header"),
    ],
)
def test_how_we_authenticate_at_a_csms_is_checked(change: Change, field: str, write: Write) -> None:
    assert [*problems(write("csms.json", change))] == [field]


def test_the_example_of_a_csms_on_the_bus_is_read() -> None:
    csms = files.read_csms(EXAMPLES / "csms-bus.json", local=False)
    assert (csms.driver, csms.mode, csms.base_url) == (CsmsDriver.BUS, CsmsMode.CALLBACK, "")
    assert csms.bus_accounts == ("111122223333",)


def test_a_csms_on_the_bus_may_say_where_its_sessions_name_the_transaction(write: Write) -> None:
    file = write("csms-bus.json", setting("parameters", {"transaction_at": "ocpp_transaction_id"}))
    assert files.read_csms(file, local=False).parameters == (("transaction_at", "ocpp_transaction_id"),)


@pytest.mark.parametrize(
    ("example", "change", "field"),
    [
        ("stations.json", setting(S + "quirks", ["no_phases"]), S + "quirks.0"),
        ("csms-bus.json", setting("bus_accounts", ["111122223333", "111122223333"]), "bus_accounts.1"),
        ("csms-bus.json", setting("parameters", {"tenantId": "1"}), "parameters.tenantId"),
        ("csms-bus.json", setting("driver", "http"), "mode"),
        ("csms.json", setting("api", API), "preset"),
        ("csms.json", removing("preset"), "preset"),
        ("csms.json", removing("base_url"), "base_url"),
    ],
)
def test_what_does_not_fit_is_named(example: str, change: Change, field: str, write: Write) -> None:
    assert field in problems(write(example, change))


def test_quirks_are_read_and_written(write: Write) -> None:
    content = files.read_stations(write("stations.json", setting(S + "quirks", ["no_composite", "no_number_phases"])))
    assert content.stations[0].quirks == {Quirk.NO_COMPOSITE, Quirk.NO_NUMBER_PHASES}
    assert files.station_document(content.stations[0])["quirks"] == ["no_composite", "no_number_phases"]


def test_a_time_without_a_zone_is_utc(write: Write) -> None:
    file = write("assignments.json", setting("assignments.0.valid_from", "2026-06-01T12:00:00"))
    assert files.read_assignments(file)[0].valid_from == datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_a_local_stage_may_name_this_machine(write: Write) -> None:
    def partner(content: dict[str, Any]) -> None:
        content.update(
            callback_hosts=["localhost:8443", "127.0.0.1"],
            sessions_url="http://localhost:9000/ocpi/2.2.1/sessions",
            charging_profiles_url=None,
            versions_url="http://localhost:9000/ocpi/versions",
            auth="oauth2_client_credentials",
            oauth2={"token_url": "http://127.0.0.1:9001/token", "client_id": "us"},
            pairing={"url": "http://localhost:9000/pair"},
        )

    assert files.read_partner(write("partner.json", partner), local=True).sessions_url is not None
    local_csms = write("csms.json", setting("base_url", "http://127.0.0.1:8080"))
    assert files.read_csms(local_csms, local=True).base_url == "http://127.0.0.1:8080"
    foreign_csms = write("csms.json", setting("base_url", "http://csms.example.com"))
    with pytest.raises(FileRefused):
        files.read_csms(foreign_csms, local=True)


def test_an_optional_field_may_be_null(write: Write) -> None:
    file = write("partner.json", setting("sessions_url", None))
    assert files.read_partner(file, local=False).sessions_url is None
