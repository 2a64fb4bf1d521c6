"""The partner registers at a bridge, replaces its tokens, leaves: what it does, and what it notes (OCPI 6 and 7)."""

from collections.abc import Iterator

import pytest

from tests.support.partner_bridge import (
    CPO,
    SESSION,
    TOKEN_A,
    Edit,
    ScriptedBridge,
    put,
    put_header,
    put_in_data,
)
from tools.counterparts.http_service import ResetConnection
from tools.counterparts.json_types import JsonObject, as_list, as_object, read_json
from tools.partner_simulator import (
    AnswerLostError,
    BridgeUnreachableError,
    Credentials,
    HandshakeError,
    Manner,
    NotConnectedError,
    OcpiVersion,
    PartnerSimulator,
    ResponseType,
    watt_profile,
)
from tools.partner_simulator.transport import authorization

pytestmark = pytest.mark.integration

V221, V230 = OcpiVersion.V221, OcpiVersion.V230


@pytest.fixture
def partner() -> Iterator[PartnerSimulator]:
    with PartnerSimulator(cpo=CPO) as partner:
        yield partner


@pytest.fixture
def bridge(partner: PartnerSimulator) -> Iterator[ScriptedBridge]:
    bridge = ScriptedBridge(partner)
    with bridge.http:
        yield bridge


def noted(partner: PartnerSimulator) -> str:
    return "; ".join(violation.what for violation in partner.violations())


def paths(bridge: ScriptedBridge) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in bridge.http.requests.entries()]


def push_status(bridge: ScriptedBridge, token: str, session_id: str = "session-1") -> int:
    session = {**SESSION, "id": session_id}
    return bridge.call("PUT", f"{bridge.partner.sessions_url}/NL/CPO/{session_id}", session, token=token).status


