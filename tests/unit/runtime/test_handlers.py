"""Each function from its environment to its answer: the real wiring on moto, with events as AWS hands them over.

Only what lies beyond our own network is played: the partner's and the CSMS's HTTP servers.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.signing import callback_url, sign_event
from ocpi_bridge.adapters.dynamodb import registry_items, session_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.requests import RequestKind, RequestState, Result
from ocpi_bridge.ports.charge_points import Failed
from ocpi_bridge.ports.partners import Receipt
from tests.support.deployed_functions import CSMS_API, EVENT_KEY, SIGNING_KEY
from tests.support.deployed_site import AUTHORIZED, Site, answered_by, deployed_site, ocpi, read, set_profile
from tests.support.lambda_events import proxy_event, stream_event
from tests.support.queues import Queues
from tests.support.registry_entries import assignment
from tests.support.scripted import UNREACHABLE, ScriptedDriver, ScriptedPartner
from tests.support.tables import ACCOUNT
from tests.support.world import CARD, DEADLINE, PAUSE_BETWEEN, RESPONSE_URL, World, event

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def site(world: World, queues: Queues) -> Iterator[Site]:
    with deployed_site(world, queues) as site:
        yield site


# --- OCPI ------------------------------------------------------------------------------------------------------------


def test_versions_lead_to_the_details_and_to_what_is_served(site: Site) -> None:
    status, listed = read(site.run("ocpi_versions", ocpi("GET", "/ocpi/versions")))
    base = "https://ocpi.example/prod/ocpi"
    assert (status, [one["url"] for one in listed["data"]]) == (200, [f"{base}/2.2.1", f"{base}/2.3.0"])
    answer = site.run("ocpi_versions", ocpi("GET", "/ocpi/2.2.1/"))
    assert f"{base}/2.2.1/chargingprofiles" in [one["url"] for one in read(answer)[1]["data"]["endpoints"]]
    assert not any(name.startswith("OCPI-") for name in answer["headers"])


def test_versions_are_for_get_and_for_known_tokens_only(site: Site) -> None:
    assert read(site.run("ocpi_versions", ocpi("POST", "/ocpi/versions")))[0] == 405
    assert read(site.run("ocpi_versions", ocpi("GET", "/ocpi/versions", headers={})))[0] == 401


@pytest.mark.parametrize(("headers", "status"), [(AUTHORIZED, 404), ({}, 401)])
def test_what_nobody_serves_is_404_in_the_envelope_and_401_without_a_token(
    site: Site, headers: Mapping[str, str], status: int
) -> None:
    answer = site.run("ocpi_fallback", ocpi("GET", "/ocpi/2.2.1/tariffs", headers=headers))
    assert (answer["statusCode"], json.loads(answer["body"])["status_code"]) == (status, 2000)


def test_a_path_that_names_a_session_and_is_served_by_nobody_is_404_too(site: Site) -> None:
    unserved = {**ocpi("GET", "/ocpi/2.2.1/sessions/s1"), "pathParameters": {"session_id": "s1"}}
    answer = site.run("ocpi_fallback", unserved)
    assert (answer["statusCode"], json.loads(answer["body"])["status_code"]) == (404, 2000)


@pytest.mark.parametrize(
    ("method", "query", "kind"),
    [
        ("PUT", "", RequestKind.SET),
        ("DELETE", f"response_url={RESPONSE_URL}", RequestKind.CLEAR),
        ("GET", f"duration=900&response_url={RESPONSE_URL}", RequestKind.GET),
    ],
)
def test_each_method_of_charging_profiles_makes_its_request(
    site: Site, method: str, query: str, kind: RequestKind
) -> None:
    session = site.world.open_session()
    body = set_profile() if method == "PUT" else None
    given = ocpi(method, "/ocpi/2.2.1/chargingprofiles/x", session_id=session.session_id, query=query, body=body)
    answer = site.run("ocpi_charging_profiles", given)
    assert read(answer) == (
        200,
        {
            "data": {"result": "ACCEPTED", "timeout": 60},
            "status_code": 1000,
            "status_message": "Success",
            "timestamp": "2026-01-15T17:00:00Z",
        },
    )
    assert answer["headers"]["X-Correlation-ID"] == "corr-1"
    [request] = site.world.requests()
    assert (request.kind, request.callback is not None and request.callback.response_url) == (kind, RESPONSE_URL)


BAD = [
    ({"body": "{"}, 400, 2001, None),
    ({"body": set_profile(charging_rate_unit="kW")}, 200, 2001, None),
    ({"body": set_profile(charging_profile_period=[{"start_period": 1, "limit": 1}])}, 200, 2001, None),
    ({"body": set_profile() | {"response_url": "https://evil.example/r"}}, 200, 2001, None),
    ({"body": set_profile() | {"response_url": "http://www.jedlix.com/r"}}, 200, 2001, None),
    ({"body": set_profile() | {"response_url": "http://127.0.0.1/r"}}, 200, 2001, None),
    ({"body": set_profile(charging_profile_period=[])}, 200, 1000, "REJECTED"),
    ({"body": set_profile(charging_profile_period=None)}, 200, 1000, "REJECTED"),
    ({"body": set_profile(), "session_id": "unknown"}, 200, 1000, "UNKNOWN_SESSION"),
    ({"body": set_profile(), "session_id": "x" * 40}, 200, 1000, "UNKNOWN_SESSION"),
    ({"body": set_profile(), "method": "POST"}, 405, 2000, None),
    ({"body": set_profile(), "headers": {}}, 401, 2000, None),
    ({"method": "DELETE", "query": ""}, 200, 2001, None),
    ({"method": "GET", "query": f"duration=-1&response_url={RESPONSE_URL}"}, 200, 2001, None),
]


@pytest.mark.parametrize(("change", "http", "code", "result"), BAD, ids=[str(number) for number in range(len(BAD))])
def test_bad_input_has_its_documented_answer_and_no_request(
    site: Site, change: dict[str, Any], http: int, code: int, result: str | None
) -> None:
    session_id = site.world.open_session().session_id
    given = {"method": "PUT", "path": "/ocpi/2.2.1/chargingprofiles/x", "session_id": session_id} | change
    status, body = read(site.run("ocpi_charging_profiles", ocpi(**given)))
    assert (status, body["status_code"]) == (http, code)
    assert body.get("data") == (None if result is None else {"result": result, "timeout": 0})
    assert site.world.requests() == []


# --- From the stream to the charge point -----------------------------------------------------------------------------


def test_an_accepted_request_is_carried_on_to_the_charge_point_and_watched(site: Site) -> None:
    session = site.world.open_session()
    request = site.world.put_request(session)
    [stored] = [item for item in site.world.tables.items("requests") if item["entity"]["S"] == "request"]
    site.run("relay_outbox", stream_event([stored]))
    assert site.drain("send_charger_commands", site.queues.charger_commands) == []
    [command] = site.driver.commands
    assert (command.plan, command.transaction_id) == (PAUSE_BETWEEN, "778")
    assert command.callback_url == callback_url(CSMS_API, request.command_id, SIGNING_KEY.encode(), "acme")
    assert site.world.request().state is RequestState.SENT


def test_a_charge_point_that_is_offline_is_tried_again_in_its_turn(site: Site) -> None:
    session = site.world.open_session()
    site.world.put_request(session)
    site.driver = ScriptedDriver(Failed("offline", nothing_sent=True, retryable=True))
    site.relay(site.world.request_item())
    assert len(site.drain("send_charger_commands", site.queues.charger_commands)) == 1
    assert site.world.request().attempts == 1


def test_a_callback_answers_the_request_and_the_result_leaves(site: Site) -> None:
    session = site.world.open_session()
    site.world.put_request(session, state=RequestState.SENT, attempts=1)
    given = callback(site, "r1.0", {"status": "Accepted"})
    assert read(site.run("csms_callback", given)) == (200, {"recorded": True})
    site.relay(site.world.request_item())
    assert site.drain("deliver_results", site.queues.result_callbacks) == []
    assert [(message.url, message.body) for message in site.partner.messages] == [
        (RESPONSE_URL, {"result": "ACCEPTED"})
    ]
    assert site.world.request().state is RequestState.DELIVERED


def callback(site: Site, command_id: str, body: object, *, signed: str | None = None) -> dict[str, Any]:
    url = callback_url(CSMS_API, signed or command_id, SIGNING_KEY.encode())
    signature = url.rpartition("/")[2]
    parameters = {"command_id": command_id, "signature": signature}
    return proxy_event(
        "POST", f"/csms/v1/callback/{command_id}/{signature}", path_parameters=parameters, body=json.dumps(body)
    )


def test_a_callback_that_comes_twice_or_too_late_is_taken_and_changes_nothing(site: Site) -> None:
    session = site.world.open_session()
    site.world.put_request(session, state=RequestState.SENT, attempts=1)
    site.run("csms_callback", callback(site, "r1.0", {"status": "Accepted"}))
    assert read(site.run("csms_callback", callback(site, "r1.0", {"status": "Rejected"}))) == (200, {"recorded": False})
    assert site.world.request().result is Result.ACCEPTED


@pytest.mark.parametrize("command_id", ["r1.1", "r2.0", "r1", "nothing"])
def test_a_callback_of_another_step_or_of_nothing_changes_nothing(site: Site, command_id: str) -> None:
    session = site.world.open_session()
    site.world.put_request(session, state=RequestState.SENT, attempts=1)
    given = callback(site, command_id, {"status": "Accepted"})
    assert read(site.run("csms_callback", given)) == (200, {"recorded": False})
    assert site.world.request().state is RequestState.SENT


def test_a_callback_url_of_another_command_opens_nothing(site: Site) -> None:
    session = site.world.open_session()
    site.world.put_request(session, state=RequestState.SENT, attempts=1)
    for given in (
        callback(site, "r1.0", {"status": "Accepted"}, signed="r2.0"),
        proxy_event("POST", "/csms/v1/callback"),
    ):
        assert read(site.run("csms_callback", given))[0] == 403
    assert site.world.request().state is RequestState.SENT


def test_an_endless_callback_is_refused(site: Site) -> None:
    session = site.world.open_session()
    site.world.put_request(session, state=RequestState.SENT, attempts=1)
    assert read(site.run("csms_callback", callback(site, "r1.0", "x" * 140_000)))[0] == 400
    assert site.world.request().state is RequestState.SENT


# --- Deadlines and results -------------------------------------------------------------------------------------------


def deadline_message(site: Site) -> str:
    """The request's deadline as it lies in the queue, due now."""
    body = json.dumps({"request_id": "r1", "deadline": site.world.request().deadline.isoformat()})
    site.queues.client.send_message(QueueUrl=site.queues.request_deadlines, MessageBody=body)
    return site.queues.request_deadlines


