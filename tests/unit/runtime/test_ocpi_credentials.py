"""The credentials and versions endpoints through the door: who may do what, and in which order it is checked."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import boto3
import pytest

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.dynamodb.callers import DynamoCallers
from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.domain.partners import Partner, Registration
from ocpi_bridge.domain.tokens import is_token, token_hash
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from tests.support.deployed_functions import handler_of
from tests.support.fake_http import reply
from tests.support.lambda_events import proxy_event
from tests.support.partner_platform import NEEDED, TOKEN_B, details, enveloped, version_list
from tests.support.registrations import INVITED, PREFIX, Site, credentials_body
from tests.support.registry_entries import csms
from tests.support.tables import REGION, AwsTables

API = "https://ocpi.example/prod"
PATH = "/ocpi/2.2.1/credentials"
BROKEN = "{"
Lines = Callable[[], list[dict[str, Any]]]


class Bridge:
    """The deployed functions, as a partner meets them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.credentials = handler_of("ocpi_credentials")
        self.versions = handler_of("ocpi_versions")

    def ask(
        self, method: str, token: str | None, body: object = None, *, path: str = PATH, plain: bool = False
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """HTTP status, envelope and headers."""
        shown = token if plain or token is None else base64.b64encode(token.encode()).decode()
        event = proxy_event(
            method,
            path,
            headers={} if shown is None else {"Authorization": f"Token {shown}", "X-Request-ID": "req-1"},
            body=body if isinstance(body, str) or body is None else json.dumps(body),
        )
        function = self.credentials if "credentials" in path else self.versions
        answer = function(event, None)
        envelope = json.loads(answer["body"])
        assert envelope["timestamp"]
        assert answer["headers"]["X-Request-ID"]
        assert not [name for name in answer["headers"] if name.lower().startswith("ocpi-")]
        return answer["statusCode"], envelope, answer["headers"]

    def register(self, token: str, method: str = "POST", path: str = PATH) -> str:
        """The token of a registration that succeeds."""
        status, envelope, _ = self.ask(method, token, credentials_body(), path=path)
        assert (status, envelope["status_code"]) == (200, 1000), envelope
        made: str = envelope["data"]["token"]
        return made


@pytest.fixture
def bridge(_tables: AwsTables, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bridge]:
    site = Site(_tables, boto3.client("secretsmanager", region_name=REGION))
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "STAGE": "test",
        "REGISTRY_TABLE": site.tables.registry,
        "SECRETS_PREFIX": PREFIX,
        "OCPI_API_URL": API,
        "OCPI_COUNTRY_CODE": "NL",
        "OCPI_PARTY_ID": "CPO",
        "OCPI_BUSINESS_NAME": "Example CPO",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(SystemClock, "now", lambda _: site.clock.now())

    def partner_server(**_: object) -> HttpPartnerPlatform:
        return HttpPartnerPlatform(site.partner)

    monkeypatch.setattr("ocpi_bridge.runtime.wiring.credentials.guarded_partner_platform", partner_server)
    made = (clients.dynamodb, clients.secrets_manager)
    for make in made:
        make.cache_clear()
    yield Bridge(site)
    for make in made:
        make.cache_clear()
    site.close()


@pytest.fixture
def token_a(bridge: Bridge) -> str:
    return bridge.site.invite(INVITED)


# --- Versions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("registered", [False, True], ids=["invited", "registered"])
def test_both_kinds_of_token_open_versions_and_details(bridge: Bridge, token_a: str, registered: bool) -> None:
    token = bridge.register(token_a) if registered else token_a
    _, listed, _ = bridge.ask("GET", token, path="/ocpi/versions")
    assert [(one["version"], one["url"]) for one in listed["data"]] == [
        ("2.2.1", f"{API}/ocpi/2.2.1"),
        ("2.3.0", f"{API}/ocpi/2.3.0"),
    ]
    for version in ("2.2.1", "2.3.0"):
        for path in (f"/ocpi/{version}", f"/ocpi/{version}/", f"/base/ocpi/{version}"):
            status, found, _ = bridge.ask("GET", token, path=path)
            assert status == 200
            assert found["data"]["version"] == version
            assert {one["url"].rpartition("/")[0] for one in found["data"]["endpoints"]} == {f"{API}/ocpi/{version}"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/ocpi/versions", "/ocpi/2.2.1"])
def test_versions_are_only_read(bridge: Bridge, token_a: str, method: str, path: str) -> None:
    status, _, headers = bridge.ask(method, token_a, path=path)
    assert (status, headers["Allow"]) == (405, "GET")


def test_asking_for_versions_changes_nothing(bridge: Bridge, token_a: str) -> None:
    before = bridge.site.state
    bridge.ask("GET", token_a, path="/ocpi/versions")
    bridge.ask("GET", token_a, path="/ocpi/2.3.0")
    bridge.ask("GET", token_a)
    assert bridge.site.state == before


def test_a_spent_registration_token_opens_no_versions(bridge: Bridge, token_a: str) -> None:
    bridge.register(token_a)
    assert bridge.ask("GET", token_a, path="/ocpi/versions")[0] == 401


# --- Who may do what -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("token", [None, "never-heard-of"])
@pytest.mark.parametrize("body", [None, BROKEN])
def test_an_unknown_token_is_401_whatever_else_is_wrong(
    bridge: Bridge, method: str, token: str | None, body: str | None
) -> None:
    status, _, headers = bridge.ask(method, token, body)
    assert (status, headers["WWW-Authenticate"]) == (401, "Token")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_partner_that_is_not_registered_yet_gets_405_before_its_body_is_read(
    bridge: Bridge, token_a: str, method: str
) -> None:
    status, envelope, headers = bridge.ask(method, token_a, BROKEN)
    assert (status, headers["Allow"]) == (405, "GET, POST")
    assert envelope["status_code"] == 2000


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_partner_that_is_registered_already_gets_405_before_its_body_is_read(
    bridge: Bridge, token_a: str, method: str
) -> None:
    status, _, headers = bridge.ask(method, bridge.register(token_a), BROKEN)
    assert (status, headers["Allow"]) == (405, "GET, PUT, DELETE")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_partner_that_the_operator_described_has_no_registration_to_change(bridge: Bridge, method: str) -> None:
    site, token = bridge.site, "agreed-on-by-mail"
    static = Partner("static", "Static", INVITED.party, (".jedlix.com",))
    site.registry.add_partner(static, [token_hash(token)], site.clock.now())
    status, _, headers = bridge.ask(method, token, BROKEN)
    assert (status, headers["Allow"]) == (405, "GET")


def test_a_body_that_is_no_json_is_400_and_one_that_lacks_a_field_2001(bridge: Bridge, token_a: str) -> None:
    before = bridge.site.state
    assert bridge.ask("POST", token_a, BROKEN)[0] == 400
    for field, body in (
        ("token", {**credentials_body(), "token": None}),
        ("token", {**credentials_body(), "token": "with a space"}),
        ("url", {**credentials_body(), "url": "https://" + "a" * 300}),
        ("roles", {**credentials_body(), "roles": []}),
        ("roles.0.party_id", {**credentials_body(), "roles": [{"role": "SCSP", "country_code": "NL"}]}),
        ("url", credentials_body(url="http://ocpi.partner.example/versions")),
    ):
        status, envelope, _ = bridge.ask("POST", token_a, body)
        assert (status, envelope["status_code"]) == (200, 2001)
        assert f": {field}: " in envelope["status_message"]
    assert bridge.site.state == before


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("/versions", reply(500), 3001),
        ("/versions", enveloped(version_list("2.1.1")), 3002),
        ("/2.2.1", enveloped(details("2.2.1", ("sessions", "RECEIVER"))), 3003),
    ],
)
def test_a_handshake_that_leads_to_nothing_is_told_by_its_code(
    bridge: Bridge, token_a: str, path: str, answer: Reply, code: int, log: Lines
) -> None:
    before = bridge.site.state
    bridge.site.partner.answers[path] = answer
    status, envelope, _ = bridge.ask("POST", token_a, credentials_body())
    assert (status, envelope["status_code"]) == (200, code)
    assert "data" not in envelope
    assert bridge.site.state == before
    assert TOKEN_B not in json.dumps(log())


