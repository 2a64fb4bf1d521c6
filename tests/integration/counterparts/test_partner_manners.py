"""What each knob of a partner does on the wire: sloppy calls, odd acknowledgements, several parties."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.partner_bridge import CPO, SESSION, START, TOKEN_A, ScriptedBridge, put_header
from tools.counterparts.http_service import Request
from tools.counterparts.json_types import JsonObject, as_object, read_json
from tools.partner_simulator import (
    AnswerStyle,
    Credentials,
    Manner,
    MessageIds,
    OcpiVersion,
    PartnerSimulator,
    Party,
    ResponseType,
    ResultType,
    guide_profile,
)
from tools.partner_simulator.transport import authorization

pytestmark = pytest.mark.integration

SECONDS = 20.0
STATIC = Credentials(ours="partner-to-bridge", theirs="bridge-to-partner")
SECOND = Party("BE", "JE2")
ROUTING = ("OCPI-to-country-code", "OCPI-to-party-id", "OCPI-from-country-code", "OCPI-from-party-id")


@contextmanager
def connected(manner: Manner, version: OcpiVersion = OcpiVersion.V221) -> Iterator[ScriptedBridge]:
    """A bridge and a partner that agreed on everything without a handshake."""
    with PartnerSimulator(STATIC, cpo=CPO, manner=manner) as partner:
        bridge = ScriptedBridge(partner)
        bridge.tokens, bridge.presented = [STATIC.ours], STATIC.theirs
        with bridge.http:
            partner.connect(bridge.http.url, version=version)
            yield bridge


def noted(bridge: ScriptedBridge) -> list[str]:
    return [violation.what for violation in bridge.partner.violations()]


def put_profile(bridge: ScriptedBridge) -> Request:
    bridge.partner.bridge.put_profile("session-1", guide_profile(START))
    return bridge.http.requests.entries()[-1]


def session_url(bridge: ScriptedBridge) -> str:
    return f"{bridge.partner.sessions_url}/NL/CPO/session-1"


def test_by_the_book_everything_is_there() -> None:
    with connected(Manner()) as bridge:
        request = put_profile(bridge)

        assert request.path == "/ocpi/2.2.1/chargingprofiles/session-1"
        assert request.header("Authorization") == authorization(STATIC.ours, plain=False)
        assert all(request.header(name) for name in (*ROUTING, "X-Request-ID", "X-Correlation-ID"))
        assert noted(bridge) == []


def test_the_token_follows_no_redirect() -> None:
    with connected(Manner()) as bridge, connected(Manner()) as elsewhere:

        def redirect(body: JsonObject, headers: dict[str, str]) -> None:
            body["http_status"] = 307
            headers["Location"] = f"{elsewhere.http.url}/ocpi/2.2.1/chargingprofiles/session-1"

        bridge.change("chargingprofiles", redirect)
        put_profile(bridge)
        assert elsewhere.http.requests.entries() == []


def test_no_ids_are_sent_or_repeated() -> None:
    with connected(Manner(message_ids=MessageIds.NONE)) as bridge:
        request = put_profile(bridge)
        reply = bridge.call("PUT", session_url(bridge), SESSION)

        assert request.header("X-Request-ID") is request.header("X-Correlation-ID") is None
        assert "X-Request-ID" not in reply.headers
        assert "OCPI-to-party-id" in reply.headers
        assert noted(bridge) == []


def test_the_request_id_can_be_the_same_always() -> None:
    with connected(Manner(message_ids=MessageIds.CONSTANT)) as bridge:
        first, second = put_profile(bridge), put_profile(bridge)

        assert first.header("X-Request-ID") == second.header("X-Request-ID") == "1"
        assert first.header("X-Correlation-ID") != second.header("X-Correlation-ID")
        bridge.change("chargingprofiles", put_header("X-Request-ID", None))
        put_profile(bridge)
        assert noted(bridge) == ["X-Request-ID is not repeated"]


def test_no_routing_headers_are_sent_or_swapped() -> None:
    with connected(Manner(routing_headers=False)) as bridge:
        bridge.change("chargingprofiles", put_header("OCPI-from-country-code", "NL"))
        bridge.change("chargingprofiles", put_header("OCPI-from-party-id", "CPO"))
        request = put_profile(bridge)
        reply = bridge.call("PUT", session_url(bridge), SESSION)

        assert [request.header(name) for name in ROUTING] == [None] * 4
        assert not set(ROUTING) & set(reply.headers)
        assert noted(bridge) == []


def test_a_bridge_says_who_it_is_even_to_who_does_not() -> None:
    with connected(Manner(routing_headers=False)) as bridge:
        put_profile(bridge)

        assert noted(bridge) == ["OCPI-from-country-code is missing", "OCPI-from-party-id is missing"]


def test_every_url_can_end_with_a_slash() -> None:
    with connected(Manner(trailing_slashes=True)) as bridge:
        client = bridge.partner.bridge
        client.get_active_profile("session-1")
        bridge.add_sessions(12)
        client.pull_sessions(START)

        active, first, second = (request.target for request in bridge.http.requests.entries())
        assert active.startswith("/ocpi/2.2.1/chargingprofiles/session-1/?duration=900&response_url=")
        assert first.startswith("/ocpi/2.2.1/sessions/?date_from=")
        assert "offset=10" in second
        assert noted(bridge) == []


def test_a_slash_at_the_end_does_not_hide_a_circle() -> None:
    with connected(Manner(trailing_slashes=True)) as bridge:
        bridge.add_sessions(12)

        def back(_: JsonObject, headers: dict[str, str]) -> None:
            query = bridge.http.requests.entries()[-1].query
            headers["Link"] = f'<{bridge.http.url}/ocpi/2.2.1/sessions?{query}>; rel="next"'

        bridge.change("sessions", back)
        assert len(bridge.partner.bridge.pull_sessions(START)) == 1
        assert "Link leads back to a page that was read" in noted(bridge)


def test_plain_tokens_in_both_directions() -> None:
    with connected(Manner(plain_tokens=True)) as bridge:
        assert put_profile(bridge).header("Authorization") == f"Token {STATIC.ours}"
        # A bridge finds out by trial: its first try is refused without blame.
        assert bridge.call("PUT", session_url(bridge), SESSION).status == 401
        assert (
            bridge.call("PUT", session_url(bridge), SESSION, headers={"authorization": f"Token {STATIC.theirs}"}).status
            == 200
        )
        assert noted(bridge) == []
        assert bridge.call("PUT", session_url(bridge), SESSION, headers={"authorization": "Token other"}).status == 401
        assert "the token is missing or unknown" in noted(bridge)


def test_it_can_call_with_bearer() -> None:
    with connected(Manner(calls_with_bearer=True)) as bridge:
        assert put_profile(bridge).header("Authorization") == f"Bearer {STATIC.ours}"


@pytest.mark.parametrize(
    ("value", "status"),
    [
        (f"Bearer {STATIC.theirs}", 200),
        (authorization(STATIC.theirs, plain=False), 401),
        (f"Token {STATIC.theirs}", 401),
        ("Bearer other", 401),
        (None, 401),
    ],
)
def test_it_can_want_bearer(value: str | None, status: int) -> None:
    with connected(Manner(wants_bearer=True)) as bridge:
        assert bridge.call("PUT", session_url(bridge), SESSION, headers={"authorization": value}).status == status
        assert noted(bridge) == ([] if status == 200 else ["the token is missing or unknown"])


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (AnswerStyle.LIST, {"status_code": 1000, "data": [1, "two"]}),
        (AnswerStyle.STRING, {"status_code": 1000, "data": "stored"}),
        (AnswerStyle.OTHER_SUCCESS, {"status_code": 1001}),
        (AnswerStyle.BARE, {"stored": True}),
        (AnswerStyle.EMPTY, None),
    ],
)
def test_success_can_be_told_in_odd_ways(style: AnswerStyle, expected: JsonObject | None) -> None:
    with connected(Manner(answers=style)) as bridge:
        reply = bridge.call("PUT", session_url(bridge), SESSION)

        assert reply.status == 200
        told = None if not reply.raw else {key: item for key, item in reply.body.items() if key != "timestamp"}
        assert told == expected
        # The session is stored all the same, a GET shows it, and an error stays an error.
        assert as_object(bridge.call("GET", session_url(bridge)).body["data"])["id"] == "session-1"
        refused = bridge.call("PUT", session_url(bridge), {**SESSION, "kwh": "1"})
        assert refused.body["status_code"] == 2001


def test_credentials_are_exchanged_properly_whatever_the_answers() -> None:
    with PartnerSimulator(cpo=CPO, manner=Manner(answers=AnswerStyle.EMPTY)) as partner:
        bridge = ScriptedBridge(partner)
        with bridge.http:
            partner.register(bridge.versions_url, TOKEN_A)

        assert partner.violations() == []


def test_a_sloppy_partner_registers() -> None:
    manner = Manner(message_ids=MessageIds.NONE, routing_headers=False, trailing_slashes=True)
    with PartnerSimulator(cpo=CPO, manner=manner) as partner:
        bridge = ScriptedBridge(partner)
        with bridge.http:
            partner.register(bridge.versions_url, TOKEN_A)
            targets = [request.target for request in bridge.http.requests.entries()]

        assert targets == ["/here/versions/", "/here/2.3.0/", "/there/2.3.0/credentials/"]
        assert partner.violations() == []


@pytest.mark.parametrize("asker", [Party("NL", "JED"), SECOND])
def test_a_result_goes_to_the_party_that_asked(asker: Party) -> None:
    with connected(Manner(other_parties=(SECOND,))) as bridge:
        exchange = bridge.partner.bridge.as_party(asker).put_profile("session-1", guide_profile(START))
        sent = as_object(read_json(bridge.http.requests.entries()[-1].body))
        bridge.call(
            "POST",
            str(sent["response_url"]),
            {"result": "ACCEPTED"},
            headers={"ocpi-to-country-code": asker.country_code, "ocpi-to-party-id": asker.party_id},
        )

        assert exchange.result is ResponseType.ACCEPTED
        assert exchange.wait_for_result(SECONDS).result is ResultType.ACCEPTED
        assert noted(bridge) == []


def test_a_result_for_the_other_party_is_noted() -> None:
    with connected(Manner(other_parties=(SECOND,))) as bridge:
        exchange = bridge.partner.bridge.as_party(SECOND).put_profile("session-1", guide_profile(START))
        bridge.call("POST", exchange.response_url or "", {"result": "ACCEPTED"})
        active = {"start_date_time": "2026-01-15T16:00:00Z", "charging_profile": guide_profile(START).wire()}
        bridge.call("PUT", f"{bridge.partner.charging_profiles_url}/session-1", active)

        assert noted(bridge) == ["OCPI-to-country-code is NL, not BE", "OCPI-to-party-id is JED, not JE2"] * 2


def test_a_session_may_be_for_any_party_of_the_partner() -> None:
    with connected(Manner(other_parties=(SECOND,))) as bridge:
        to_second = {"ocpi-to-country-code": "be", "ocpi-to-party-id": "je2"}
        bridge.call("PUT", session_url(bridge), SESSION, headers=to_second)
        assert noted(bridge) == []
        bridge.call("PUT", session_url(bridge), SESSION, headers={"ocpi-to-party-id": "XYZ"})
        assert noted(bridge) == ["OCPI-to-party-id is XYZ, not JED"]


def test_a_version_that_was_not_agreed_on_is_noted() -> None:
    with connected(Manner(), OcpiVersion.V230) as bridge:
        bridge.call("PUT", session_url(bridge), SESSION)
        assert noted(bridge) == []
        bridge.call("PUT", session_url(bridge).replace("2.3.0", "2.2.1"), SESSION)
        assert noted(bridge) == ["2.2.1 was not agreed on, 2.3.0 was"]
