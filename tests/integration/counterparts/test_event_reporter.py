"""Events to the bridge over real sockets: signed, in order per station, retried within bounds, TLS with a CA file."""

import hmac
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools.charge_point import SilentChargePoint
from tools.counterparts.clock import utc_now
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
    certificate = self_signed(tmp_path)
    with tls_door(certificate) as (url, seen):
        trusting = EventReporter(EventDoor(url, "acme", SECRET, ca_file=certificate), attempts=1)
        trusting.report("CP-1", event(1))
        assert trusting.flush(SECONDS)
        trusting.stop()
        distrusting = EventReporter(EventDoor(url, "acme", SECRET), attempts=1)
        distrusting.report("CP-1", event(2))
        assert distrusting.flush(SECONDS)
        distrusting.stop()

    assert trusting.deliveries.entries()[0].delivered
    assert "CERTIFICATE_VERIFY_FAILED" in (distrusting.deliveries.entries()[0].error or "")
    assert seen == ["/csms/v1/events"]


def self_signed(folder: Path) -> Path:
    """A certificate for localhost with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "door.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


class tls_door:  # noqa: N801 - used as a function
    """An HTTPS server that accepts everything; gives its URL and the paths it saw."""

    def __init__(self, certificate: Path) -> None:
        seen: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                seen.append(self.path)
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
                pass

        class Server(HTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._seen = seen
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> tuple[str, list[str]]:
        self._thread.start()
        return f"https://localhost:{self._server.server_port}", self._seen

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