@pytest.mark.parametrize(
    ("body", "path", "answer", "host"),
    [
        (credentials_body(url="http://evil.example/versions"), "/versions", reply(500), "evil.example"),
        (credentials_body(url="https://127.0.0.1/versions"), "/versions", reply(500), "127.0.0.1"),
        (
            credentials_body(),
            "/versions",
            enveloped([{"version": "2.2.1", "url": "http://inside.example/2.2.1"}]),
            "inside.example",
        ),
        (
            credentials_body(),
            "/2.2.1",
            enveloped(details("2.2.1", *NEEDED, base="http://endpoint.example")),
            "endpoint.example",
        ),
        (credentials_body(), "/versions", NoReply("refused_address", sent=False), "ocpi.partner.example"),
        (credentials_body(), "/2.2.1", NoReply("refused_address", sent=False), "ocpi.partner.example"),
    ],
    ids=["url", "address", "version", "endpoint", "versions inside", "details inside"],
)
def test_a_handshake_to_a_host_that_must_not_be_called_is_counted_by_that_host(
    bridge: Bridge, token_a: str, body: object, path: str, answer: Reply | NoReply, host: str
) -> None:
    bridge.site.partner.answers[path] = answer
    assert bridge.ask("POST", token_a, body)[1]["status_code"] in {2001, 3001}
    tables = bridge.site.tables
    assert [one.host for one in DynamoRefusedHosts(tables.client, tables.registry).of("jedlix")] == [host]


