"""Configuration modules over real sockets: hostile servers, hostile names, and a whole handshake."""

import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from ocpi_bridge.adapters.bounded_http.network import Resolver, system_resolver
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_platform
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.domain.errors import PlatformUnusable, TokenRefused
from ocpi_bridge.ocpi.credentials import Credentials
from ocpi_bridge.ports.credentials import PlatformCall, PlatformKey
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.usecases import discover_platform
from ocpi_bridge.usecases.accept_registration import AcceptRegistration
from ocpi_bridge.usecases.commit_registration import CommitRegistration
from ocpi_bridge.usecases.discover_platform import DiscoverPlatform
from tests.support.certificates import Authority
from tests.support.partner_platform import NEEDED, ROLES
from tests.support.raw_server import Peer, RawServer, answering, http_answer
from tests.support.registrations import INVITED, Site
from tests.support.tables import REGION, AwsTables

pytestmark = pytest.mark.integration

TOKEN = "t0p-s3cret"
NAME = "ocpi.partner.test"
# Long for a loopback, short for a person.
BUDGET = 5.0
# The peers that never end would take far longer than this.
SHORT = 0.5
EMPTY = http_answer(200, b'{"status_code":1000,"data":[]}')


def get(platform: HttpPartnerPlatform, url: str, budget: float = BUDGET) -> JsonValue:
    return platform.call(PlatformCall("GET", "versions", url, PlatformKey(TOKEN)), budget)


@pytest.fixture
def make_platform(request: pytest.FixtureRequest) -> Callable[..., HttpPartnerPlatform]:
    def make(
        *, allow_loopback: bool = True, ca_file: Path | None = None, resolve: Resolver = system_resolver
    ) -> HttpPartnerPlatform:
        platform = guarded_partner_platform(allow_loopback=allow_loopback, extra_ca_file=ca_file, resolve=resolve)
        request.addfinalizer(platform.close)
        return platform

    return make


@pytest.fixture
def platform(make_platform: Callable[..., HttpPartnerPlatform]) -> HttpPartnerPlatform:
    return make_platform()


def to(*addresses: str) -> Resolver:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


# --- One call --------------------------------------------------------------------------------------------------------


def test_a_read_arrives_as_it_was_made(platform: HttpPartnerPlatform) -> None:
    with RawServer(answering(EMPTY)) as server:
        assert get(platform, f"http://127.0.0.1:{server.port}/ocpi/versions/?a=b") == []
    head = server.requests[0].decode().split("\r\n")
    assert head[0] == "GET /ocpi/versions/?a=b HTTP/1.1"
    assert "Authorization: Token dDBwLXMzY3JldA==" in head
    assert not [line for line in head if line.lower().startswith("ocpi-")]


def test_a_redirect_is_not_followed(platform: HttpPartnerPlatform) -> None:
    with RawServer(answering(EMPTY)) as target:
        moved = http_answer(307, b"", f"Location: http://127.0.0.1:{target.port}/")
        with RawServer(answering(moved)) as server, pytest.raises(PlatformUnusable, match="HTTP 307, a redirect"):
            get(platform, f"http://127.0.0.1:{server.port}/")
    assert target.connections == 0


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (http_answer(500, b'{"status_code":3000}'), "HTTP 500"),
        (http_answer(200, b"<html></html>", "Content-Type: text/html"), "not JSON"),
        (http_answer(200), "not JSON"),
        (b"220 mail.partner.test ready\r\n\r\n", "no HTTP"),
    ],
)
def test_a_server_of_something_else_is_told(platform: HttpPartnerPlatform, raw: bytes, says: str) -> None:
    with RawServer(answering(raw)) as server, pytest.raises(PlatformUnusable, match=says):
        get(platform, f"http://127.0.0.1:{server.port}/")


def test_a_refused_token_is_told_apart(platform: HttpPartnerPlatform) -> None:
    with RawServer(answering(http_answer(401))) as server, pytest.raises(TokenRefused):
        get(platform, f"http://127.0.0.1:{server.port}/")


