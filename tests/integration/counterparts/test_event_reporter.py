"""Events to the bridge over real sockets: signed, in order per station, retried within bounds, TLS with a CA file."""

import hmac
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.raw_server import RawServer, answering, http_answer
from tools.charge_point import SilentChargePoint
from tools.counterparts.http_service import Answer, AnswerLate, HttpService, Request, ResetConnection, Response
from tools.counterparts.json_types import JsonObject, as_list, as_object, read_json
from tools.demo_csms import DemoCsms, EventDoor, EventReporter

pytestmark = pytest.mark.integration

SECRET = "events-secret"
SECONDS = 20.0


@pytest.fixture
def door() -> Iterator[HttpService]:
    with HttpService(lambda _: Response.json(202, {}), name="event-door") as door:
        yield door


@pytest.fixture
def reporter(door: HttpService) -> Iterator[EventReporter]:
    reporter = EventReporter(EventDoor(door.url, "acme", SECRET), attempts=3)
    yield reporter
    reporter.stop()


def event(number: int, station_id: str = "CP-1") -> JsonObject:
    return {"id": str(number), "station_id": station_id}


def ids(request: Request) -> list[object]:
    return [as_object(one)["id"] for one in as_list(as_object(read_json(request.body))["events"])]


def is_signed(request: Request) -> bool:
    time, _, given = (request.header("X-Signature") or "").partition(",")
    signed = time.removeprefix("t=").encode() + b"." + request.body
    return given == f"v1={hmac.new(SECRET.encode(), signed, sha256).hexdigest()}"


def test_events_are_signed_and_name_their_csms(door: HttpService, reporter: EventReporter) -> None:
    reporter.report("CP-1", event(1))

    assert reporter.flush(SECONDS)
    request = door.requests.entries()[0]
    assert (request.method, request.path, request.header("X-CSMS-Id")) == ("POST", "/csms/v1/events", "acme")
    assert is_signed(request)
    assert ids(request) == ["1"]


def test_a_station_s_events_stay_in_order_while_the_door_fails(door: HttpService, reporter: EventReporter) -> None:
    door.plan(Answer(Response(503)))
    door.plan(ResetConnection())
    for number in range(5):
        reporter.report("CP-1", event(number))

    assert reporter.flush(SECONDS)
    taken = [one for delivery in reporter.deliveries.entries() for one in delivery.events]
    assert [one["id"] for one in taken] == ["0", "1", "2", "3", "4"]
    assert reporter.deliveries.entries()[0].attempts == 3
    assert all(is_signed(request) for request in door.requests.entries())


def test_one_station_does_not_wait_for_another(door: HttpService, reporter: EventReporter) -> None:
    door.plan(AnswerLate(SECONDS), times=1)
    reporter.report("CP-SLOW", event(1, "CP-SLOW"))
    door.requests.wait_for(lambda _: True, SECONDS)

    reporter.report("CP-FAST", event(2, "CP-FAST"))

    assert reporter.deliveries.wait_for(lambda _: True, SECONDS).station_id == "CP-FAST"
    door.stop()


@pytest.mark.parametrize(("status", "attempts"), [(400, 1), (401, 1), (429, 3), (500, 3)])
def test_only_what_may_pass_later_is_retried(
    door: HttpService, reporter: EventReporter, status: int, attempts: int
) -> None:
    door.plan(Answer(Response(status)), times=None)
    reporter.report("CP-1", event(1))

    delivery = reporter.deliveries.wait_for(lambda _: True, SECONDS)
    assert (delivery.delivered, delivery.status, delivery.attempts) == (False, status, attempts)


def test_the_next_event_follows_one_that_was_given_up(door: HttpService, reporter: EventReporter) -> None:
    door.plan(Answer(Response(400)))
    reporter.report("CP-1", event(1))
    reporter.deliveries.wait_for(lambda _: True, SECONDS)
    reporter.report("CP-1", event(2))

    assert reporter.flush(SECONDS)
    assert [delivery.delivered for delivery in reporter.deliveries.entries()] == [False, True]


def test_a_whole_session_arrives_through_the_csms(door: HttpService) -> None:
    with (
        DemoCsms("acme", door=EventDoor(door.url, "acme", SECRET)) as csms,
        SilentChargePoint(csms.ocpp_url, "CP-1") as station,
    ):
        station.start_transaction()
        station.stop_transaction()
        assert csms.flush_events(SECONDS)

    arrived = [
        as_object(one)["type"]
        for request in door.requests.entries()
        for one in as_list(as_object(read_json(request.body))["events"])
    ]
    assert arrived[:3] == ["station.online", "station.booted", "transaction.started"]
    assert "transaction.ended" in arrived


def test_the_door_s_certificate_is_checked_with_the_ca_file(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with RawServer(answering(http_answer(202)), tls=authority.server("localhost")) as server:
        url = f"https://localhost:{server.port}"
        trusting = EventReporter(EventDoor(url, "acme", SECRET, ca_file=authority.ca_file), attempts=1)
        trusting.report("CP-1", event(1))
        assert trusting.flush(SECONDS)
        trusting.stop()
        distrusting = EventReporter(EventDoor(url, "acme", SECRET), attempts=1)
        distrusting.report("CP-1", event(2))
        assert distrusting.flush(SECONDS)
        distrusting.stop()

    assert trusting.deliveries.entries()[0].delivered
    assert "CERTIFICATE_VERIFY_FAILED" in (distrusting.deliveries.entries()[0].error or "")
    assert [request.split(b" HTTP")[0] for request in server.requests] == [b"POST /csms/v1/events"]