def test_a_handshake_that_fails_otherwise_refuses_no_host(bridge: Bridge, token_a: str) -> None:
    bridge.site.partner.answers["/versions"] = NoReply("timeout", sent=True)
    bridge.ask("POST", token_a, credentials_body())
    tables = bridge.site.tables
    assert DynamoRefusedHosts(tables.client, tables.registry).of("jedlix") == ()


# --- The whole life of a registration --------------------------------------------------------------------------------


def test_the_answer_has_our_credentials_with_every_party_that_we_operate_for(bridge: Bridge, token_a: str) -> None:
    bridge.site.registry.add_csms(csms("second"))
    _, envelope, _ = bridge.ask("POST", token_a, credentials_body())
    data = envelope["data"]
    assert is_token(data.pop("token"))
    assert data == {
        "url": f"{API}/ocpi/versions",
        "roles": [
            {
                "role": "CPO",
                "country_code": "NL",
                "party_id": party_id,
                "business_details": {"name": "Example CPO"},
            }
            for party_id in ("CPO", "ACM")
        ],
    }


@pytest.mark.parametrize("plain", [False, True], ids=["base64", "plain"])
def test_get_shows_the_token_that_was_presented(bridge: Bridge, token_a: str, plain: bool) -> None:
    assert bridge.ask("GET", token_a, plain=plain)[1]["data"]["token"] == token_a
    token = bridge.register(token_a)
    assert bridge.ask("GET", token, plain=plain)[1]["data"]["token"] == token


def test_the_registration_token_is_dead_after_success_but_for_the_same_post(bridge: Bridge, token_a: str) -> None:
    bridge.register(token_a)
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert bridge.ask(method, token_a, credentials_body())[0] == 401
    bridge.site.clock.advance(10 * 60)
    again = bridge.register(token_a)
    bridge.site.clock.advance(1)
    assert bridge.ask("POST", token_a, credentials_body())[0] == 401
    assert bridge.ask("GET", again)[0] == 200


def test_the_first_use_of_the_new_token_ends_the_registration_token(bridge: Bridge, token_a: str) -> None:
    token = bridge.register(token_a)
    assert bridge.ask("GET", token, path="/ocpi/versions")[0] == 200
    assert bridge.ask("POST", token_a, credentials_body())[0] == 401


def test_a_rotation_goes_on_with_either_token_until_the_new_one_is_used(bridge: Bridge, token_a: str) -> None:
    token = bridge.register(token_a)
    lost = bridge.register(token, "PUT")
    renewed = bridge.register(token, "PUT")
    assert bridge.ask("GET", lost)[0] == 401
    assert bridge.ask("GET", token)[0] == 200
    assert bridge.ask("GET", renewed)[0] == 200
    assert bridge.ask("GET", token)[0] == 401


def test_a_put_at_the_other_version_switches_to_it(bridge: Bridge, token_a: str) -> None:
    bridge.register(bridge.register(token_a), "PUT", "/ocpi/2.3.0/credentials/")
    assert bridge.site.standing.partner.version == "2.3.0"


def test_a_delete_is_answered_without_data_and_is_the_last_that_is_heard(
    bridge: Bridge, token_a: str, log: Lines
) -> None:
    token = bridge.register(token_a)
    status, envelope, _ = bridge.ask("DELETE", token)
    assert (status, envelope["status_code"]) == (200, 1000)
    assert "data" not in envelope
    assert bridge.site.standing.partner.registration is Registration.LEFT
    for method in ("GET", "POST", "PUT", "DELETE"):
        for known in (token, token_a):
            assert bridge.ask(method, known, credentials_body())[0] == 401
    assert [line["message"] for line in log() if line["message"].startswith("partner.")] == [
        "partner.registered",
        "partner.left",
    ]
    assert token not in json.dumps(log())


def test_a_token_that_ended_while_its_call_came_in_is_unknown(
    bridge: Bridge, token_a: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = bridge.register(token_a)
    find = DynamoCallers.caller

    def find_late(store: DynamoCallers, hashes: Sequence[str], session_id: str | None = None) -> Caller:
        caller = find(store, hashes, session_id)
        bridge.site.end(bridge.site.standing)
        return caller

    monkeypatch.setattr(DynamoCallers, "caller", find_late)
    assert bridge.ask("DELETE", token)[0] == 401