def test_it_discovers_registers_and_uses_the_new_token(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    registration = partner.register(bridge.versions_url, TOKEN_A)

    assert registration.version is V230
    assert registration.roles[0].party == CPO
    assert paths(bridge) == [
        ("GET", "/here/versions"),
        ("GET", "/here/2.3.0"),
        ("POST", "/there/2.3.0/credentials"),
    ]
    for request in bridge.http.requests.entries():
        assert request.header("Authorization") == authorization(TOKEN_A, plain=False)
        assert request.header("OCPI-from-party-id") is None
    told = as_object(read_json(bridge.http.requests.entries()[-1].body))
    assert told["url"] == partner.versions_url
    assert as_object(as_list(told["roles"])[0])["role"] == "SCSP"
    assert partner.token == "token-of-the-bridge-1"
    assert partner.violations() == []


def test_after_it_every_url_is_the_discovered_one(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)
    exchange = partner.bridge.put_profile("session-1", watt_profile([]))

    request = bridge.http.requests.entries()[-1]
    assert exchange.result is ResponseType.ACCEPTED
    assert request.path == "/there/2.3.0/chargingprofiles/session-1"
    assert request.header("Authorization") == authorization("token-of-the-bridge-1", plain=False)
    assert (exchange.response_url or "").startswith(f"{partner.charging_profiles_url}/response?")
    assert "/2.3.0/" in partner.sessions_url
    assert push_status(bridge, bridge.presented) == 200
    assert partner.violations() == []


def test_a_partner_of_one_version_takes_that(bridge: ScriptedBridge, partner: PartnerSimulator) -> None:
    partner.behave_as(Manner(versions=(V221,)))

    assert partner.register(bridge.versions_url, TOKEN_A).version is V221
    assert bridge.call("GET", partner.versions_url, functional=False).body["data"] == [
        {"version": "2.2.1", "url": f"{partner.http.url}/ocpi/2.2.1/details"}
    ]
    assert push_status(bridge, bridge.presented) == 200


def test_the_version_can_be_chosen(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    assert partner.register(bridge.versions_url, TOKEN_A, version=V221).version is V221


@pytest.mark.parametrize(
    ("path", "edit", "code"),
    [
        ("versions", put("data", [{"version": "2.1.1", "url": "https://old.example/2.1.1"}]), 3002),
        ("versions", put("data", []), 3001),
        ("versions", put("data", {"2.3.0": "here"}), 3001),
        ("versions", put("http_status", 500), 3001),
        ("versions", put("status_code", 3000), 3001),
        ("here/2.3.0", put_in_data(endpoints=[]), 3001),
        (
            "here/2.3.0",
            put_in_data(endpoints=[{"identifier": "sessions", "role": "SENDER", "url": "https://there.example/s"}]),
            3003,
        ),
    ],
)
def test_nothing_is_posted_to_a_bridge_that_lacks_something(
    partner: PartnerSimulator, bridge: ScriptedBridge, path: str, edit: Edit, code: int
) -> None:
    bridge.change(path, edit)

    with pytest.raises(HandshakeError) as refused:
        partner.register(bridge.versions_url, TOKEN_A)

    assert refused.value.status_code == code
    assert "POST" not in {method for method, _ in paths(bridge)}
    with pytest.raises(NotConnectedError):
        _ = partner.bridge


def test_an_interface_in_the_wrong_role_is_missing(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    def turn_round(body: JsonObject, _: dict[str, str]) -> None:
        for endpoint in as_list(as_object(body["data"])["endpoints"]):
            assert isinstance(endpoint, dict)
            endpoint["role"] = "RECEIVER"

    bridge.change("here/2.3.0", turn_round)

    with pytest.raises(HandshakeError, match="sessions RECEIVER"):
        partner.register(bridge.versions_url, TOKEN_A)


def role(**changes: object) -> JsonObject:
    proper: JsonObject = {"role": "CPO", "party_id": "CPO", "country_code": "NL", "business_details": {"name": "CPO"}}
    return {**proper, **changes}


@pytest.mark.parametrize(
    ("path", "edit", "expected"),
    [
        ("versions", put_header("X-Request-ID", "another"), "X-Request-ID is not repeated"),
        ("versions", put_header("X-Correlation-ID", None), "X-Correlation-ID is not repeated"),
        ("versions", put_header("Content-Type", "text/html"), "Content-Type is not application/json"),
        ("versions", put_header("OCPI-from-party-id", "CPO"), "no place in a configuration module"),
        ("versions", put("timestamp", "yesterday"), "timestamp"),
        ("here/2.3.0", put_in_data(version="2.2.1"), "the details are those of 2.2.1"),
        ("credentials", put_in_data(token=TOKEN_A), "none of its own making"),
        ("credentials", put_in_data(url="https://elsewhere.example/versions"), "not the one that was called"),
        ("credentials", put_in_data(roles=[role(party_id="OTH")]), "NL/CPO is no CPO among the roles: NL/OTH"),
        ("credentials", put_in_data(roles=[role(role="EMSP")]), "is no CPO among the roles: nobody"),
    ],
)
def test_a_rule_that_the_bridge_breaks_is_noted(
    partner: PartnerSimulator, bridge: ScriptedBridge, path: str, edit: Edit, expected: str
) -> None:
    bridge.change(path, edit)
    try:
        partner.register(bridge.versions_url, TOKEN_A)
    except HandshakeError:
        # Without a valid envelope there is nothing to go on with; the reason is noted all the same.
        assert expected == "timestamp"

    assert expected in noted(partner)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (put_in_data(token="with space"), "token"),
        (put_in_data(token="x" * 65), "token"),
        (put_in_data(url="/versions"), "not an absolute URL"),
        (put_in_data(roles=[]), "roles"),
        (put_in_data(roles=[role(), role(party_id="cpo")]), "a role stands there twice"),
        (put_in_data(roles=[role(business_details={})]), "business_details.name"),
        (put("data", None), "object"),
    ],
)
def test_credentials_that_are_none_end_the_handshake(
    partner: PartnerSimulator, bridge: ScriptedBridge, edit: Edit, expected: str
) -> None:
    bridge.change("credentials", edit)

    with pytest.raises(HandshakeError, match="no Credentials"):
        partner.register(bridge.versions_url, TOKEN_A)
    assert expected in noted(partner)


def test_a_version_or_module_that_stands_twice_is_noted(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    def twice(body: JsonObject, _: dict[str, str]) -> None:
        body["data"] = [*as_list(body["data"]), *as_list(body["data"])]

    bridge.change("versions", twice)
    partner.register(bridge.versions_url, TOKEN_A)
    assert "2.3.0 stands there twice" in noted(partner)

    def credentials_in_both_roles(body: JsonObject, _: dict[str, str]) -> None:
        data = as_object(body["data"])
        more = {**as_object(as_list(data["endpoints"])[0]), "role": "SENDER"}
        body["data"] = {**data, "endpoints": [*as_list(data["endpoints"]), more]}

    bridge.change("here/2.3.0", credentials_in_both_roles)
    with pytest.raises(HandshakeError):
        partner.rotate()
    assert "a module stands there twice" in noted(partner)


def test_fields_that_nobody_defined_are_for_2_3_0_only(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.change("credentials", put_in_data(hub_party_id="NLHUB"))

    assert partner.register(bridge.versions_url, TOKEN_A).version is V230
    assert partner.violations() == []
    bridge.tokens.clear()
    with pytest.raises(HandshakeError):
        partner.register(bridge.versions_url, TOKEN_A, version=V221)
    assert "hub_party_id" in noted(partner)


def test_a_bridge_that_does_not_read_back_is_noted(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.reads_back = False
    partner.register(bridge.versions_url, TOKEN_A)

    assert "/ocpi/versions was not read while the request was open" in noted(partner)
    assert "/ocpi/2.3.0/details was not read while the request was open" in noted(partner)


def test_a_bridge_that_reads_back_with_another_token_is_noted(
    partner: PartnerSimulator, bridge: ScriptedBridge
) -> None:
    bridge.reads_back = False

    def read_with_a() -> None:
        bridge.call("GET", partner.versions_url, token=TOKEN_A, functional=False)

    bridge.on_post = read_with_a
    partner.register(bridge.versions_url, TOKEN_A)

    assert "the token is missing or unknown" in noted(partner)
    assert "was not read" in noted(partner)


def test_a_refusal_tells_both_codes_and_leaves_nothing(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.change("credentials", put("status_code", 3001))

    with pytest.raises(HandshakeError) as refused:
        partner.register(bridge.versions_url, TOKEN_A)

    assert (refused.value.status, refused.value.status_code) == (200, 3001)
    assert push_status(bridge, bridge.presented) == 401
    with pytest.raises(NotConnectedError):
        _ = partner.token


def test_an_unknown_registration_token_is_http_401(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    with pytest.raises(HandshakeError) as refused:
        partner.register(bridge.versions_url, "not-that-one")

    assert refused.value.status == 401


def test_a_bridge_that_is_down_is_unreachable_and_the_next_try_works(
    partner: PartnerSimulator, bridge: ScriptedBridge
) -> None:
    bridge.http.plan(ResetConnection(), path="versions")

    with pytest.raises(BridgeUnreachableError):
        partner.register(bridge.versions_url, TOKEN_A)
    assert partner.register(bridge.versions_url, TOKEN_A).version is V230


def test_a_lost_answer_can_be_asked_for_again(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.behave_as(Manner(loses_answers=True))
    with pytest.raises(AnswerLostError):
        partner.register(bridge.versions_url, TOKEN_A)
    first = bridge.presented
    # The bridge did register and comes with the token that it got.
    assert push_status(bridge, first) == 200

    partner.behave_as(Manner())
    partner.register(bridge.versions_url, TOKEN_A)

    assert bridge.presented == first
    assert partner.token == "token-of-the-bridge-2"
    assert partner.violations() == []


def test_a_second_registration_is_refused(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)

    with pytest.raises(HandshakeError) as refused:
        partner.register(bridge.versions_url, partner.token)
    assert refused.value.status == 405


def test_rotation_replaces_both_tokens(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)
    old = bridge.presented
    partner.rotate()

    assert bridge.presented != old
    assert partner.token == "token-of-the-bridge-2"
    assert paths(bridge)[-3:] == [
        ("GET", "/here/versions"),
        ("GET", "/here/2.3.0"),
        ("PUT", "/there/2.3.0/credentials"),
    ]
    assert partner.violations() == []


def test_during_a_rotation_old_and_new_token_hold(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)
    old, seen = bridge.presented, list[int]()
    bridge.on_post = lambda: seen.append(push_status(bridge, old))
    partner.rotate()

    # The answer has arrived, and the bridge still comes with what it had in hand; then with the new one.
    assert [*seen, push_status(bridge, old)] == [200, 200]
    assert push_status(bridge, bridge.presented) == 200
    assert push_status(bridge, old) == 401
    # What was on its way is refused, but no fault.
    assert partner.violations() == []


def test_credentials_can_be_read_back(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)

    told = partner.read_credentials()
    assert (told.token, told.url) == (partner.token, bridge.versions_url)
    assert partner.token not in repr(told)
    assert partner.violations() == []
    bridge.change("credentials", put_in_data(token="another"), method="GET")
    partner.read_credentials()
    assert "the token is not the one in use" in noted(partner)
    bridge.change("credentials", put("status_code", 3000), method="GET")
    with pytest.raises(HandshakeError):
        partner.read_credentials()


def test_a_rotation_can_change_the_version(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A, version=V221)
    before = partner.sessions_url
    partner.rotate()

    assert partner.version is V230
    assert (before, partner.sessions_url) == (
        f"{partner.http.url}/ocpi/2.2.1/sessions",
        f"{partner.http.url}/ocpi/2.3.0/sessions",
    )
    assert partner.violations() == []


def test_a_rotation_whose_answer_is_lost_goes_on_with_the_old_token(
    partner: PartnerSimulator, bridge: ScriptedBridge
) -> None:
    partner.register(bridge.versions_url, TOKEN_A)
    partner.behave_as(Manner(loses_answers=True))
    with pytest.raises(AnswerLostError):
        partner.rotate()

    assert partner.token == "token-of-the-bridge-1"
    assert push_status(bridge, bridge.presented) == 200
    partner.behave_as(Manner())
    assert partner.rotate().version is V230
    assert partner.token == "token-of-the-bridge-3"
    assert partner.violations() == []


def test_a_rotation_that_is_refused_changes_nothing(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)
    old, token = bridge.presented, partner.token
    bridge.change("credentials", put("status_code", 3001), method="PUT")

    with pytest.raises(HandshakeError):
        partner.rotate()
    assert partner.token == token
    assert push_status(bridge, old) == 200


def test_leaving_ends_every_token(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)
    partner.unregister()

    assert paths(bridge)[-1] == ("DELETE", "/there/2.3.0/credentials")
    assert push_status(bridge, bridge.presented) == 401
    with pytest.raises(NotConnectedError):
        partner.bridge.put_profile("session-1", {})
    assert partner.violations() == []
    assert partner.register(bridge.versions_url, TOKEN_A).version is V230


def test_a_refused_delete_leaves_the_registration(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    partner.register(bridge.versions_url, TOKEN_A)
    bridge.change("credentials", put("status_code", 3000), method="DELETE")

    with pytest.raises(HandshakeError, match="3000"):
        partner.unregister()
    assert push_status(bridge, bridge.presented) == 200


def test_without_a_handshake_there_is_nothing_to_replace_or_to_end(bridge: ScriptedBridge) -> None:
    partner = PartnerSimulator(Credentials("ours", "theirs"), cpo=CPO)
    partner.connect(bridge.http.url)

    with pytest.raises(NotConnectedError):
        partner.rotate()
    with pytest.raises(NotConnectedError):
        partner.unregister()
    partner.stop()


def test_tokens_stand_in_no_error_and_no_representation(partner: PartnerSimulator, bridge: ScriptedBridge) -> None:
    bridge.change("credentials", put("status_code", 3001))
    with pytest.raises(HandshakeError) as refused:
        partner.register(bridge.versions_url, TOKEN_A)

    assert TOKEN_A not in str(refused.value)
    assert bridge.presented not in repr(partner._credentials)
