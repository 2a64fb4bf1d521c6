"""The sessions function from its environment to its answer, by the events that API Gateway hands over."""

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.domain.preferences import CHARGING_PREFERENCES_CAPABLE
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from tests.support.feeds import seconds, session_in_feed
from tests.support.lambda_events import proxy_event
from tests.support.tables import REGION
from tests.support.world import TOKEN, World

HANDLER = Path(__file__).parents[3] / "functions" / "ocpi_sessions" / "handler.py"
PREFIX = "ocpi-bridge/test"
API = "https://ocpi.example/prod"
AUTHORIZED = {"Authorization": f"Token {TOKEN}", "X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"}
Call = Callable[..., tuple[int, dict[str, Any], dict[str, str]]]


@pytest.fixture
def call(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Calls the function, freshly imported as a cold start does; HTTP status, envelope and headers of its answer."""
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "STAGE": "test",
        "SESSIONS_TABLE": world.tables.sessions,
        "REGISTRY_TABLE": world.tables.registry,
        "SECRETS_PREFIX": PREFIX,
        "OCPI_API_URL": API,
        "OCPI_COUNTRY_CODE": "NL",
        "OCPI_PARTY_ID": "ACM",
    }
    monkeypatch.delenv("REQUESTS_TABLE", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(SystemClock, "now", lambda _: world.clock.now())
    vault = boto3.client("secretsmanager", region_name=REGION)
    vault.create_secret(Name=f"{PREFIX}/callback-signing", SecretString="key of the callback URLs")
    for make in (clients.dynamodb, clients.secrets_manager):
        make.cache_clear()
    spec = importlib.util.spec_from_file_location("handler_of_ocpi_sessions", HANDLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(
        method: str,
        path: str,
        *,
        query: str = "",
        session_id: str | None = None,
        body: object = None,
        headers: Mapping[str, str] = AUTHORIZED,
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        event = proxy_event(
            method,
            path,
            query=query,
            headers=headers,
            path_parameters={"session_id": session_id} if session_id else None,
            body=body if isinstance(body, str) or body is None else json.dumps(body),
        )
        answer = module.lambda_handler(event, None)
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]

    yield run
    for make in (clients.dynamodb, clients.secrets_manager):
        make.cache_clear()
    vault.delete_secret(SecretId=f"{PREFIX}/callback-signing", ForceDeleteWithoutRecovery=True)


def preferences(call: Call, session_id: str, body: object = None) -> tuple[int, dict[str, Any]]:
    path = f"/ocpi/2.2.1/sessions/{session_id}/charging_preferences"
    wishes = {"profile_type": "FAST"} if body is None else body
    status, envelope, _ = call("PUT", path, session_id=session_id, body=wishes)
    return status, envelope


# --- The list --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2.2.1", "2.3.0"])
def test_a_crawl_follows_links_through_the_endpoint_of_its_version(world: World, call: Call, version: str) -> None:
    for number in range(5):
        session = session_in_feed(f"s-{number}", seconds(number))
        world.sessions.create(replace(session, total_cost=Price(session.kwh)), None)
    endpoint = f"/ocpi/{version}/sessions"
    met: list[str] = []
    links: list[bool] = []
    query = "date_from=2026-01-15T17:00:00Z&limit=2"
    for _ in range(3):
        status, body, headers = call("GET", endpoint, query=query)
        assert (status, body["status_code"]) == (200, 1000)
        assert (headers["X-Total-Count"], headers["X-Limit"]) == ("5", "50")
        assert headers["X-Request-ID"] == "req-1"
        assert (headers["OCPI-from-party-id"], headers["OCPI-to-party-id"]) == ("ACM", "JDX")
        met += [session["id"] for session in body["data"]]
        before_taxes = {"2.2.1": "excl_vat", "2.3.0": "before_taxes"}[version]
        assert all(session["total_cost"] == {before_taxes: 0} for session in body["data"])
        links.append("Link" in headers)
        if "Link" in headers:
            split = urlsplit(headers["Link"][1:].partition(">")[0])
            assert f"{split.scheme}://{split.netloc}{split.path}" == f"{API}{endpoint}"
            query = split.query
    assert sorted(met) == [f"s-{number}" for number in range(5)]
    assert links == [True, True, False]


def test_a_trailing_slash_changes_nothing_and_is_in_no_link(world: World, call: Call) -> None:
    for name in ("s-1", "s-2"):
        world.sessions.create(session_in_feed(name), None)
    _, body, headers = call("GET", "/ocpi/2.2.1/sessions/", query="date_from=2026-01-15T17:00:00Z&limit=1")
    assert len(body["data"]) == 1
    assert headers["Link"].startswith(f"<{API}/ocpi/2.2.1/sessions?")


def test_an_empty_list_is_a_list(call: Call) -> None:
    status, body, headers = call("GET", "/ocpi/2.2.1/sessions", query="date_from=2026-01-15T17:00:00Z")
    assert (status, body["data"], headers["X-Total-Count"]) == (200, [], "0")


@pytest.mark.parametrize(
    ("query", "named"),
    [("", "date_from"), ("date_from=x", "date_from"), ("date_from=2026-01-15T17:00:00Z&limit=0", "limit")],
)
def test_a_parameter_that_is_wrong_is_named(call: Call, query: str, named: str) -> None:
    status, body, headers = call("GET", "/ocpi/2.2.1/sessions", query=query)
    assert (status, body["status_code"]) == (200, 2001)
    assert named in body["status_message"]
    assert "Link" not in headers


def test_a_zone_that_is_percent_encoded_is_read(call: Call) -> None:
    _, body, _ = call("GET", "/ocpi/2.2.1/sessions", query="date_from=2026-01-15T17%3A00%3A00%2B00%3A00")
    assert body["status_code"] == 1000


def test_a_party_that_is_not_ours_is_refused(call: Call) -> None:
    headers = AUTHORIZED | {"OCPI-to-country-code": "NL", "OCPI-to-party-id": "XYZ"}
    _, body, _ = call("GET", "/ocpi/2.2.1/sessions", query="date_from=2026-01-15T17:00:00Z", headers=headers)
    assert body["status_code"] == 2001
    assert "OCPI-to-party-id" in body["status_message"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_list_is_only_read(call: Call, method: str) -> None:
    status, _, headers = call(method, "/ocpi/2.2.1/sessions")
    assert (status, headers["Allow"]) == (405, "GET")


def test_without_a_token_nothing_is_listed(call: Call) -> None:
    status, body, _ = call("GET", "/ocpi/2.2.1/sessions", query="date_from=2026-01-15T17:00:00Z", headers={})
    assert (status, "data" in body) == (401, False)


# --- Charging preferences --------------------------------------------------------------------------------------------


@pytest.fixture
def session_id(world: World) -> str:
    """A session at an EVSE that takes preferences."""
    evses = [
        replace(evse, capabilities=evse.capabilities | {CHARGING_PREFERENCES_CAPABLE}) for evse in world.station.evses
    ]
    world.put_station(replace(world.station, evses=tuple(evses)))
    return world.open_session().session_id


def test_the_answer_to_preferences_is_one_word(world: World, call: Call, session_id: str) -> None:
    status, body = preferences(call, session_id)
    assert (status, body["status_code"], body["data"]) == (200, 1000, "ACCEPTED")
    kept = [dynamo.from_item(item) for item in world.tables.items(world.tables.sessions)]
    assert [item["session_id"] for item in kept if item["entity"] == "preferences"] == [session_id]


def test_what_is_not_possible_is_an_answer_too(call: Call, session_id: str) -> None:
    past = {"profile_type": "FAST", "departure_time": "2026-01-15T16:00:00Z"}
    status, body = preferences(call, session_id, past)
    assert (status, body["status_code"], body["data"]) == (200, 1000, "NOT_POSSIBLE")


@pytest.mark.parametrize("session", ["no-such-session", "x" * 37])
def test_preferences_of_no_session_are_not_found(call: Call, session: str) -> None:
    status, body = preferences(call, session)
    assert (status, body["status_code"], "data" in body) == (404, 2001, False)


def test_a_field_that_is_wrong_is_named(call: Call, session_id: str) -> None:
    status, body = preferences(call, session_id, {"profile_type": "QUICK"})
    assert (status, body["status_code"]) == (200, 2001)
    assert "profile_type" in body["status_message"]


def test_a_body_that_is_no_json_is_a_bad_request(call: Call, session_id: str) -> None:
    assert preferences(call, session_id, "profile_type=FAST")[0] == 400


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_preferences_are_only_put(call: Call, session_id: str, method: str) -> None:
    path = f"/ocpi/2.2.1/sessions/{session_id}/charging_preferences"
    status, _, headers = call(method, path, session_id=session_id)
    assert (status, headers["Allow"]) == (405, "PUT")