def test_a_deadline_rejects_what_nobody_answered(site: Site, log: Lines) -> None:
    site.world.put_request(site.world.open_session(), state=RequestState.SENT, attempts=1)
    site.world.clock.advance(DEADLINE.total_seconds())
    assert site.drain("deliver_results", deadline_message(site)) == []
    assert [message.body for message in site.partner.messages] == [{"result": "REJECTED"}]
    [line] = [line for line in log() if line["message"] == "result.expired"]
    assert (line["request_id"], line["host"], line["correlation_id"]) == ("r1", "www.jedlix.com", "corr-1")
    assert "request_id=123456" not in json.dumps(log())


def test_a_result_that_does_not_arrive_comes_back_and_ends_in_the_operators_queue(site: Site) -> None:
    site.partner = ScriptedPartner(UNREACHABLE, Receipt(delivered=False, error="http_404", final=True))
    session = site.world.open_session()
    site.world.put_request(session, state=RequestState.ANSWERED, attempts=1, result=Result.ACCEPTED)
    site.relay(site.world.request_item())
    assert len(site.drain("deliver_results", site.queues.result_callbacks)) == 1
    site.queues.client.send_message(QueueUrl=site.queues.result_callbacks, MessageBody='{"request_id": "r1"}')
    assert site.drain("deliver_results", site.queues.result_callbacks) == []
    site.relay(site.world.request_item())
    [message] = site.queues.take(site.queues.failed_deliveries)
    assert json.loads(message["Body"]) == {
        "request_id": "r1",
        "partner_id": "jedlix",
        "session_id": session.session_id,
        "kind": "SET",
        "result": "ACCEPTED",
        "attempts": 2,
        "error": "http_404",
        "host": "www.jedlix.com",
    }


