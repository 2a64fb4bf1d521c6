"""What operators want to see is counted where it happens, in the series of the catalogue and in no other."""

from collections.abc import Iterator
from datetime import timedelta
from typing import NoReturn

import pytest

from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.requests import Origin, RequestKind, RequestState, Result
from ocpi_bridge.ocpi.charging_profiles import ResponseType
from ocpi_bridge.ports.partners import Receipt
from ocpi_bridge.runtime.metric_catalogue import (
    CATALOGUE,
    DELIVERED_RESULTS,
    EVENTS,
    NAMESPACE,
    REQUESTS,
    Metric,
    PartnerError,
    partner_error,
)
from ocpi_bridge.runtime.metrics import count_request, emit
from ocpi_bridge.runtime.queue_door import NotYet, QueueMessage, queue_worker
from ocpi_bridge.runtime.worker_logs import log_outcome, log_result, log_turn
from ocpi_bridge.usecases import record_result
from ocpi_bridge.usecases.deliver_result import Delivered, Outcome
from ocpi_bridge.usecases.record_result import ReportedResult
from ocpi_bridge.usecases.send_command import Sent, Turn
from tests.support.deployed_site import Site, answered_by, deployed_site, ocpi, set_profile
from tests.support.emissions import Emissions, emissions
from tests.support.lambda_events import queue_event
from tests.support.queues import Queues
from tests.support.scripted import ScriptedPartner
from tests.support.world import World

PATH = "/ocpi/2.2.1/chargingprofiles/x"


@pytest.fixture
def heard() -> Iterator[Emissions]:
    with emissions() as heard:
        yield heard


@pytest.fixture
def site(world: World, queues: Queues) -> Iterator[Site]:
    with deployed_site(world, queues) as site:
        yield site


def test_a_datapoint_is_a_line_in_the_stages_namespace(heard: Emissions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", f"{NAMESPACE}/production")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "deliver_results")
    emit(DELIVERED_RESULTS, 0)
    emit(EVENTS, outcome="taken")
    [lost, event] = heard.datapoints
    assert (lost.namespace, lost.name, lost.unit, lost.value) == (
        "OcpiBridge/production",
        "DeliveredResults",
        "Count",
        0,
    )
    # What two functions do alike is one metric, whichever of them does it.
    assert (dict(lost.dimensions), dict(event.dimensions)) == ({}, {"outcome": "taken"})


@pytest.mark.parametrize(
    ("method", "kind"), [("PUT", "SET"), ("DELETE", "CLEAR"), ("GET", "GET")], ids=["PUT", "DELETE", "GET"]
)
@pytest.mark.parametrize("result", ResponseType)
def test_a_request_is_counted_by_its_kind_and_its_answer(
    heard: Emissions, method: str, kind: str, result: ResponseType
) -> None:
    count_request(method, 200, 1000, result)
    assert heard.values_of("Requests", kind=kind, result=result) == [1]


@pytest.mark.parametrize(
    ("http_status", "status_code", "result"),
    [(401, 2000, "unauthorized"), (200, 2001, "invalid"), (400, 2001, "invalid"), (200, 3000, "failed")],
)
def test_a_request_without_an_answer_is_counted_by_what_was_wrong(
    heard: Emissions, http_status: int, status_code: int, result: str
) -> None:
    count_request("PUT", http_status, status_code, None)
    assert heard.values_of("Requests", kind="SET", result=result) == [1]


def test_a_method_that_is_not_defined_is_no_request(heard: Emissions) -> None:
    count_request("POST", 405, 2000, None)
    assert heard.datapoints == []


def test_the_way_of_a_put_is_counted_and_timed(site: Site, heard: Emissions) -> None:
    session = site.world.open_session()
    site.run("ocpi_charging_profiles", ocpi("PUT", PATH, session_id=session.session_id, body=set_profile()))
    [request] = site.world.requests()
    site.relay(site.world.request_item(request.request_id))
    site.drain("send_charger_commands", site.queues.charger_commands)
    site.world.clock.advance(3)
    answered_by(site, site.driver.commands[0])
    site.relay(site.world.request_item(request.request_id))
    site.world.clock.advance(1.5)
    site.drain("deliver_results", site.queues.result_callbacks)
    assert [(point.name, point.value) for point in heard.datapoints] == [
        ("Requests", 1),
        ("Commands", 1),
        ("ExpiredRequests", 0),
        ("ChargerAnswerTime", 3000),
        ("PartnerCalls", 1),
        ("DeliveredResults", 1),
        ("ResultDeliveryTime", 4500),
    ]


def test_another_path_of_the_api_is_no_charging_profile_request(site: Site, heard: Emissions) -> None:
    site.run("ocpi_versions", ocpi("GET", "/ocpi/versions"))
    assert heard.datapoints == []


def test_a_callback_on_a_foreign_host_is_counted_and_its_host_is_logged(site: Site, heard: Emissions) -> None:
    session = site.world.open_session()
    body = set_profile() | {"response_url": "https://evil.example/r?token=secret"}
    site.run("ocpi_charging_profiles", ocpi("PUT", PATH, session_id=session.session_id, body=body))
    assert heard.values_of("RefusedUrls") == [1]
    [line] = heard.lines_of("url.refused")
    assert (line["host"], line["partner_id"], line["correlation_id"]) == ("evil.example", "jedlix", "corr-1")
    assert "secret" not in str(heard.lines)


def test_a_response_url_that_is_missing_is_no_refused_callback(site: Site, heard: Emissions) -> None:
    session = site.world.open_session()
    site.run("ocpi_charging_profiles", ocpi("DELETE", PATH, session_id=session.session_id))
    assert heard.values_of("RefusedUrls") == []
    assert heard.values_of("Requests", kind="CLEAR", result="invalid") == [1]


def test_a_request_that_expires_is_counted_as_such_and_as_delivered(site: Site, heard: Emissions) -> None:
    request = site.world.put_request(site.world.open_session(), state=RequestState.SENT, attempts=1)
    log_outcome(Outcome(Delivered.DELIVERED, request, expired=True))
    assert (heard.values_of("ExpiredRequests"), heard.values_of("DeliveredResults")) == ([1], [1])


def test_what_the_bridge_wants_itself_is_in_no_ratio_of_partners(site: Site, heard: Emissions) -> None:
    own = site.world.put_request(
        site.world.open_session(), RequestKind.GET, origin=Origin.BRIDGE, callback=None, state=RequestState.SENT
    )
    log_turn(Turn(Sent.ANSWERED, own))
    log_result(ReportedResult(record_result.Outcome.ANSWERED, own))
    log_outcome(Outcome(Delivered.NOTHING_TO_DO, own, expired=True))
    assert {point.name for point in heard.datapoints} == {"Commands"}


def test_a_result_that_is_given_up_is_counted_by_its_last_error(site: Site, heard: Emissions) -> None:
    site.partner = ScriptedPartner(Receipt(delivered=False, error="http_404", final=True, http_status=404))
    session = site.world.open_session()
    site.world.put_request(session, state=RequestState.ANSWERED, attempts=1, result=Result.ACCEPTED)
    site.relay(site.world.request_item())
    site.drain("deliver_results", site.queues.result_callbacks)
    assert heard.values_of("DeliveredResults") == [0]
    assert heard.values_of("UndeliveredResults", error="client_error") == [1]
    assert heard.values_of("PartnerCalls", outcome="client_error") == [1]
    [call] = heard.lines_of("partner.called")
    assert (call["host"], call["http_status"], call["error"]) == ("www.jedlix.com", 404, "http_404")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("http_401", PartnerError.UNAUTHORIZED),
        ("http_403", PartnerError.CLIENT_ERROR),
        ("http_429", PartnerError.THROTTLED),
        ("http_503", PartnerError.SERVER_ERROR),
        ("ocpi_2001", PartnerError.OCPI_ERROR),
        ("oauth_http_401", PartnerError.NO_CREDENTIALS),
        ("refused_host", PartnerError.REFUSED_ADDRESS),
        ("tls", PartnerError.UNREACHABLE),
        ("connect_timeout", PartnerError.TIMEOUT),
        ("body_too_large", PartnerError.OTHER),
        (None, PartnerError.OTHER),
    ],
)
def test_errors_of_partners_fall_into_classes_that_ask_for_different_things(
    error: str | None, expected: PartnerError
) -> None:
    assert partner_error(error) is expected