def test_a_body_without_end_is_cut_off(platform: HttpPartnerPlatform) -> None:
    def pour(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")

    with RawServer(pour) as server, pytest.raises(PlatformUnusable, match="too long"):
        get(platform, f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("sends", [b"", b"HTTP/1.1 200 OK\r\n" * 1000], ids=["nothing", "a byte now and then"])
def test_a_server_that_never_ends_is_given_up_in_time(platform: HttpPartnerPlatform, sends: bytes) -> None:
    def hold(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.drip(sends, every=0.05)
        peer.wait()

    with RawServer(hold) as server, pytest.raises(PlatformUnusable, match="no answer in time"):
        get(platform, f"http://127.0.0.1:{server.port}/", SHORT)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_inside_is_not_dialled(
    make_platform: Callable[..., HttpPartnerPlatform], address: str
) -> None:
    platform = make_platform(allow_loopback=False, resolve=to("1.1.1.1", address))
    with pytest.raises(PlatformUnusable, match="no public address"):
        get(platform, f"https://{NAME}/")


def test_a_name_that_does_not_resolve_is_told(make_platform: Callable[..., HttpPartnerPlatform]) -> None:
    with pytest.raises(PlatformUnusable, match="does not resolve"):
        get(make_platform(resolve=to()), f"https://{NAME}/")


def test_certificates_are_checked(make_platform: Callable[..., HttpPartnerPlatform], tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    resolve = to("127.0.0.1")
    with RawServer(answering(EMPTY), authority.server(NAME)) as server:
        url = f"https://{NAME}:{server.port}/"
        assert get(make_platform(ca_file=authority.ca_file, resolve=resolve), url) == []
        with pytest.raises(PlatformUnusable, match="TLS"):
            get(make_platform(resolve=resolve), url)


# --- A whole handshake -----------------------------------------------------------------------------------------------


@pytest.fixture
def site(tables: AwsTables) -> Iterator[Site]:
    here = Site(tables, boto3.client("secretsmanager", region_name=REGION))
    yield here
    here.close()


class Partner:
    """The configuration modules of a partner on a socket."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.server = RawServer(self._script, tls)

    @property
    def base(self) -> str:
        return f"https://{NAME}:{self.server.port}/ocpi"

    def _script(self, server: RawServer, peer: Peer) -> None:
        while request := peer.read_request():
            server.requests.append(request)
            path = request.split(b" ")[1].decode()
            peer.send(http_answer(200, json.dumps(self._answer(path)).encode()))

    def _answer(self, path: str) -> dict[str, Any]:
        data: Any = [{"version": "2.2.1", "url": f"{self.base}/2.2.1"}]
        if path.endswith("/2.2.1"):
            endpoints = [{"identifier": one, "role": role, "url": f"{self.base}/2.2.1/{one}"} for one, role in NEEDED]
            data = {"version": "2.2.1", "endpoints": endpoints}
        return {"data": data, "status_code": 1000, "timestamp": "2026-01-15T17:00:00Z"}


def test_a_partner_registers_over_tls(
    site: Site, make_platform: Callable[..., HttpPartnerPlatform], tmp_path: Path
) -> None:
    authority, clock = Authority(tmp_path), SystemClock()
    partner = Partner(authority.server(NAME))
    # Vetted, pinned and checked as ever: the name leads to this machine, which the stage of the test allows.
    discover = DiscoverPlatform(make_platform(ca_file=authority.ca_file, resolve=to("127.0.0.1")), clock)
    accept = AcceptRegistration(discover, CommitRegistration(site.registrations, site.secrets), clock)
    token_a = site.invite(INVITED)
    given = Credentials.read({"token": TOKEN, "url": f"{partner.base}/versions", "roles": ROLES})
    with partner.server as server:
        accepted = accept(site.standing, site.accepted(token_a), "2.2.1", given)
    assert len(server.requests) == 2
    assert server.connections == 1
    assert site.accepts(accepted.token)
    assert site.standing.partner.sessions_url == f"{partner.base}/2.2.1/sessions"
    assert site.secrets_held == {site.standing.partner.secret_name: {"token": TOKEN}}


def test_a_partner_that_holds_the_line_is_given_up_within_the_budget(
    site: Site, platform: HttpPartnerPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hold(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.wait()

    monkeypatch.setattr(discover_platform, "CALL_BUDGET", timedelta(seconds=SHORT))
    clock = SystemClock()
    discover = DiscoverPlatform(platform, clock, allow_loopback_http=True)
    accept = AcceptRegistration(discover, CommitRegistration(site.registrations, site.secrets), clock)
    token_a = site.invite(INVITED)
    before = site.state
    with RawServer(hold) as server:
        given = Credentials.read({"token": TOKEN, "url": f"http://127.0.0.1:{server.port}/versions", "roles": ROLES})
        with pytest.raises(PlatformUnusable, match="GET versions: no answer in time"):
            accept(site.standing, site.accepted(token_a), "2.2.1", given)
    assert site.state == before