# --- Events and sessions ---------------------------------------------------------------------------------------------


def test_an_event_of_a_csms_becomes_a_session_at_the_partner(site: Site) -> None:
    site.world.put_assignment(assignment())
    started = {
        "id": "1",
        "type": "transaction.started",
        "time": "2026-01-15T17:00:00Z",
        "station_id": "CP-001",
        "connector_id": 1,
        "transaction_id": 778,
        "data": {"id_token": {"uid": CARD.uid}, "meter_wh": 1000},
    }
    body = json.dumps({"events": [started]})
    headers = {"X-CSMS-Id": "acme", "X-Signature": sign_event(body.encode(), EVENT_KEY, site.world.clock.now())}
    posted = proxy_event("POST", "/csms/v1/events", headers=headers, body=body)
    assert read(site.run("csms_events", posted)) == (202, {"accepted": 1})
    assert site.drain("ingest_csms_events", site.queues.csms_events) == []
    [session] = site.world.stored_sessions()
    site.relay(session_items.session_item(session))
    assert site.drain("push_updates", site.queues.partner_updates) == []
    [message] = site.partner.messages
    assert (message.method, message.body["id"], message.body["status"]) == ("PUT", session.session_id, "ACTIVE")
    assert CARD.uid not in json.dumps(message.body, default=str)


