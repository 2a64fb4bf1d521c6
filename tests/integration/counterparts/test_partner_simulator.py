"""The partner over real sockets: what it serves, how it misbehaves, and how it calls a bridge."""

import threading
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import (
    AnswerLate,
    AnswerSlowly,
    HttpService,
    NeverAnswer,
    Request,
    ResetConnection,
    Response,
)
from tools.counterparts.json_types import JsonObject, as_object, read_json, write_json
from tools.partner_simulator import (
    BridgeUnreachableError,
    Credentials,
    PartnerSimulator,
    Party,
    ResponseType,
    ResultType,
    SessionStatus,
    faults,
    guide_profile,
)
from tools.partner_simulator.transport import authorization, envelope, new_message_ids, routing

pytestmark = pytest.mark.integration

SECONDS = 20.0
CPO = Party("NL", "CPO")
CREDENTIALS = Credentials(ours="partner-to-bridge", theirs="bridge-to-partner")
SESSION: JsonObject = {
    "country_code": "NL",
    "party_id": "CPO",
    "id": "session-1",
    "start_date_time": "2026-01-15T16:58:12Z",
    "kwh": 0,
    "cdr_token": {"country_code": "NL", "party_id": "MSP", "uid": "p-1", "type": "RFID", "contract_id": "p-2"},
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": "3256",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T16:58:12Z",
}


class StandInBridge:
    """Answers as told and posts results as told; only as much of a bridge as the partner's client needs."""

    def __init__(self, partner: PartnerSimulator) -> None:
        self.partner = partner
        self.answer: Callable[[Request], Response] = self.accept
        self.http = HttpService(self._serve, name="stand-in-bridge")

    def _serve(self, request: Request) -> Response:
        return self.answer(request)

    def accept(self, request: Request) -> Response:
        return envelope(request, data={"result": "ACCEPTED", "timeout": 30})

    def call(self, method: str, url: str, body: object = None) -> httpx.Response:
        headers = {
            "Authorization": authorization(CREDENTIALS.theirs, plain=False),
            **new_message_ids(),
            **routing(to=self.partner.party, sender=CPO),
        }
        if body is None:
            return httpx.request(method, url, headers=headers)
        return httpx.request(
            method, url, content=write_json(body), headers={**headers, "Content-Type": "application/json"}
        )


@pytest.fixture
def partner() -> Iterator[PartnerSimulator]:
    with PartnerSimulator(CREDENTIALS, cpo=CPO) as partner:
        yield partner


@pytest.fixture
def bridge(partner: PartnerSimulator) -> Iterator[StandInBridge]:
    bridge = StandInBridge(partner)
    with bridge.http:
        partner.connect(bridge.http.url)
        yield bridge


def put_session(bridge: StandInBridge, **changes: object) -> httpx.Response:
    return bridge.call("PUT", f"{bridge.partner.sessions_url}/NL/CPO/session-1", {**SESSION, **changes})


