"""The guarded client against real sockets: hostile servers, hostile names, and a well-behaved one."""

import contextlib
import gzip
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from ocpi_bridge.adapters.bounded_http.network import Resolver, VettedNetwork, system_resolver
from ocpi_bridge.adapters.bounded_http.transport import BoundedTransport
from ocpi_bridge.adapters.partner_http.client import PartnerHttpClient
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_client
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.secrets import PartnerSecret
from tests.support.addresses import HOSTILE
from tests.support.certificates import Authority
from tests.support.clocks import ManualClock
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.raw_server import Peer, RawServer, answering, http_answer

pytestmark = pytest.mark.integration

TOKEN = "t0p-s3cret"
OK = http_answer(200, b'{"status_code":1000}')
NAME = "ocpi.partner.test"
# Long for a loopback, short for a person.
BUDGET = 5.0
# The peers that never end would take far longer than this.
SHORT = 0.5


class Caller:
    """A partner client for one test, and the partner that it calls."""

    def __init__(self, client: PartnerHttpClient) -> None:
        self._client = client

    def post(
        self, url: str, *, hosts: tuple[str, ...] = (), body: JsonObject | None = None, budget: float = BUDGET
    ) -> Receipt:
        partner = Partner("jedlix", "Jedlix", Party("NL", "JED"), ("127.0.0.1", "localhost", *hosts))
        message = PartnerMessage(
            "POST", url, body or {"result": "ACCEPTED"}, "c-1", Party("BE", "BEC"), Party("NL", "JED")
        )
        return self._client.send(partner, message, budget)


@pytest.fixture
def make_caller(request: pytest.FixtureRequest) -> Callable[..., Caller]:
    def make(
        *, allow_loopback: bool = True, ca_file: Path | None = None, resolve: Resolver = system_resolver
    ) -> Caller:
        secrets = InMemorySecretStore()
        secrets.partners["partners/jedlix"] = PartnerSecret(TOKEN)
        client = guarded_partner_client(
            secrets, ManualClock(), allow_loopback=allow_loopback, extra_ca_file=ca_file, resolve=resolve
        )
        request.addfinalizer(client.close)
        return Caller(client)

    return make


@pytest.fixture
def caller(make_caller: Callable[..., Caller]) -> Caller:
    return make_caller()


def to(*addresses: str) -> Resolver:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


# --- A well-behaved partner ------------------------------------------------------------------------------------------


def test_a_message_arrives_whole_and_its_url_byte_for_byte(caller: Caller) -> None:
    target = "/2.2.1/r?request_id=5678&u=https://x/?a=b&p=%2f%2F|{}'\"^&plus=a+b"
    with RawServer(answering(OK)) as server:
        receipt = caller.post(f"http://127.0.0.1:{server.port}{target}")
    assert receipt == Receipt(delivered=True, http_status=200, ocpi_status=1000)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST {target} HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in lines
    assert "Authorization: Token dDBwLXMzY3JldA==" in lines
    assert "Content-Type: application/json" in lines
    assert body == b'{"result":"ACCEPTED"}'


def test_a_url_without_a_path_asks_for_the_root(caller: Caller) -> None:
    with RawServer(answering(OK)) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}?a=b").delivered
    assert server.requests[0].startswith(b"POST /?a=b HTTP/1.1\r\n")


def test_a_connection_is_kept_for_the_next_call(caller: Caller) -> None:
    with RawServer(answering(OK)) as server:
        for _ in range(3):
            assert caller.post(f"http://127.0.0.1:{server.port}/r").delivered
    assert len(server.requests) == 3
    assert server.connections == 1