def test_an_event_that_breaks_the_contract_is_dropped_for_good_and_makes_no_session(site: Site, log: Lines) -> None:
    attributes = {"csms_id": {"DataType": "String", "StringValue": "acme"}}
    site.queues.client.send_message(
        QueueUrl=site.queues.csms_events,
        MessageBody='{"events": [{}]}',
        MessageAttributes=attributes,  # type: ignore[arg-type]
    )
    assert site.drain("ingest_csms_events", site.queues.csms_events) == []
    assert site.world.stored_sessions() == []
    assert [line["outcome"] for line in log() if line["message"] == "event.refused"] == ["unreadable"]


def test_a_message_that_no_door_wrote_comes_again_and_ends_among_the_dead_letters(site: Site) -> None:
    attributes = {"csms_id": {"DataType": "String", "StringValue": "acme"}}
    site.queues.client.send_message(
        QueueUrl=site.queues.csms_events,
        MessageBody="no json",
        MessageAttributes=attributes,  # type: ignore[arg-type]
    )
    assert len(site.drain("ingest_csms_events", site.queues.csms_events)) == 1


def test_an_ocpi_session_of_a_csms_becomes_a_session_at_the_partner(site: Site) -> None:
    site.world.put_assignment(assignment())
    uid = site.world.station.evses[0].uid
    evse = registry_items.evse_item(uid, "acme", "CP-001")
    site.world.tables.put(site.world.tables.registry, dynamo.to_item(evse))
    parameters = {"csms_id": "acme", "country_code": "NL", "party_id": "ACM", "session_id": "S-1"}
    body = {
        "start_date_time": "2026-01-15T17:00:00Z",
        "kwh": 1.5,
        "evse_uid": uid,
        "connector_id": "1",
        "status": "ACTIVE",
        "last_updated": "2026-01-15T17:00:00Z",
    }
    given = proxy_event(
        "PUT",
        "/csms/v1/ocpi/acme/sessions/NL/ACM/S-1",
        headers={"Authorization": f"Token {base64.b64encode(EVENT_KEY.encode()).decode()}"},
        path_parameters=parameters,
        body=json.dumps(body),
    )
    assert read(site.run("csms_sessions", given))[1]["status_code"] == 1000
    assert site.drain("ingest_csms_events", site.queues.csms_events) == []
    [session] = site.world.stored_sessions()
    site.relay(session_items.session_item(session))
    assert site.drain("push_updates", site.queues.partner_updates) == []
    [message] = site.partner.messages
    assert (message.method, message.body["id"], message.body["kwh"]) == ("PUT", "S-1", Decimal("1.5"))