def test_a_session_is_received_patched_and_read_back(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    assert put_session(bridge).json()["status_code"] == 1000
    url = f"{partner.sessions_url}/NL/CPO/session-1"
    later = write_datetime(utc_now())
    bridge.call("PATCH", url, {"status": "COMPLETED", "kwh": 21.3, "last_updated": later})

    session = partner.wait_for_session(lambda session: session.status is SessionStatus.COMPLETED, SECONDS)

    assert float(session.kwh) == 21.3
    assert as_object(bridge.call("GET", url).json()["data"])["kwh"] == 21.3
    assert [push.method for push in partner.session_pushes.entries()] == ["PUT", "PATCH"]
    assert partner.violations() == []


def test_a_waiter_is_woken_by_the_session(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    pushing = threading.Thread(target=put_session, args=(bridge,))
    pushing.start()

    assert partner.wait_for_session(lambda session: session.id == "session-1", SECONDS).evse_uid == "3256"
    pushing.join()


def test_a_put_leads_to_its_result(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    exchange = partner.bridge.put_profile("session-1", guide_profile(utc_now()))

    sent = as_object(read_json(bridge.http.requests.entries()[0].body))
    assert (exchange.status, exchange.result, exchange.timeout) == (200, ResponseType.ACCEPTED, 30)
    assert sent["response_url"] == exchange.response_url
    bridge.call("POST", str(sent["response_url"]), {"result": "ACCEPTED"})
    assert exchange.wait_for_result(SECONDS).result is ResultType.ACCEPTED
    assert partner.violations() == []


def test_a_get_carries_the_response_url_as_jedlix_writes_it(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    exchange = partner.bridge.get_active_profile("session-1", 900)

    request = bridge.http.requests.entries()[0]
    assert request.query == f"duration=900&response_url={exchange.response_url}"
    assert request.query.count("?") == 1
    assert parse_qs(request.query)["response_url"] == [exchange.response_url]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_response_url_can_be_encoded_too(partner: PartnerSimulator, bridge: StandInBridge, method: str) -> None:
    client = partner.bridge
    call = client.get_active_profile if method == "GET" else client.delete_profile
    exchange = call("session-1", encoded=True)

    query = urlsplit(bridge.http.requests.entries()[0].target).query
    assert "%3F" in query
    assert parse_qs(query)["response_url"] == [exchange.response_url]


def test_an_active_profile_comes_with_the_result_of_a_get(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    exchange = partner.bridge.get_active_profile("session-1")
    active = {"start_date_time": write_datetime(utc_now()), "charging_profile": guide_profile(utc_now()).wire()}

    bridge.call("POST", exchange.response_url or "", {"result": "ACCEPTED", "profile": active})

    received = exchange.wait_for_result(SECONDS).profile
    assert received is not None
    assert received.wire() == active


def test_a_repeated_request_can_keep_its_id_and_its_url(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    profile = guide_profile(utc_now())
    first = partner.bridge.put_profile("session-1", profile)
    again = partner.bridge.put_profile(
        "session-1", profile, response_url=first.response_url, request_id=first.request_id
    )

    one, two = bridge.http.requests.entries()
    assert (one.body, one.header("X-Request-ID")) == (two.body, two.header("X-Request-ID"))
    bridge.call("POST", first.response_url or "", {"result": "ACCEPTED"})
    assert again.wait_for_result(SECONDS) == first.wait_for_result(SECONDS)
    assert partner.violations() == []


def test_odd_requests_can_be_sent(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    client = partner.bridge
    client.put_profile("session-1", {"charging_rate_unit": "kW"}, headers={"X-Request-ID": None, "X-Odd": "1"})
    client.put_profile("session-1", {}, raw_body=b"{", token="another")
    client.delete_profile("ses/sion", raw_query="")

    first, second, third = bridge.http.requests.entries()
    assert (first.header("X-Request-ID"), first.header("X-Odd")) == (None, "1")
    assert (second.body, second.header("Authorization")) == (b"{", authorization("another", plain=False))
    assert third.target.endswith("/ses%2Fsion")


def test_an_answer_that_breaks_the_envelope_is_noted(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    bridge.answer = lambda _: Response.json(200, {"result": "ACCEPTED", "timeout": 30})
    exchange = partner.bridge.put_profile("session-1", guide_profile(utc_now()))

    assert exchange.result is None
    noted = " ".join(violation.what for violation in partner.violations())
    for expected in ("status_code", "timestamp", "X-Request-ID is not repeated", "OCPI-to-party-id is missing"):
        assert expected in noted


def test_what_api_gateway_answers_by_itself_is_no_violation(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    bridge.answer = lambda _: Response.json(429, {"message": "Too Many Requests"})
    exchange = partner.bridge.put_profile("session-1", guide_profile(utc_now()))

    assert (exchange.status, exchange.status_code, exchange.result) == (429, None, None)
    assert partner.violations() == []


def test_a_bridge_without_an_answer_is_unreachable(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    bridge.http.plan(ResetConnection())

    with pytest.raises(BridgeUnreachableError):
        partner.bridge.delete_profile("session-1")


def test_a_plain_token_is_sent_as_it_is() -> None:
    with PartnerSimulator(Credentials("plain-ours", "plain-theirs", plain=True), cpo=CPO) as partner:
        bridge = StandInBridge(partner)
        with bridge.http:
            partner.connect(bridge.http.url).delete_profile("session-1")

        assert bridge.http.requests.entries()[0].header("Authorization") == "Token plain-ours"


def test_planned_answers_hit_their_path_as_often_as_planned(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    partner.misbehave(faults.http_error(503), path="/sessions/", times=2)
    partner.misbehave(faults.too_many_requests(3), method="PUT")
    partner.misbehave(faults.ocpi_error(3000))
    partner.misbehave(faults.redirect("https://elsewhere.example/"))

    answers = [put_session(bridge) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [503, 503, 429, 200, 307, 200]
    assert answers[2].headers["Retry-After"] == "3"
    assert answers[3].json()["status_code"] == 3000
    assert [push.method for push in partner.session_pushes.entries()] == ["PUT"]


def test_a_partner_may_do_the_work_and_answer_nonsense(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    for fault in (
        faults.empty_body(),
        faults.huge_body(100_000),
        faults.odd_data([1, "two"]),
        faults.not_json(),
        faults.http_error(500, handled=True),
    ):
        partner.misbehave(fault)

    bodies = [put_session(bridge).content for _ in range(5)]

    assert [len(body) for body in bodies[:2]] == [0, 100_000 + len(bodies[1].strip())]
    assert len(partner.session_pushes) == 4


def test_a_reset_reaches_the_caller_as_one(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    partner.misbehave(ResetConnection(handled=True))

    with pytest.raises(httpx.TransportError):
        put_session(bridge)
    assert len(partner.session_pushes) == 1


def test_a_caller_that_waits_for_nothing_gives_up(partner: PartnerSimulator) -> None:
    partner.misbehave(NeverAnswer())

    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{partner.sessions_url}/NL/CPO/session-1", timeout=0.2)


def test_a_slow_answer_arrives_whole_in_pieces(partner: PartnerSimulator, bridge: StandInBridge) -> None:
    put_session(bridge)
    partner.misbehave(AnswerSlowly(bytes_per_second=4000))
    headers = {"Authorization": authorization(CREDENTIALS.theirs, plain=False)}

    with httpx.stream("GET", f"{partner.sessions_url}/NL/CPO/session-1", headers=headers) as answer:
        pieces = list(answer.iter_raw())

    assert len(pieces) > 1
    assert as_object(as_object(read_json(b"".join(pieces)))["data"])["id"] == "session-1"


def test_a_late_answer_does_not_outlive_the_service(partner: PartnerSimulator) -> None:
    partner.misbehave(AnswerLate(SECONDS * 10))
    failures: list[Exception] = []

    def call() -> None:
        try:
            httpx.get(f"{partner.sessions_url}/NL/CPO/session-1", timeout=SECONDS)
        except httpx.TransportError as error:
            failures.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    partner.http.requests.wait_for(lambda _: True, SECONDS)
    partner.stop()
    caller.join(SECONDS)

    assert len(failures) == 1


def test_a_body_without_a_length_is_refused(partner: PartnerSimulator) -> None:
    assert httpx.put(partner.sessions_url, content=iter([b"{}"])).status_code == 411
