"""What the partner accepts, refuses and notes, without a socket."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tools.counterparts.clock import utc_now
from tools.counterparts.http_service import Request
from tools.counterparts.journal import NotObservedError
from tools.partner_simulator import Credentials, Manner, OcpiVersion, Party
from tools.partner_simulator.api import PartnerApi
from tools.partner_simulator.connection import Connection
from tools.partner_simulator.door import TokenDoor
from tools.partner_simulator.exchanges import Exchange, Exchanges, Method, SyncAnswer
from tools.partner_simulator.keyring import Keyring
from tools.partner_simulator.models import ChargingProfileResponse
from tools.partner_simulator.platform_api import PlatformApi
from tools.partner_simulator.platform_models import BridgeEndpoints, CredentialsRole
from tools.partner_simulator.receiver import Receiver
from tools.partner_simulator.sessions import SessionStore
from tools.partner_simulator.transport import Violations, authorization
from tools.partner_simulator.wire import Wire

Json = dict[str, Any]

CPO = Party("NL", "CPO")
PARTNER = Party("NL", "JED")
CREDENTIALS = Credentials(ours="partner-to-bridge", theirs="bridge-to-partner")

SESSION_PATH = "/ocpi/2.2.1/sessions/NL/CPO/session-1"
PROFILE_PATH = "/ocpi/2.2.1/chargingprofiles/session-1"
SESSION = {
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
PERIOD = {"start_date_time": "2026-01-15T16:58:12Z", "dimensions": [{"type": "ENERGY", "volume": 1.25}]}
ACTIVE_PROFILE = {
    "start_date_time": "2026-01-15T17:05:00Z",
    "charging_profile": {
        "duration": 900,
        "charging_rate_unit": "W",
        "charging_profile_period": [{"start_period": 0, "limit": 11040}],
    },
}
HEADERS = {
    "authorization": "Token " + base64.b64encode(b"bridge-to-partner").decode(),
    "content-type": "application/json",
    "x-request-id": "request-1",
    "x-correlation-id": "correlation-1",
    "ocpi-to-country-code": "NL",
    "ocpi-to-party-id": "JED",
    "ocpi-from-country-code": "NL",
    "ocpi-from-party-id": "CPO",
}


class Partner:
    def __init__(self) -> None:
        self.violations = Violations()
        self.sessions = SessionStore(self.violations)
        self.exchanges = Exchanges(self.violations)
        self.connection = Connection(
            party=PARTNER, cpo=CPO, keys=Keyring(CREDENTIALS), manner=Manner(), violations=self.violations
        )
        self.receiver = Receiver(self.connection, sessions=self.sessions, exchanges=self.exchanges)
        wire = Wire(self.connection)
        self.close = wire.close
        self.api = PartnerApi(
            self.connection,
            door=TokenDoor(self.connection),
            platform=PlatformApi(self.connection, wire),
            receiver=self.receiver,
        )

    def receive(
        self, method: str, target: str, body: object = None, **headers: str | None
    ) -> tuple[int, Json, Mapping[str, str]]:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        changed = {**HEADERS, **{name.replace("_", "-"): value for name, value in headers.items()}}
        present = {name: value for name, value in changed.items() if value is not None}
        response = self.api.handle(Request(method, target, present, content, 50_000, utc_now()))
        return response.status, json.loads(response.body), response.headers

    def noted(self) -> list[str]:
        return [violation.what for violation in self.violations.all()]

    def exchange(
        self, method: Method = "PUT", result: str | None = "ACCEPTED", timeout: int = 30, key: str = "100001"
    ) -> Exchange:
        exchange = self.exchanges.open(
            method,
            "session-1",
            url="",
            request_id="r",
            response_url=f"http://localhost/ocpi/2.2.1/chargingprofiles/response?request_id={key}",
            request_key=key,
            at=utc_now(),
        )
        if result is not None:
            response = ChargingProfileResponse.model_validate({"result": result, "timeout": timeout})
            self.exchanges.answered(exchange, SyncAnswer(utc_now(), 200, {}, b"", None, response))
        return exchange

    def receive_result(self, body: object, key: str = "100001") -> tuple[int, Json, Mapping[str, str]]:
        return self.receive("POST", f"/ocpi/2.2.1/chargingprofiles/response?request_id={key}", body)


@pytest.fixture
def partner() -> Iterator[Partner]:
    partner = Partner()
    yield partner
    partner.close()


def test_a_proper_session_is_stored_and_answered_in_the_envelope(partner: Partner) -> None:
    status, body, headers = partner.receive("PUT", SESSION_PATH, SESSION)

    assert (status, body["status_code"]) == (200, 1000)
    assert headers["X-Request-ID"] == "request-1"
    assert headers["X-Correlation-ID"] == "correlation-1"
    assert (headers["OCPI-to-party-id"], headers["OCPI-from-party-id"]) == ("CPO", "JED")
    assert partner.sessions.wait_for(lambda session: session.id == "session-1", timeout=0).kwh == 0
    assert partner.noted() == []


@pytest.mark.parametrize(
    "token", [None, "bridge-to-partner", "Token bridge-to-partner", "Token  " + HEADERS["authorization"][6:]]
)
def test_anything_but_the_token_in_base64_is_http_401(partner: Partner, token: str | None) -> None:
    assert partner.receive("PUT", SESSION_PATH, SESSION, authorization=token)[0] == 401
    assert partner.noted() == ["the token is missing or unknown"]


def test_a_plain_token_is_for_peers_that_agreed_to_it() -> None:
    assert authorization("t-1", plain=True) == "Token t-1"
    assert authorization("example-token", plain=False) == "Token ZXhhbXBsZS10b2tlbg=="


@pytest.mark.parametrize(
    ("header", "value", "noted"),
    [
        ("x_request_id", None, "X-Request-ID is missing"),
        ("x_correlation_id", None, "X-Correlation-ID is missing"),
        ("content_type", "text/plain", "Content-Type is not application/json"),
        ("ocpi_to_party_id", None, "OCPI-to-party-id is missing"),
        ("ocpi_from_party_id", "XYZ", "OCPI-from-party-id is XYZ, not CPO"),
    ],
)
def test_a_header_that_breaks_a_rule_is_noted(partner: Partner, header: str, value: str | None, noted: str) -> None:
    assert partner.receive("PUT", SESSION_PATH, SESSION, **{header: value})[0] == 200
    assert partner.noted() == [noted]


def test_a_body_that_is_no_json_is_http_400(partner: Partner) -> None:
    assert partner.receive("PUT", SESSION_PATH, b"{")[0] == 400
    assert len(partner.noted()) == 1


def test_an_object_that_breaks_a_rule_is_2001(partner: Partner) -> None:
    status, body, _ = partner.receive("PUT", SESSION_PATH, {**SESSION, "status": "BUSY"})

    assert (status, body["status_code"]) == (200, 2001)
    assert "status" in body["status_message"]
    assert partner.sessions.all() == []


@pytest.mark.parametrize("path", ["/ocpi/2.2.1/sessions/NL/CPO/session-2", "/ocpi/2.2.1/sessions/DE/CPO/session-1"])
def test_the_url_names_the_object(partner: Partner, path: str) -> None:
    assert partner.receive("PUT", path, SESSION)[1]["status_code"] == 2001


@pytest.mark.parametrize(("method", "path"), [("POST", SESSION_PATH), ("GET", "/ocpi/2.2.1/tariffs")])
def test_other_endpoints_are_http_404(partner: Partner, method: str, path: str) -> None:
    assert partner.receive(method, path)[0] == 404


def test_ids_are_compared_without_regard_to_case(partner: Partner) -> None:
    partner.receive("PUT", SESSION_PATH.upper().replace("/OCPI/2.2.1/SESSIONS", "/ocpi/2.2.1/sessions"), SESSION)

    assert partner.receive("GET", SESSION_PATH)[1]["data"]["id"] == "session-1"
    assert partner.noted() == []


def test_put_replaces_and_patch_appends_charging_periods(partner: Partner) -> None:
    partner.receive("PUT", SESSION_PATH, {**SESSION, "charging_periods": [PERIOD, PERIOD]})
    partner.receive("PUT", SESSION_PATH, {**SESSION, "charging_periods": [PERIOD]})
    partner.receive(
        "PATCH",
        SESSION_PATH,
        {"kwh": 1.25, "charging_periods": [PERIOD], "last_updated": "2026-01-15T17:05:00Z"},
    )

    stored = partner.sessions.all()[0]
    assert len(stored.charging_periods or []) == 2
    assert float(stored.kwh) == 1.25
    assert stored.location_id == "LOC1"
    assert partner.noted() == []


def test_a_patch_always_says_when(partner: Partner) -> None:
    partner.receive("PUT", SESSION_PATH, SESSION)

    assert partner.receive("PATCH", SESSION_PATH, {"kwh": 1})[1]["status_code"] == 2001


def test_a_patch_of_a_session_that_was_never_put_is_http_404_and_noted(partner: Partner) -> None:
    assert partner.receive("PATCH", SESSION_PATH, {"last_updated": "2026-01-15T17:05:00Z"})[0] == 404
    assert partner.noted() == ["never PUT before"]


def test_a_patch_of_a_session_that_the_partner_lost_is_no_violation(partner: Partner) -> None:
    partner.receive("PUT", SESSION_PATH, SESSION)
    partner.sessions.forget("session-1")

    assert partner.receive("GET", SESSION_PATH)[0] == 404
    assert partner.receive("PATCH", SESSION_PATH, {"last_updated": "2026-01-15T17:05:00Z"})[0] == 404
    assert partner.noted() == []


@pytest.mark.parametrize(
    ("before", "after", "noted"),
    [
        ({"status": "ACTIVE"}, {"status": "PENDING"}, "status went back from ACTIVE to PENDING"),
        ({"status": "COMPLETED"}, {"kwh": 3}, "changed after it was COMPLETED"),
        ({"kwh": 2}, {"kwh": 1}, "kwh went back from 2 to 1"),
        ({}, {"last_updated": "2026-01-15T16:58:11Z"}, "last_updated went back"),
    ],
)
def test_a_session_that_goes_back_is_noted(partner: Partner, before: Json, after: Json, noted: str) -> None:
    partner.receive("PUT", SESSION_PATH, {**SESSION, **before})
    partner.receive("PATCH", SESSION_PATH, {"last_updated": "2026-01-15T16:58:12Z", **after})

    assert noted in partner.noted()


def test_the_same_put_again_is_no_change(partner: Partner) -> None:
    completed = {**SESSION, "status": "COMPLETED"}
    partner.receive("PUT", SESSION_PATH, completed)
    partner.receive("PUT", SESSION_PATH, completed)

    assert partner.noted() == []


def test_waiting_for_a_session_shows_which_there_are(partner: Partner) -> None:
    partner.receive("PUT", SESSION_PATH, SESSION)

    with pytest.raises(NotObservedError, match="session-1 ACTIVE"):
        partner.sessions.wait_for(lambda session: session.status == "COMPLETED", timeout=0)


def test_a_promised_result_is_no_violation(partner: Partner) -> None:
    exchange = partner.exchange()

    assert partner.receive_result({"result": "ACCEPTED"})[0] == 200
    assert exchange.wait_for_result(timeout=0).result == "ACCEPTED"
    assert partner.noted() == []


def test_a_result_may_overtake_its_answer(partner: Partner) -> None:
    exchange = partner.exchange(result=None)
    partner.receive_result({"result": "ACCEPTED"})

    response = ChargingProfileResponse.model_validate({"result": "ACCEPTED", "timeout": 30})
    partner.exchanges.answered(exchange, SyncAnswer(utc_now(), 200, {}, b"", None, response))

    assert partner.noted() == []


@pytest.mark.parametrize("result", ["REJECTED", "UNKNOWN_SESSION", "TOO_OFTEN", "NOT_SUPPORTED"])
def test_a_result_that_was_not_promised_is_noted(partner: Partner, result: str) -> None:
    partner.exchange(result=result)
    partner.receive_result({"result": "ACCEPTED"})

    assert partner.noted() == ["a result although none was promised"]


def test_a_late_result_is_noted(partner: Partner) -> None:
    partner.exchange(timeout=0)
    partner.receive_result({"result": "ACCEPTED"})

    assert "after the announced timeout" in partner.noted()[0]


def test_two_different_results_are_noted_and_a_repeated_one_is_not(partner: Partner) -> None:
    partner.exchange()
    partner.receive_result({"result": "ACCEPTED"})
    partner.receive_result({"result": "ACCEPTED"})
    assert partner.noted() == []

    partner.receive_result({"result": "REJECTED"})
    assert len(partner.noted()) == 1


def test_a_result_that_nobody_asked_for_is_noted(partner: Partner) -> None:
    partner.receive_result({"result": "ACCEPTED"}, key="999")

    assert partner.noted() == ["nobody asked for it"]


def test_a_result_is_the_bare_object_of_its_request(partner: Partner) -> None:
    partner.exchange("GET")

    assert partner.receive_result({"result": "ACCEPTED"})[1]["status_code"] == 2001
    assert partner.receive_result({"result": "ACCEPTED", "profile": ACTIVE_PROFILE})[1]["status_code"] == 1000
    enveloped = {"status_code": 1000, "data": {"result": "ACCEPTED"}, "timestamp": "2026-01-15T17:05:00Z"}
    assert partner.receive_result(enveloped)[1]["status_code"] == 2001


def test_an_active_profile_may_be_pushed_after_an_accepted_put(partner: Partner) -> None:
    partner.exchange("PUT")

    assert partner.receive("PUT", PROFILE_PATH, ACTIVE_PROFILE)[0] == 200
    assert partner.receiver.active_profiles.entries()[0].session_id == "session-1"
    assert partner.noted() == []


@pytest.mark.parametrize(("method", "result"), [("GET", "ACCEPTED"), ("PUT", "REJECTED")])
def test_an_active_profile_without_an_accepted_put_is_noted(partner: Partner, method: Method, result: str) -> None:
    partner.exchange(method, result)
    partner.receive("PUT", PROFILE_PATH, ACTIVE_PROFILE)

    assert partner.noted() == ["no PUT of ours was ever accepted (14.4.2.4)"]


def cpo_role(party_id: str, role: str = "CPO") -> CredentialsRole:
    body = {"role": role, "country_code": "DE", "party_id": party_id, "business_details": {"name": party_id}}
    return CredentialsRole.model_validate(body)


def test_a_bridge_may_speak_for_more_than_one_cpo(partner: Partner) -> None:
    endpoints = BridgeEndpoints.below("http://bridge", OcpiVersion.V221)
    partner.connection.connect(endpoints, (cpo_role("TWO"), cpo_role("MSP", "EMSP")))
    session = {**SESSION, "country_code": "DE", "party_id": "TWO"}
    sender = {"ocpi_from_country_code": "DE", "ocpi_from_party_id": "TWO"}
    path = "/ocpi/2.2.1/sessions/de/two/session-1"

    assert partner.receive("PUT", path, session, **sender)[1]["status_code"] == 1000
    assert partner.noted() == []
    # One of its parties does not speak of another's sessions, and an eMSP has none.
    partner.receive("PUT", path, session)
    assert partner.noted() == ["OCPI-from-country-code is NL, not de", "OCPI-from-party-id is CPO, not two"]
    other = {**SESSION, "country_code": "DE", "party_id": "MSP"}
    assert partner.receive("PUT", "/ocpi/2.2.1/sessions/DE/MSP/session-1", other)[1]["status_code"] == 2001


def test_tokens_are_in_no_representation() -> None:
    assert "bridge" not in repr(CREDENTIALS)