def test_a_connection_that_idled_through_a_freeze_is_not_used_again(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = time.time()
    with RawServer(answering(OK)) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r").delivered
        monkeypatch.setattr(time, "time", lambda: wall + 600)
        assert caller.post(f"http://127.0.0.1:{server.port}/r").delivered
    assert server.connections == 2


def test_a_connection_that_the_partner_closed_is_replaced(caller: Caller) -> None:
    closed = threading.Event()

    def once(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.close()
        closed.set()

    with RawServer(once) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r").delivered
        assert closed.wait(BUDGET)
        assert caller.post(f"http://127.0.0.1:{server.port}/r").delivered
    assert server.connections == 2


def test_nothing_secret_is_logged_at_any_level(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    # Also where the libraries' own levels, which observability sets, would not hold it back.
    for name in (None, "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    with RawServer(answering(http_answer(500, b'{"status_message":"b0dy"}'))) as server:
        receipt = caller.post(f"http://127.0.0.1:{server.port}/p4th?q=qu3ry", body={"x": "b0dy"})
    assert receipt.error == "http_500"
    assert caplog.text
    for secret in (TOKEN, "dDBwLXMzY3JldA", "qu3ry", "p4th", "b0dy"):
        assert secret not in caplog.text
        assert secret not in repr(receipt)


# --- Partners that misbehave -----------------------------------------------------------------------------------------

# One byte each 50 ms makes a whole answer last 4 s and more: whoever only bounds each read would wait for it.
LONG_ANSWER = http_answer(200, b'{"status_code":1000}', "X-Filler: " + "x" * 60)


def test_an_answer_dripped_byte_by_byte_ends_with_the_budget(caller: Caller) -> None:
    def drip(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.drip(LONG_ANSWER, every=0.05)

    with RawServer(drip) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r", budget=SHORT).error == "timeout"


def test_a_body_dripped_byte_by_byte_ends_with_the_budget(caller: Caller) -> None:
    def drip(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        body = b'{"status_code":1000' + b" " * 100 + b"}"
        peer.send(http_answer(200, body).removesuffix(body))
        peer.drip(body, every=0.05)

    with RawServer(drip) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r", budget=SHORT).error == "timeout"


def test_endless_interim_answers_end_with_the_budget(caller: Caller) -> None:
    def interim(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        for _ in range(100):
            peer.drip(b"HTTP/1.1 100 Continue\r\n\r\n", every=0.002)
        peer.send(OK)

    with RawServer(interim) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r", budget=SHORT).error == "timeout"


def test_silence_ends_with_the_budget(caller: Caller) -> None:
    with RawServer(lambda _server, peer: peer.wait()) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r", budget=SHORT).error == "timeout"


def test_a_partner_that_reads_nothing_ends_with_the_budget(caller: Caller) -> None:
    with RawServer(lambda _server, peer: peer.wait()) as server:
        receipt = caller.post(f"http://127.0.0.1:{server.port}/r", body={"x": "y" * 30_000_000}, budget=SHORT)
    assert receipt.error == "timeout"


def test_a_silent_tls_handshake_ends_with_the_budget(make_caller: Callable[..., Caller]) -> None:
    def slow(_server: RawServer, peer: Peer) -> None:
        peer.wait(SHORT * 4)
        peer.send(b"no TLS")

    caller = make_caller(resolve=to("127.0.0.1"))
    with RawServer(slow) as server:
        host = f"{NAME}:{server.port}"
        assert caller.post(f"https://{host}/r", hosts=(host,), budget=SHORT).error == "connect_timeout"


def test_a_partner_that_takes_no_connection_ends_with_the_budget(caller: Caller) -> None:
    with contextlib.ExitStack() as open_sockets:
        full = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        with contextlib.suppress(TimeoutError):
            while True:
                open_sockets.enter_context(socket.create_connection(full.getsockname(), timeout=SHORT))
        receipt = caller.post(f"http://127.0.0.1:{full.getsockname()[1]}/r", budget=SHORT)
    assert receipt == Receipt(delivered=False, error="connect_timeout")


def test_a_name_that_is_never_resolved_ends_with_the_budget(make_caller: Callable[..., Caller]) -> None:
    released = threading.Event()

    def stuck(_host: str, _port: int) -> Sequence[str]:
        released.wait(SHORT * 4)
        raise OSError("no such name, but nobody waits for that any more")

    with RawServer(answering(OK)) as server:
        receipt = make_caller(resolve=stuck).post(f"http://127.0.0.1:{server.port}/r", budget=SHORT)
        released.set()
    assert receipt.error == "connect_timeout"
    assert server.connections == 0


def test_no_budget_no_call(caller: Caller) -> None:
    with RawServer(answering(OK)) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r", budget=0).error == "timeout"
    assert server.connections == 0


def test_a_reset_is_a_lost_connection(caller: Caller) -> None:
    def reset(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.reset()

    with RawServer(reset) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r").error == "connection_lost"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\ntoo short",
        b"HTTP/1.1 200 OK\r\n" + b"X-Filler: " + b"x" * 300_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_told_apart(caller: Caller, answer: bytes) -> None:
    def speak(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.send(answer)

    with RawServer(speak) as server:
        receipt = caller.post(f"http://127.0.0.1:{server.port}/r")
    assert receipt == Receipt(delivered=False, error="protocol")


def test_a_closed_port_is_a_connect_error(caller: Caller) -> None:
    with RawServer(answering(OK)) as server:
        port = server.port
    assert caller.post(f"http://127.0.0.1:{port}/r").error == "connect"


def test_a_name_without_an_address_is_told_apart(make_caller: Callable[..., Caller]) -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    assert make_caller(resolve=unknown).post("http://localhost:4000/r").error == "dns"
    assert make_caller(resolve=to()).post("http://localhost:4000/r").error == "dns"


def test_a_body_beyond_the_cap_is_not_read_to_its_end(caller: Caller) -> None:
    def flood(server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(2_000):
            peer.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        server.requests.append(b"read to its end")

    with RawServer(flood) as server:
        receipt = caller.post(f"http://127.0.0.1:{server.port}/r")
    assert (receipt.error, receipt.final) == ("body_too_large", True)
    assert server.requests == []


def test_a_packed_body_that_nobody_asked_for_is_not_unpacked(caller: Caller) -> None:
    bomb = gzip.compress(b" " * 20_000_000 + b'{"status_code":2001}')
    with RawServer(answering(http_answer(200, bomb, "Content-Encoding: gzip"))) as server:
        receipt = caller.post(f"http://127.0.0.1:{server.port}/r")
    assert receipt == Receipt(delivered=True, http_status=200)
    assert b"Accept-Encoding: identity\r\n" in server.requests[0]


@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
def test_a_redirect_is_not_followed(caller: Caller, status: int) -> None:
    with RawServer(answering(OK)) as other:
        location = f"Location: http://127.0.0.1:{other.port}/r"
        with RawServer(answering(http_answer(status, b"", location))) as server:
            receipt = caller.post(f"http://127.0.0.1:{server.port}/r")
    assert (receipt.error, receipt.final) == ("redirect", True)
    assert other.connections == 0
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "target", ["/elsewhere", "https://169.254.169.254/latest/meta-data/", "file:///etc/passwd", ""]
)
def test_a_redirect_is_not_followed_wherever_it_leads(caller: Caller, target: str) -> None:
    with RawServer(answering(http_answer(302, b"", f"Location: {target}"))) as server:
        assert caller.post(f"http://127.0.0.1:{server.port}/r").error == "redirect"
    assert len(server.requests) == 1


def test_a_cookie_of_an_answer_does_not_come_back(caller: Caller) -> None:
    answer = http_answer(200, b'{"status_code":1000}', "Set-Cookie: tracked=1; Path=/")
    with RawServer(answering(answer)) as server:
        for _ in range(2):
            assert caller.post(f"http://127.0.0.1:{server.port}/r").delivered
    assert b"cookie" not in server.requests[1].lower()


# --- Names and addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        ("169.254.169.254",),
        ("::ffff:127.0.0.1",),
        ("127.0.0.1", "10.0.0.1"),
        ("127.0.0.1", "fd00:ec2::254"),
        ("10.0.0.1", "127.0.0.1"),
    ],
)
def test_one_forbidden_answer_forbids_the_name(make_caller: Callable[..., Caller], addresses: tuple[str, ...]) -> None:
    with RawServer(answering(OK)) as server:
        receipt = make_caller(resolve=to(*addresses)).post(f"http://localhost:{server.port}/r")
    assert (receipt.error, receipt.final) == ("refused_address", True)
    assert server.connections == 0


def test_outside_the_local_stage_a_name_cannot_lead_to_this_machine(make_caller: Callable[..., Caller]) -> None:
    caller = make_caller(allow_loopback=False, resolve=to("127.0.0.1"))
    with RawServer(answering(OK)) as server:
        host = f"{NAME}:{server.port}"
        assert caller.post(f"https://{host}/r", hosts=(host,)).error == "refused_address"
        assert caller.post(f"http://127.0.0.1:{server.port}/r").error == "refused_host"
    assert server.connections == 0


def test_a_name_is_resolved_once_for_a_connection_and_a_later_answer_changes_nothing(
    make_caller: Callable[..., Caller],
) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ("127.0.0.1",) if len(asked) == 1 else ("10.0.0.1",)

    caller = make_caller(resolve=rebinding)
    with RawServer(answering(OK)) as server:
        assert caller.post(f"http://localhost:{server.port}/r").delivered
        assert caller.post(f"http://localhost:{server.port}/r").delivered
    assert asked == ["localhost"]
    assert server.connections == 1
    assert caller.post(f"http://localhost:{server.port}/r").error == "refused_address"


@pytest.mark.parametrize("address", HOSTILE)
def test_no_hostile_address_is_dialled_beside_a_good_one(
    make_caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    dialled: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda place, *_, **__: dialled.append(place))

    for allow_loopback in (False, True):
        for answers in ((address,), ("1.1.1.1", address), (address, "1.1.1.1")):
            if allow_loopback and address in {"127.0.0.1", "::1"}:
                continue
            caller = make_caller(allow_loopback=allow_loopback, resolve=to(*answers))
            assert caller.post(f"https://{NAME}/r", hosts=(NAME,)).error == "refused_address"

    assert dialled == []


def test_a_name_that_leads_inside_since_it_was_looked_at_is_not_dialled(make_caller: Callable[..., Caller]) -> None:
    answers = iter((("127.0.0.1",), ("10.0.0.1",), ("127.0.0.1",)))
    caller = make_caller(resolve=lambda _host, _port: next(answers))

    def once(server: RawServer, peer: Peer) -> None:
        server.requests.append(peer.read_request())
        peer.send(OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

    with RawServer(once) as server:
        outcomes = [caller.post(f"http://localhost:{server.port}/r").error for _ in range(3)]
    assert outcomes == [None, "refused_address", None]
    assert server.connections == 2


def test_the_next_address_is_tried_when_one_does_not_answer(make_caller: Callable[..., Caller]) -> None:
    caller = make_caller(resolve=to("127.0.0.2", "127.0.0.1"))
    with RawServer(answering(OK)) as server:
        assert caller.post(f"http://localhost:{server.port}/r").delivered


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_certificate_and_sni_go_by_the_name_although_an_address_is_dialled(
    make_caller: Callable[..., Caller], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    tls = authority.server(NAME)
    names: list[str | None] = []

    def note(_socket: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        names.append(name)

    tls.sni_callback = note
    caller = make_caller(ca_file=authority.ca_file, resolve=to("127.0.0.1"))
    with RawServer(answering(OK), tls) as server:
        host = f"{NAME}:{server.port}"
        assert caller.post(f"https://{host}/r", hosts=(host,)).delivered
        assert caller.post(f"https://{host}/r", hosts=(host,)).delivered
    assert names == [NAME]
    assert server.connections == 1


def test_a_certificate_for_another_name_is_refused_before_the_token_is_sent(
    make_caller: Callable[..., Caller], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    caller = make_caller(ca_file=authority.ca_file, resolve=to("127.0.0.1"))
    with RawServer(answering(OK), authority.server("evil.example")) as server:
        host = f"{NAME}:{server.port}"
        receipt = caller.post(f"https://{host}/r", hosts=(host,))
    assert receipt == Receipt(delivered=False, error="tls")
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused(make_caller: Callable[..., Caller], tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    caller = make_caller(resolve=to("127.0.0.1"))
    with RawServer(answering(OK), authority.server(NAME)) as server:
        host = f"{NAME}:{server.port}"
        receipt = caller.post(f"https://{host}/r", hosts=(host,))
    assert receipt.error == "tls"
    assert server.requests == []


def test_a_partner_that_speaks_no_tls_is_a_tls_error(make_caller: Callable[..., Caller]) -> None:
    caller = make_caller(resolve=to("127.0.0.1"))
    with RawServer(lambda _server, peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        host = f"{NAME}:{server.port}"
        assert caller.post(f"https://{host}/r", hosts=(host,)).error == "tls"


# --- The environment -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"])
def test_no_proxy_of_the_environment_sees_a_call(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    with RawServer(answering(OK)) as proxy, RawServer(answering(OK)) as server:
        for spelling in (name, name.lower()):
            monkeypatch.setenv(spelling, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "nowhere.example")
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login nobody password from-netrc\n")
        monkeypatch.setenv("NETRC", str(netrc))
        assert caller.post(f"http://127.0.0.1:{server.port}/r").delivered
    assert proxy.connections == 0
    assert b"Authorization: Token dDBwLXMzY3JldA==\r\n" in server.requests[0]


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_does_not_say_which_authorities_are_trusted(
    make_caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv(name, str(tmp_path if name == "SSL_CERT_DIR" else authority.ca_file))
    caller = make_caller(resolve=to("127.0.0.1"))
    with RawServer(answering(OK), authority.server(NAME)) as server:
        host = f"{NAME}:{server.port}"
        assert caller.post(f"https://{host}/r", hosts=(host,)).error == "tls"
    assert server.requests == []


# --- httpx -----------------------------------------------------------------------------------------------------------


def test_the_transport_serves_an_ordinary_client_too() -> None:
    transport = BoundedTransport(VettedNetwork(lambda address: address == "127.0.0.1"), ssl.create_default_context())
    with RawServer(answering(http_answer(200, b'{"a":1}'))) as server, httpx.Client(transport=transport) as client:
        response = client.get(f"http://127.0.0.1:{server.port}/versions", params={"a": "b c"})
        assert response.json() == {"a": 1}
        with pytest.raises(httpx.ConnectError):
            client.get(f"http://127.0.0.2:{server.port}/")
    assert server.requests[0].startswith(b"GET /versions?a=b+c HTTP/1.1\r\n")
