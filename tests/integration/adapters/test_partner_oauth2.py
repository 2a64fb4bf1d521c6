"""OAuth 2.0 at a partner over real sockets: the guarded network holds for the authorization server, too."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from ocpi_bridge.adapters.partner_http.client import PartnerHttpClient
from ocpi_bridge.adapters.partner_http.guarded import guarded_partner_client
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Partner, Party
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.secrets import PartnerSecret
from ocpi_bridge.runtime.clock import SystemClock
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.raw_server import Peer, RawServer, answering, http_answer

pytestmark = pytest.mark.integration

SECRET = PartnerSecret(client_secret="cl13nt", api_key="k3y")
OK = http_answer(200, b'{"status_code":1000}')
BUDGET = 5.0
# A server that never ends would take far longer.
SHORT = 0.5


def issued(token: str) -> bytes:
    return http_answer(200, json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 3600}).encode())


def message(api: RawServer) -> PartnerMessage:
    url = f"http://127.0.0.1:{api.port}/sessions/NL/ACM/101"
    return PartnerMessage("PUT", url, {"kwh": 1}, "c-1", Party("NL", "ACM"), Party("NL", "JED"))


def partner(login: RawServer) -> Partner:
    client = OAuth2Client(f"http://127.0.0.1:{login.port}/token", "us", audience="them", api_key_header="ApiKey")
    return Partner("jedlix", "Jedlix", Party("NL", "JED"), ("127.0.0.1",), auth=OutboundAuth.OAUTH2, oauth2=client)


@pytest.fixture
def client() -> Iterator[PartnerHttpClient]:
    secrets = InMemorySecretStore()
    secrets.partners["partners/jedlix"] = SECRET
    made = guarded_partner_client(secrets, SystemClock(), allow_loopback=True)
    yield made
    made.close()


def test_a_token_is_fetched_kept_and_replaced_when_it_is_refused(client: PartnerHttpClient) -> None:
    with (
        RawServer(answering(issued("t1"), issued("t2"))) as login,
        RawServer(answering(OK, OK, http_answer(401, b""), OK)) as api,
    ):
        receipts = [client.send(partner(login), message(api), BUDGET) for _ in range(3)]
    assert [receipt.delivered for receipt in receipts] == [True, True, True]
    assert len(login.requests) == 2
    head, _, body = login.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /token HTTP/1.1\r\n")
    assert b"Content-Type: application/x-www-form-urlencoded" in head
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["us"],
        "client_secret": ["cl13nt"],
        "audience": ["them"],
    }
    shown = [line for request in api.requests for line in request.decode().split("\r\n") if "Bearer" in line]
    assert shown == [f"Authorization: Bearer {token}" for token in ("t1", "t1", "t1", "t2")]
    assert all(b"ApiKey: k3y" in request and b"cl13nt" not in request for request in api.requests)
    assert not any(b"k3y" in request for request in login.requests)


def test_a_redirect_of_the_authorization_server_is_not_followed(client: PartnerHttpClient) -> None:
    with RawServer(answering(issued("stolen"))) as elsewhere:
        moved = http_answer(307, b"", f"Location: http://127.0.0.1:{elsewhere.port}/token")
        with RawServer(answering(moved)) as login, RawServer(answering(OK)) as api:
            receipt = client.send(partner(login), message(api), BUDGET)
    assert receipt == Receipt(delivered=False, error="oauth_redirect", final=True)
    assert (elsewhere.connections, api.connections) == (0, 0)


def test_an_authorization_server_without_an_end_is_left_in_time(client: PartnerHttpClient) -> None:
    with RawServer(lambda _server, peer: peer.wait()) as login, RawServer(answering(OK)) as api:
        receipt = client.send(partner(login), message(api), SHORT)
    assert receipt == Receipt(delivered=False, error="oauth_timeout")
    assert api.connections == 0


def test_an_endless_answer_of_the_authorization_server_is_not_read_to_its_end(client: PartnerHttpClient) -> None:
    def flood(_server: RawServer, peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")

    with RawServer(flood) as login, RawServer(answering(OK)) as api:
        receipt = client.send(partner(login), message(api), BUDGET)
    assert receipt == Receipt(delivered=False, error="oauth_body_too_large", final=True)


def test_an_authorization_server_whose_name_points_inside_is_not_dialled(request: pytest.FixtureRequest) -> None:
    secrets = InMemorySecretStore()
    secrets.partners["partners/jedlix"] = SECRET
    client = guarded_partner_client(secrets, SystemClock(), resolve=lambda _host, _port: ("127.0.0.1",))
    request.addfinalizer(client.close)
    with RawServer(answering(issued("t1"))) as login:
        outside = partner(login)
        assert outside.oauth2 is not None
        token_url = f"https://login.partner.test:{login.port}/token"
        outside = replace(
            outside, callback_hosts=("ocpi.partner.test",), oauth2=replace(outside.oauth2, token_url=token_url)
        )
        to_them = replace(message(login), url="https://ocpi.partner.test/sessions/NL/ACM/101")
        receipt = client.send(outside, to_them, BUDGET)
    assert receipt == Receipt(delivered=False, error="oauth_refused_address", final=True)
    assert login.connections == 0


def test_nothing_secret_is_logged_at_any_level(client: PartnerHttpClient, caplog: pytest.LogCaptureFixture) -> None:
    # Also where the libraries' own levels, which observability sets, would not hold it back.
    for name in (None, "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    refused = http_answer(401, b'{"error":"invalid_client","error_description":"cl13nt"}')
    with (
        RawServer(answering(issued("acc3ss"), refused)) as login,
        RawServer(answering(OK, http_answer(401, b""))) as api,
    ):
        receipts = [client.send(partner(login), message(api), BUDGET) for _ in range(2)]
    assert [receipt.error for receipt in receipts] == [None, "oauth_invalid_client"]
    assert caplog.text
    for secret in ("cl13nt", "k3y", "acc3ss"):
        assert secret not in caplog.text
        assert secret not in repr(receipts)
