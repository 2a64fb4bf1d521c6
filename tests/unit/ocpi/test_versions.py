"""Versions: what we advertise, and what we make of a partner's lists."""

import pytest

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.ocpi.versions import (
    MAX_ENTRIES,
    VERSIONS,
    Endpoint,
    OfferedVersion,
    endpoint_url,
    newest_shared,
    read_version_details,
    read_versions,
    version_details,
    version_in,
    versions,
    versions_url,
)
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.fixtures import ocpi_fixture

BASE = "https://api.example/prod"


# --- What we serve ---------------------------------------------------------------------------------------------------


def test_the_version_list_leads_to_the_details_of_each_version() -> None:
    assert versions(BASE) == [
        {"version": "2.2.1", "url": f"{BASE}/ocpi/2.2.1"},
        {"version": "2.3.0", "url": f"{BASE}/ocpi/2.3.0"},
    ]
    assert versions_url(BASE) == f"{BASE}/ocpi/versions"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_details_advertise_what_is_served_and_nothing_else(version: str) -> None:
    endpoints: list[JsonValue] = [
        {"identifier": identifier, "role": role, "url": f"{BASE}/ocpi/{version}/{identifier}"}
        for identifier, role in (("credentials", "SENDER"), ("sessions", "SENDER"), ("chargingprofiles", "RECEIVER"))
    ]
    assert version_details(BASE, version) == {"version": version, "endpoints": endpoints}


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("/ocpi/2.2.1", "2.2.1"),
        ("/ocpi/2.3.0/", "2.3.0"),
        ("/ocpi/2.3.0/credentials", "2.3.0"),
        ("/ocpi/2.2.1/sessions/2.3.0/charging_preferences", "2.2.1"),
        ("/base/path/ocpi/2.3.0/credentials/", "2.3.0"),
        ("/ocpi/ocpi/2.3.0", "2.3.0"),
        ("/ocpi/versions", None),
        ("/ocpi/2.1.1", None),
        ("/2.2.1", None),
        ("", None),
    ],
)
def test_a_path_names_its_version(path: str, version: str | None) -> None:
    assert version_in(path) == version


# --- What a partner serves -------------------------------------------------------------------------------------------


def test_the_fixtures_are_read() -> None:
    listed = read_versions(ocpi_fixture("constructed/transport/versions_response")["data"])
    assert [one.version for one in listed] == ["2.2.1", "2.3.0"]
    assert read_versions(ocpi_fixture("spec-2.2.1/versions_info_example"))[1].url == "https://www.server.com/ocpi/2.2.1"
    details = ocpi_fixture("constructed/transport/version_details_scsp_response")["data"]
    endpoints = read_version_details(details, "2.2.1")
    assert endpoint_url(endpoints, "sessions", "RECEIVER") == "https://scsp.example.com/ocpi/scsp/2.2.1/sessions"
    assert endpoint_url(endpoints, "chargingprofiles", "RECEIVER") is None


def test_entries_that_say_nothing_are_passed_over() -> None:
    good: JsonValue = {"version": "2.2.1", "url": "https://a.example", "more": [1]}
    broken: list[JsonValue] = [None, "2.2.1", {}, {"version": "2.2.1"}, {"version": 2.2, "url": "x"}]
    oversized: JsonValue = {"version": "2.3.0", "url": "https://" + "a" * 255}
    assert read_versions([*broken, good, oversized]) == (OfferedVersion("2.2.1", "https://a.example"),)
    endpoints: list[JsonValue] = [
        None,
        {"identifier": "sessions"},
        {"identifier": "sessions", "role": "RECEIVER", "url": None},
        {"identifier": "tokens", "role": 5, "url": "https://a.example/tokens"},
    ]
    assert read_version_details({"endpoints": endpoints}, "2.2.1") == (
        Endpoint("tokens", "", "https://a.example/tokens"),
    )


@pytest.mark.parametrize("data", [None, {}, "2.2.1", [], [None], [{"version": "2.2.1"}], [{}] * (MAX_ENTRIES + 1)])
def test_a_list_of_which_nothing_can_be_read_is_refused(data: JsonValue) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_versions(data)
    assert raised.value.field == "data"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (None, "data"),
        ([], "data"),
        ({}, "data.endpoints"),
        ({"version": "2.2.1", "endpoints": None}, "data.endpoints"),
        ({"version": "2.2.1", "endpoints": [{}] * (MAX_ENTRIES + 1)}, "data.endpoints"),
        ({"version": "2.3.0", "endpoints": []}, "data.version"),
        ({"version": 2.2, "endpoints": []}, "data.version"),
        ({"version": ["2.2.1"], "endpoints": []}, "data.version"),
    ],
)
def test_details_that_are_none_or_of_another_version_are_refused(data: JsonValue, field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_version_details(data, "2.2.1")
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("offered", "spoken", "chosen"),
    [
        (("2.2.1", "2.3.0"), VERSIONS, "2.3.0"),
        (("2.3.0", "2.2.1"), VERSIONS, "2.3.0"),
        (("2.2.1", "2.1.1", "4.0"), VERSIONS, "2.2.1"),
        (("2.2.1", "2.3.0"), ("2.2.1",), "2.2.1"),
        (("2.1.1",), VERSIONS, None),
        (("2.2",), VERSIONS, None),
        ((), VERSIONS, None),
    ],
)
def test_the_newest_version_that_both_speak_is_chosen(
    offered: tuple[str, ...], spoken: tuple[str, ...], chosen: str | None
) -> None:
    listed = [OfferedVersion(version, f"https://a.example/{version}") for version in offered]
    found = newest_shared(listed, spoken)
    assert (found and found.version) == chosen


def test_of_what_is_listed_twice_the_first_counts() -> None:
    twice = [OfferedVersion("2.2.1", "https://first.example"), OfferedVersion("2.2.1", "https://second.example")]
    found = newest_shared(twice, VERSIONS)
    assert found is not None
    assert found.url == "https://first.example"
    endpoints = [
        Endpoint("credentials", "RECEIVER", "https://first.example"),
        Endpoint("credentials", "SENDER", "https://second.example"),
    ]
    assert endpoint_url(endpoints, "credentials") == "https://first.example"
    assert endpoint_url(endpoints, "credentials", "SENDER") == "https://second.example"