def test_what_a_csms_reports_on_the_bus_is_taken_from_its_envelope(site: Site) -> None:
    event = {"id": "1", "type": "station.offline", "time": "2026-01-15T17:00:00Z", "station_id": "CP-001"}
    envelope = {
        "id": "b-1",
        "detail-type": "csms.events",
        "source": "com.example.csms",
        "account": ACCOUNT,
        "detail": {"csms_id": "acme", "events": [event]},
    }
    site.queues.client.send_message(QueueUrl=site.queues.csms_events, MessageBody=json.dumps(envelope))
    assert site.drain("ingest_csms_events", site.queues.csms_events) == []
    assert site.world.states.state("acme", "CP-001").online is False


def test_an_event_of_an_unknown_station_is_a_warning_for_the_operator(site: Site, log: Lines) -> None:
    attributes = {"csms_id": {"DataType": "String", "StringValue": "acme"}}
    lost = {"id": "e-1", "type": "transaction.updated", "time": "2026-01-15T17:00:00Z", "station_id": "CP-404"}
    site.queues.client.send_message(
        QueueUrl=site.queues.csms_events,
        MessageBody=json.dumps({"events": [lost | {"transaction_id": "1", "connector_id": 1}]}),
        MessageAttributes=attributes,  # type: ignore[arg-type]
    )
    assert site.drain("ingest_csms_events", site.queues.csms_events) == []
    [line] = [line for line in log() if line["level"] == "WARNING"]
    assert (line["message"], line["outcome"], line["station_key"]) == (
        "event.ingested",
        "unknown_station",
        "acme#CP-404",
    )


# --- The sweep -------------------------------------------------------------------------------------------------------


def test_the_sweep_wakes_what_stalled(site: Site, log: Lines) -> None:
    session = site.world.open_session()
    site.world.put_request(session)
    site.world.clock.advance(60)
    site.run("sweep", {"source": "aws.events"})
    assert len(site.queues.take(site.queues.charger_commands)) == 1
    [line] = [line for line in log() if line["message"] == "sweep.done"]
    assert (line["requests"], line["pushes"]) == (1, 0)


def test_the_whole_way_of_a_put_from_the_partner_and_back(site: Site) -> None:
    """As it goes with every message in its place: PUT, stream, command, callback, stream, result."""
    session = site.world.open_session(event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD))
    given = ocpi("PUT", "/ocpi/2.2.1/chargingprofiles/x", session_id=session.session_id, body=set_profile())
    assert read(site.run("ocpi_charging_profiles", given))[1]["data"]["result"] == "ACCEPTED"
    [request] = site.world.requests()
    site.relay(site.world.request_item(request.request_id))
    site.drain("send_charger_commands", site.queues.charger_commands)
    [command] = site.driver.commands
    assert answered_by(site, command) == {"recorded": True}
    site.relay(site.world.request_item(request.request_id))
    site.drain("deliver_results", site.queues.result_callbacks)
    assert [message.body for message in site.partner.messages] == [{"result": "ACCEPTED"}]
    installed = site.world.control(session).installed
    assert installed is not None
    assert installed.request_id == request.request_id
