"""The charge point driver: what goes to a CSMS, and what its answers mean."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.csms.answers import CallbackReader
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.adapters.csms.presets import preset
from ocpi_bridge.domain.csms_api import Body, CsmsApi, Operation, Reading
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsAuth, CsmsMode, OcppVersion, ProfileIdRange
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.secrets import CsmsSecrets
from tests.support.clocks import START, ManualClock
from tests.support.fake_http import ScriptedExchange, reply
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.outlets import command, outlet

CSMS = Csms(
    csms_id="acme",
    preset="citrineos",
    base_url="https://csms.example/api/",
    mode=CsmsMode.CALLBACK,
    profile_ids=ProfileIdRange(1000, 1999),
    country_code="BE",
    party_id="BEC",
)
SYNCHRONOUS = replace(CSMS, mode=CsmsMode.SYNCHRONOUS)
TAKEN = reply(200, [{"success": True}])
PLAN = Plan(
    RateUnit.AMPERE,
    (PlanPeriod(0, Decimal("10.1")), PlanPeriod(600, Decimal(0)), PlanPeriod(900, Decimal("8.3"))),
    START,
)
CALLBACK_URL = "https://csms-api.example/csms/v1/callback/r1.0/signature"


def driver(http: ScriptedExchange, secrets: InMemorySecretStore | None = None) -> HttpChargePointDriver:
    return HttpChargePointDriver(secrets or InMemorySecretStore(), ManualClock(), http)


def described(api: CsmsApi, http: ScriptedExchange) -> HttpChargePointDriver:
    return HttpChargePointDriver(InMemorySecretStore(), ManualClock(), http, describe=lambda _: api)


def a_set(version: OcppVersion = OcppVersion.V16, *, transaction_id: str = "778") -> ChargerCommand:
    return command(RequestKind.SET, outlet(ocpp_version=version), plan=PLAN, transaction_id=transaction_id)


def a_get(version: OcppVersion = OcppVersion.V16) -> ChargerCommand:
    return command(RequestKind.GET, outlet(ocpp_version=version), duration=900)


def submit(answer: Reply | NoReply, csms: Csms = CSMS, wanted: ChargerCommand | None = None) -> Done | Pending | Failed:
    return driver(ScriptedExchange(answer)).submit(csms, wanted or a_set())


# --- What goes out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", OcppVersion)
@pytest.mark.parametrize(
    ("kind", "action"),
    [
        (RequestKind.SET, "setChargingProfile"),
        (RequestKind.CLEAR, "clearChargingProfile"),
        (RequestKind.GET, "getCompositeSchedule"),
    ],
)
def test_citrineos_is_called_at_the_path_of_the_command(version: OcppVersion, kind: RequestKind, action: str) -> None:
    http = ScriptedExchange(TAKEN)
    wanted = command(kind, outlet(ocpp_version=version), plan=PLAN, duration=900)
    assert driver(http).submit(CSMS, wanted) == Pending()
    url = urlsplit(http.calls[0].url)
    assert http.calls[0].method == "POST"
    assert (url.netloc, url.path) == ("csms.example", f"/api/ocpp/{version.value}/smartcharging/{action}")
    assert parse_qsl(url.query) == [("identifier", "CP-001"), ("tenantId", "1"), ("callbackUrl", CALLBACK_URL)]


def test_the_tenant_comes_from_the_registry() -> None:
    http = ScriptedExchange(TAKEN)
    driver(http).submit(replace(CSMS, parameters=(("tenantId", "7"),)), a_set())
    assert ("tenantId", "7") in parse_qsl(urlsplit(http.calls[0].url).query)


def test_a_station_id_cannot_add_parameters() -> None:
    http = ScriptedExchange(TAKEN)
    at = outlet()
    at = replace(at, station=replace(at.station, station_id="CP 1&identifier=CP-2#"))
    driver(http).submit(CSMS, command(RequestKind.CLEAR, at))
    assert parse_qsl(urlsplit(http.calls[0].url).query)[0] == ("identifier", "CP 1&identifier=CP-2#")


def test_a_synchronous_csms_is_given_no_callback_url() -> None:
    http = ScriptedExchange(reply(200, {"status": "Accepted"}))
    driver(http).submit(SYNCHRONOUS, a_set())
    assert "callbackUrl" not in http.calls[0].url


@pytest.mark.parametrize("version", OcppVersion)
def test_limits_are_written_as_the_numbers_they_are(version: OcppVersion) -> None:
    http = ScriptedExchange(TAKEN)
    driver(http).submit(CSMS, a_set(version))
    text = http.calls[0].body.decode()
    assert json.loads(text, parse_float=Decimal)
    assert '"limit":10.1,' in text.replace("}", ",")
    assert '"limit":8.3,' in text.replace("}", ",")


def test_a_call_ends_with_the_csms_timeout_or_the_deadline_whichever_is_first() -> None:
    http = ScriptedExchange(TAKEN, TAKEN)
    wanted = replace(a_set(), deadline=START + timedelta(seconds=50))
    driver(http).submit(CSMS, wanted)
    driver(http).submit(CSMS, replace(wanted, deadline=START + timedelta(seconds=6)))
    assert http.budgets == [20.0, 6.0]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (CsmsAuth.BEARER, "Authorization", "Bearer cr3dential"),
        (CsmsAuth.HEADER, "X-Api-Key", "cr3dential"),
    ],
)
def test_our_credential_goes_where_the_registry_says(auth: CsmsAuth, header: str, value: str) -> None:
    http, secrets = ScriptedExchange(TAKEN), InMemorySecretStore()
    secrets.csms["acme"] = CsmsSecrets("key", "cr3dential")
    driver(http, secrets).submit(replace(CSMS, auth=auth, auth_header="X-Api-Key"), a_set())
    assert http.calls[0].headers[header] == value


def test_without_authentication_no_secret_is_read() -> None:
    http, secrets = ScriptedExchange(TAKEN), InMemorySecretStore()
    driver(http, secrets).submit(CSMS, a_set())
    assert secrets.reads == []
    assert set(http.calls[0].headers) == {"Content-Type", "X-Correlation-ID"}


def test_the_partners_correlation_id_goes_along_for_the_csmss_own_logs() -> None:
    http = ScriptedExchange(TAKEN)
    driver(http).submit(CSMS, a_set())
    assert http.calls[0].headers["X-Correlation-ID"] == "corr-1"


def test_a_replaced_credential_is_read_again_after_a_401() -> None:
    secrets = InMemorySecretStore()
    secrets.csms["acme"] = CsmsSecrets("key", "old")

    def replaced() -> None:
        secrets.csms["acme"] = CsmsSecrets("key", "new")

    http = ScriptedExchange(reply(401), TAKEN, on_call=replaced)
    assert driver(http, secrets).submit(replace(CSMS, auth=CsmsAuth.BEARER), a_set()) == Pending()
    assert [call.headers["Authorization"] for call in http.calls] == ["Bearer old", "Bearer new"]


def test_an_unchanged_credential_is_not_tried_twice() -> None:
    secrets = InMemorySecretStore()
    secrets.csms["acme"] = CsmsSecrets("key", "cr3dential")
    http = ScriptedExchange(reply(401))
    outcome = driver(http, secrets).submit(replace(CSMS, auth=CsmsAuth.BEARER), a_set())
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (True, False)
    assert "credential" in outcome.reason
    assert "cr3dential" not in outcome.reason


# --- What cannot go out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("csms", "wanted", "why"),
    [
        (replace(CSMS, preset="homemade"), a_set(), "preset"),
        (replace(CSMS, parameters=(("tenantID", "7"),)), a_set(), "parameters.tenantID"),
        (replace(CSMS, auth=CsmsAuth.OAUTH2), a_set(), "csms/acme"),
        (replace(CSMS, auth=CsmsAuth.BEARER), a_set(), "csms/acme"),
        (CSMS, a_set(transaction_id="a-uuid"), "transaction_id"),
    ],
)
def test_what_the_registry_got_wrong_fails_with_its_name_and_no_call(
    csms: Csms, wanted: ChargerCommand, why: str
) -> None:
    http = ScriptedExchange()
    outcome = driver(http).submit(csms, wanted)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (True, False)
    assert why in outcome.reason
    assert http.calls == []


def test_a_command_that_an_api_does_not_offer_fails_without_a_call() -> None:
    citrineos = preset("citrineos")
    assert citrineos is not None
    no_composite = tuple(one for one in citrineos.operations if one.kind is not RequestKind.GET)
    outcome = described(replace(citrineos, operations=no_composite), ScriptedExchange()).submit(CSMS, a_get())
    why = "preset: citrineos does not offer GET for OCPP 1.6"
    assert outcome == Failed(why, nothing_sent=True, retryable=False, offered=False)


def test_a_description_says_where_the_payload_and_the_answer_stand() -> None:
    wrapped = CsmsApi(
        name="wrapped",
        operations=(
            Operation(
                RequestKind.CLEAR, "/stations/{station_id}/{account}/send", body=Body(payload_at=("command", "payload"))
            ),
        ),
        synchronous=Reading(payload_at=("result", "confirmation")),
        verdict_at=("ok",),
        parameters={"account": "main"},
    )
    http = ScriptedExchange(reply(200, {"ok": True, "result": {"confirmation": {"status": "Unknown"}}}))
    outcome = described(wrapped, http).submit(
        replace(SYNCHRONOUS, parameters=(("account", "a/b"),)), command(RequestKind.CLEAR)
    )
    assert outcome == Done("Unknown")
    assert http.calls[0].url == "https://csms.example/api/stations/CP-001/a%2Fb/send"
    assert json.loads(http.calls[0].body) == {"command": {"payload": {"id": 1042}}}


# --- What comes back at once -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "retryable"),
    [
        ("No connection found for identifier: 1:CP-001", True),
        ("Call already in progress", True),
        ("Transaction 778 not found on station CP-001.", False),
        ("1 ChargingProfile with stackLevel 1 and transactionId 778 already exists.", False),
        ("Requested protocol: 'ocpp2.0.1', connection protocol: 'ocpp1.6' for identifier: 'CP-001'", False),
        ("Evse 4 not found.", False),
    ],
)
def test_a_refusal_in_a_successful_answer_means_that_nothing_was_sent(said: str, retryable: bool) -> None:
    outcome = submit(reply(200, [{"success": False, "payload": said}]))
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (True, retryable)
    assert said in outcome.reason


def test_a_refusal_without_words_may_pass() -> None:
    outcome = submit(reply(200, [{"success": False}]))
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (True, True)


@pytest.mark.parametrize(
    ("status", "nothing_sent", "retryable"),
    [
        (302, True, False),
        (400, True, False),
        (401, True, False),
        (403, True, False),
        (404, True, False),
        (408, False, True),
        (425, True, True),
        (429, True, True),
        (500, False, True),
        (502, False, True),
        (503, True, True),
        (504, False, True),
    ],
)
def test_an_http_error_says_whether_the_command_can_have_been_sent(
    status: int, nothing_sent: bool, retryable: bool
) -> None:
    outcome = submit(reply(status))
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (nothing_sent, retryable)
    assert str(status) in outcome.reason


@pytest.mark.parametrize("status", [401, 403])
def test_a_credential_that_is_not_enough_is_named_as_what_it_is(status: int) -> None:
    outcome = submit(reply(status))
    assert isinstance(outcome, Failed)
    assert "credential" in outcome.reason


def test_a_validation_error_is_passed_on_to_the_operator() -> None:
    outcome = submit(reply(400, {"code": "FST_ERR_VALIDATION", "message": "body must have property 'connectorId'"}))
    assert isinstance(outcome, Failed)
    assert "connectorId" in outcome.reason


@pytest.mark.parametrize(
    ("error", "sent", "retryable"),
    [
        ("connect", False, True),
        ("dns", False, True),
        ("connect_timeout", False, True),
        ("tls", False, True),
        ("timeout", True, True),
        ("connection_lost", True, True),
        ("protocol", True, True),
        ("invalid_request", False, False),
    ],
)
def test_no_answer_says_whether_the_command_can_have_been_sent(error: str, sent: bool, retryable: bool) -> None:
    assert submit(NoReply(error, sent=sent)) == Failed(
        f"no answer of the CSMS: {error}", nothing_sent=not sent, retryable=retryable
    )


@pytest.mark.parametrize(
    "answer",
    [
        reply(200),
        reply(204),
        Reply(200, body=b"<html>Sign in</html>"),
        Reply(200, body=b"[" * 60_000),
        Reply(200, body=b'[{"success":true}]', truncated=True),
        reply(200, []),
        reply(200, [{}]),
        reply(200, {"success": "yes"}),
        reply(200, [{"success": "true"}]),
    ],
)
def test_an_answer_that_says_nothing_leaves_it_open_whether_the_command_was_sent(answer: Reply) -> None:
    outcome = submit(answer)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (False, False)


@pytest.mark.parametrize(
    "body",
    [
        {"status": "Accepted"},
        [{"success": True, "payload": {"status": "Accepted"}}],
    ],
)
def test_a_synchronous_answer_is_the_payload_or_has_it_beside_the_verdict(body: JsonValue) -> None:
    assert submit(reply(200, body), SYNCHRONOUS) == Done("Accepted")


def test_a_synchronous_composite_schedule_is_read_exactly() -> None:
    body = (
        b'{"status":"Accepted","connectorId":1,"scheduleStart":"2026-01-15T17:00:00Z","chargingSchedule":'
        b'{"duration":900,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":10.1}]}}'
    )
    outcome = submit(Reply(200, body=body), SYNCHRONOUS, a_get())
    assert outcome == Done(
        "Accepted", Plan(RateUnit.AMPERE, (PlanPeriod(0, Decimal("10.1")),), start=START, duration=900)
    )


def test_a_synchronous_callerror_is_an_answer_of_the_charge_point() -> None:
    assert submit(reply(200, [{"success": True, "payload": {"_errorCode": "NotSupported"}}]), SYNCHRONOUS) == Done(
        "CallError:NotSupported"
    )


def test_a_synchronous_answer_without_a_status_leaves_it_open() -> None:
    outcome = submit(reply(200, [{"success": True}]), SYNCHRONOUS)
    assert isinstance(outcome, Failed)
    assert not outcome.nothing_sent


def test_a_reason_is_one_short_line_without_urls() -> None:
    said = f"cannot register\r\n{CALLBACK_URL} for " + "x" * 1000
    outcome = submit(reply(200, [{"success": False, "payload": said}]))
    assert isinstance(outcome, Failed)
    assert "signature" not in outcome.reason
    assert outcome.reason.isprintable()
    assert len(outcome.reason) < 300


# --- What comes back later -------------------------------------------------------------------------------------------


def parse(body: bytes, kind: RequestKind = RequestKind.SET, received_at: datetime = START) -> Done | Failed:
    return CallbackReader().parse_callback(CSMS, kind, body, received_at)


def test_a_callback_is_the_charge_points_answer() -> None:
    assert parse(b'{"status":"Rejected"}') == Done("Rejected")


def test_a_callback_with_a_callerror_is_an_answer_too() -> None:
    body = b'{"_messageId":"1","_errorCode":"NotSupported","_errorDetails":{},"name":"OcppError"}'
    assert parse(body) == Done("CallError:NotSupported")


@pytest.mark.parametrize("code", ["", "Not Supported\n", "x" * 500, "<script>"])
def test_a_strange_error_code_is_a_generic_error(code: str) -> None:
    assert parse(json.dumps({"_errorCode": code}).encode()) == Done("CallError:GenericError")


def test_a_composite_schedule_is_read_in_both_versions() -> None:
    periods = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 11000}]}
    v16 = {"status": "Accepted", "scheduleStart": "2026-01-15T17:00:00Z", "chargingSchedule": periods}
    v201 = {
        "status": "Accepted",
        "schedule": {"evseId": 1, "duration": 900, "scheduleStart": "2026-01-15T17:00:00Z", **periods},
    }
    for payload in (v16, v201):
        done = parse(json.dumps(payload).encode(), RequestKind.GET)
        assert isinstance(done, Done)
        assert done.schedule is not None
        assert done.schedule.periods == (PlanPeriod(0, Decimal(11000)),)
        assert done.schedule.start == START


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"null",
        b"[]",
        b'"Accepted"',
        b"{}",
        b'{"status":5}',
        b'{"status":',
        b"[" * 60_000,
        b"\xff\xfe\xfd",
    ],
)
def test_a_callback_that_says_nothing_is_failed_and_never_an_exception(body: bytes) -> None:
    outcome = parse(body)
    assert isinstance(outcome, Failed)
    assert not outcome.nothing_sent