def no_client() -> NoReturn:
    raise AssertionError("nothing is asked of the queue")


def failing_with(error: Exception) -> None:
    def fail(_: QueueMessage) -> None:
        raise error

    record = {
        "messageId": "m-1",
        "body": '{"request_id": "r1"}',
        "attributes": {},
        "messageAttributes": {},
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:result-callbacks",
    }
    assert queue_worker(fail, no_client)({"Records": [record]}, None) == {
        "batchItemFailures": [{"itemIdentifier": "m-1"}]
    }


def test_a_message_that_fails_is_an_internal_error_and_says_what_it_was_about(heard: Emissions) -> None:
    failing_with(ZeroDivisionError())
    assert heard.values_of("InternalErrors") == [1]
    [line] = heard.lines_of("queue.failed")
    assert (line["level"], line["request_id"], line["queue"]) == ("ERROR", "r1", "result-callbacks")
    assert line["exception_name"] == "ZeroDivisionError"


@pytest.mark.parametrize("error", [Contended("busy"), NotYet("early"), ExceptionGroup("", [NotYet("early")])])
def test_a_message_that_only_has_to_come_again_is_no_internal_error(heard: Emissions, error: Exception) -> None:
    failing_with(error)
    assert heard.datapoints == []
    assert [line["level"] for line in heard.lines_of("queue.again")] == ["WARNING"]


def test_a_mixed_group_of_failures_is_an_internal_error(heard: Emissions) -> None:
    failing_with(ExceptionGroup("", [NotYet("early"), ZeroDivisionError()]))
    assert heard.values_of("InternalErrors") == [1]


def test_a_message_that_is_given_up_is_counted(site: Site, heard: Emissions) -> None:
    site.queues.client.send_message(QueueUrl=site.queues.result_callbacks, MessageBody="{}")
    last = queue_event(site.queues.client, site.queues.result_callbacks)
    last["Records"][0]["attributes"]["ApproximateReceiveCount"] = "99"
    site.run("deliver_results", last)
    assert heard.values_of("GivenUpMessages") == [1]


def test_a_sweep_tells_how_many_sessions_run(site: Site, heard: Emissions) -> None:
    site.world.open_session()
    site.run("sweep", {})
    assert (heard.values_of("LiveSessions"), heard.values_of("SilentPartners")) == ([1], [0])


def test_the_catalogue_has_each_name_once_and_few_series() -> None:
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)
    assert all(metric.size == len(list(metric.series())) for metric in CATALOGUE)
    assert REQUESTS.size == 24
    assert Metric("Alone").size == 1


def test_a_duration_is_told_in_milliseconds(site: Site, heard: Emissions) -> None:
    request = site.world.put_request(
        site.world.open_session(), created_at=site.world.clock.now() - timedelta(seconds=2)
    )
    log_turn(Turn(Sent.ANSWERED, request))
    [point] = [point for point in heard.datapoints if point.name == "ChargerAnswerTime"]
    assert (point.value, point.unit) == (2000, "Milliseconds")
