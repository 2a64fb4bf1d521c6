"""A bridge registers at the partner: versions, credentials, the states and their 405 (OCPI 6 and 7)."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.partner_bridge import (
    CPO,
    SESSION,
    Edit,
    Reply,
    ScriptedBridge,
    put,
    put_in_data,
)
from tools.counterparts.http_service import Answer, NeverAnswer, ResetConnection
from tools.counterparts.json_types import as_list, as_object
from tools.partner_simulator import Manner, OcpiVersion, PartnerSimulator, Party, ResponseType, VersionList, faults
from tools.partner_simulator.transport import authorization

pytestmark = pytest.mark.integration

TOKEN_B = "token-of-the-bridge-1"
SECOND = Party("BE", "JE2")


class Registering:
    """The bridge with an invitation in its hands."""

    def __init__(self, partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
        self.partner = partner
        self.bridge = bridge
        self.versions_url, self.token_a = partner.invite()
        bridge.token_a = None
        bridge.tokens = [TOKEN_B]

    def credentials(self, method: str, token: str, body: object = None, version: str = "2.3.0") -> Reply:
        url = f"{self.partner.http.url}/ocpi/{version}/credentials"
        return self.bridge.call(method, url, body, token=token, functional=False)

    def post(self, version: str = "2.3.0") -> Reply:
        reply = self.credentials("POST", self.token_a, self.bridge.credentials(TOKEN_B), version)
        self.bridge.presented = str(as_object(reply.body.get("data")).get("token", ""))
        return reply


@pytest.fixture
def partner() -> Iterator[PartnerSimulator]:
    with PartnerSimulator(cpo=CPO) as partner:
        yield partner


@pytest.fixture
def bridge(partner: PartnerSimulator) -> Iterator[ScriptedBridge]:
    bridge = ScriptedBridge(partner)
    with bridge.http:
        yield bridge


@pytest.fixture
def registering(partner: PartnerSimulator, bridge: ScriptedBridge) -> Registering:
    return Registering(partner, bridge)


def noted(partner: PartnerSimulator) -> str:
    return "; ".join(violation.what for violation in partner.violations())


def push_status(bridge: ScriptedBridge) -> int:
    return bridge.call("PUT", f"{bridge.partner.sessions_url}/NL/CPO/session-1", SESSION).status


def test_an_invited_bridge_finds_the_endpoints(registering: Registering) -> None:
    endpoints = registering.bridge.read_partner(registering.versions_url, registering.token_a, "2.3.0")

    base = f"{registering.partner.http.url}/ocpi/2.3.0"
    assert endpoints == {
        "credentials": f"{base}/credentials",
        "sessions": f"{base}/sessions",
        "chargingprofiles": f"{base}/chargingprofiles",
    }
    assert registering.partner.violations() == []


def test_a_post_is_answered_after_the_call_back(registering: Registering, bridge: ScriptedBridge) -> None:
    reply = registering.post()

    data = as_object(reply.body["data"])
    assert (reply.status, reply.body["status_code"]) == (200, 1000)
    assert data["url"] == registering.versions_url
    assert data["token"] not in {registering.token_a, TOKEN_B}
    calls = [(request.method, request.path) for request in bridge.http.requests.entries()]
    assert calls == [("GET", "/here/versions"), ("GET", "/here/2.3.0")]
    assert bridge.http.requests.entries()[0].header("Authorization") == authorization(TOKEN_B, plain=False)
    assert push_status(bridge) == 200
    assert registering.partner.bridge.put_profile("session-1", {}).result is ResponseType.ACCEPTED
    assert bridge.http.requests.entries()[-1].path == "/there/2.3.0/chargingprofiles/session-1"
    assert registering.partner.violations() == []


def test_the_version_is_that_of_the_endpoint(registering: Registering, partner: PartnerSimulator) -> None:
    registering.post("2.2.1")

    assert partner.version is OcpiVersion.V221
    assert partner.violations() == []


def test_the_token_a_is_dead_after_it(registering: Registering, partner: PartnerSimulator) -> None:
    registering.post()

    assert registering.credentials("GET", registering.token_a).status == 401


def test_get_shows_the_token_that_was_used(registering: Registering, bridge: ScriptedBridge) -> None:
    before = registering.credentials("GET", registering.token_a)
    registering.post()
    after = registering.credentials("GET", bridge.presented)

    assert as_object(before.body["data"])["token"] == registering.token_a
    assert as_object(after.body["data"])["token"] == bridge.presented
    assert registering.partner.violations() == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_before_a_registration_there_is_nothing_to_change(registering: Registering, method: str) -> None:
    reply = registering.credentials(method, registering.token_a, registering.bridge.credentials(TOKEN_B))

    assert (reply.status, reply.headers["Allow"]) == (405, "GET, POST")
    assert f"{method} is not allowed" in noted(registering.partner)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_who_is_registered_cannot_register(registering: Registering, bridge: ScriptedBridge, method: str) -> None:
    registering.post()
    reply = registering.credentials(method, bridge.presented, bridge.credentials(TOKEN_B))

    assert (reply.status, reply.headers["Allow"]) == (405, "GET, PUT, DELETE")
    assert push_status(bridge) == 200


def test_an_unknown_token_comes_before_the_state(registering: Registering) -> None:
    assert registering.credentials("PUT", "unknown", {}).status == 401


def test_versions_take_get_only(registering: Registering) -> None:
    reply = registering.bridge.call("POST", registering.versions_url, {}, token=registering.token_a, functional=False)

    assert (reply.status, reply.headers["Allow"]) == (405, "GET")


def test_a_token_a_opens_no_functional_module(registering: Registering, partner: PartnerSimulator) -> None:
    registering.bridge.presented = registering.token_a

    assert push_status(registering.bridge) == 401
    assert "outside versions and credentials" in noted(partner)


@pytest.mark.parametrize(
    ("path", "edit", "code"),
    [
        ("versions", put("http_status", 500), 3001),
        ("versions", put("data", "none"), 3001),
        ("versions", put("data", [{"version": "2.2.1", "url": "https://bridge.example/2.2.1"}]), 3002),
        (
            "here/2.3.0",
            put_in_data(endpoints=[{"identifier": "credentials", "role": "SENDER", "url": "https://b.example/c"}]),
            3003,
        ),
    ],
)
def test_a_bridge_that_cannot_be_used_gets_its_code(
    registering: Registering, bridge: ScriptedBridge, path: str, edit: Edit, code: int
) -> None:
    bridge.change(path, edit)
    reply = registering.post()

    assert (reply.status, reply.body["status_code"]) == (200, code)
    assert "data" not in reply.body
    # Token A lives on, so that the next try can work.
    assert registering.credentials("GET", registering.token_a).status == 200
    assert registering.partner.violations() != []


def test_a_bridge_that_is_down_gets_3001(registering: Registering, bridge: ScriptedBridge) -> None:
    bridge.http.plan(ResetConnection(), path="versions")

    assert registering.post().body["status_code"] == 3001
    assert registering.post().body["status_code"] == 1000


@pytest.mark.parametrize("change", [{"token": "a b"}, {"roles": []}, {"url": "bridge"}, {"token": None}])
def test_credentials_that_are_none_are_2001(registering: Registering, change: dict[str, object]) -> None:
    body = {**registering.bridge.credentials(TOKEN_B), **change}

    assert registering.credentials("POST", registering.token_a, body).body["status_code"] == 2001
    assert next(iter(change)) in noted(registering.partner)


def test_a_body_that_is_no_object_is_2001_and_no_json_is_http_400(registering: Registering) -> None:
    assert registering.credentials("POST", registering.token_a, [1]).body["status_code"] == 2001
    url = f"{registering.partner.http.url}/ocpi/2.3.0/credentials"
    headers = {"Authorization": authorization(registering.token_a, plain=False)}
    assert httpx.post(url, content=b"{", headers=headers).status_code == 400


def test_another_cpo_is_noted(registering: Registering) -> None:
    body = registering.bridge.credentials(TOKEN_B)
    other = {**as_object(as_list(body["roles"])[0]), "party_id": "OTH"}
    registering.credentials("POST", registering.token_a, {**body, "roles": [other]})

    assert "NL/CPO is no CPO among the roles" in noted(registering.partner)


def test_routing_headers_on_credentials_are_noted(registering: Registering) -> None:
    registering.bridge.call("GET", registering.versions_url, token=registering.token_a)

    assert "OCPI-to-party-id has no place in a configuration module" in noted(registering.partner)


def test_put_replaces_the_tokens_with_a_grace(registering: Registering, bridge: ScriptedBridge) -> None:
    registering.post()
    old = bridge.presented
    bridge.tokens = [TOKEN_B, "token-of-the-bridge-2"]
    reply = registering.credentials("PUT", old, bridge.credentials("token-of-the-bridge-2"))
    new = str(as_object(reply.body["data"])["token"])

    assert new != old
    assert registering.partner.token == "token-of-the-bridge-2"
    # The answer may be lost: the old one holds until the new one is seen.
    assert push_status(bridge) == 200
    bridge.presented = new
    assert push_status(bridge) == 200
    bridge.presented = old
    assert push_status(bridge) == 401
    assert registering.partner.violations() == []


def test_delete_ends_it(registering: Registering, bridge: ScriptedBridge) -> None:
    registering.post()

    assert registering.credentials("DELETE", bridge.presented).body["status_code"] == 1000
    assert push_status(bridge) == 401
    assert registering.credentials("GET", registering.token_a).status == 401


def test_a_new_invitation_ends_what_was(registering: Registering, bridge: ScriptedBridge) -> None:
    registering.post()
    registering.partner.invite()

    assert push_status(bridge) == 401


# What a partner's configuration can look like


def test_several_parties_share_the_token(registering: Registering) -> None:
    registering.partner.behave_as(Manner(other_parties=(SECOND,)))
    roles = as_list(as_object(registering.post().body["data"])["roles"])

    assert [(as_object(one)["country_code"], as_object(one)["party_id"]) for one in roles] == [
        ("NL", "JED"),
        ("BE", "JE2"),
    ]


@pytest.mark.parametrize("module", ["sessions", "chargingprofiles"])
def test_a_module_can_be_hidden(registering: Registering, module: str) -> None:
    registering.partner.behave_as(Manner(hidden_modules=frozenset({module})))

    assert module not in registering.bridge.read_partner(registering.versions_url, registering.token_a)


def test_endpoints_can_end_with_a_slash(registering: Registering) -> None:
    registering.partner.behave_as(Manner(endpoint_slashes=True))
    endpoints = registering.bridge.read_partner(registering.versions_url, registering.token_a)

    assert all(str(url).endswith("/") for url in endpoints.values())


@pytest.mark.parametrize(
    ("version_list", "data"),
    [(VersionList.EMPTY, []), (VersionList.GARBAGE, {"versions": "all of them"})],
)
def test_the_version_list_can_be_wrong(registering: Registering, version_list: VersionList, data: object) -> None:
    registering.partner.behave_as(Manner(version_list=version_list))
    reply = registering.bridge.call("GET", registering.versions_url, token=registering.token_a, functional=False)

    assert reply.body["data"] == data


def test_the_version_list_can_hold_no_mutual_version(registering: Registering) -> None:
    registering.partner.behave_as(Manner(version_list=VersionList.NO_MUTUAL))
    reply = registering.bridge.call("GET", registering.versions_url, token=registering.token_a, functional=False)

    assert [as_object(one)["version"] for one in as_list(reply.body["data"])] == ["2.1.1"]


def test_a_version_that_is_not_served_is_not_there(registering: Registering) -> None:
    registering.partner.behave_as(Manner(versions=(OcpiVersion.V221,)))
    registering.post("2.2.1")

    assert registering.credentials("GET", registering.bridge.presented).status == 404


def test_a_fault_of_versions_lasts_until_the_manner_changes(registering: Registering) -> None:
    url, token = registering.versions_url, registering.token_a
    registering.partner.behave_as(Manner(versions_fault=faults.http_error(500)))
    registering.partner.misbehave(faults.http_error(503), path="/details")
    details = f"{registering.partner.http.url}/ocpi/2.2.1/details"

    assert [registering.bridge.call("GET", url, token=token, functional=False).status for _ in range(2)] == [500, 500]
    assert registering.bridge.call("GET", details, token=token, functional=False).status == 503
    registering.partner.behave()
    assert registering.bridge.call("GET", url, token=token, functional=False).status == 500
    registering.partner.behave_as(Manner())
    assert registering.bridge.call("GET", url, token=token, functional=False).status == 200


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.http_error(401), 401),
        (faults.not_json(), b"<html>welcome</html>"),
        (faults.bare({"a": 1}), b'{"a":1}'),
        (faults.endless_body(9), b"[" * 9),
    ],
)
def test_versions_and_details_can_answer_anything(registering: Registering, fault: Answer, expected: object) -> None:
    registering.partner.behave_as(Manner(versions_fault=fault, details_fault=fault))
    for path in ("/ocpi/versions", "/ocpi/2.2.1/details"):
        reply = registering.bridge.call(
            "GET", registering.partner.http.url + path, token=registering.token_a, functional=False
        )
        assert expected in {reply.status, reply.raw}


def test_versions_can_be_slower_than_anybody_waits(registering: Registering) -> None:
    registering.partner.behave_as(Manner(versions_fault=NeverAnswer()))
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(registering.versions_url, timeout=0.2)


def test_versions_can_be_down(registering: Registering) -> None:
    registering.partner.behave_as(Manner(versions_fault=ResetConnection()))

    with pytest.raises(httpx.TransportError):
        registering.bridge.call("GET", registering.versions_url, token=registering.token_a, functional=False)
