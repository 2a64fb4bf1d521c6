"""One call to a configuration module: what goes out, and what each answer means."""

import json

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.partner_http.platform import HttpPartnerPlatform
from ocpi_bridge.domain.errors import PlatformUnusable, TokenRefused
from ocpi_bridge.domain.partners import TokenEncoding
from ocpi_bridge.ports.credentials import PlatformCall, PlatformKey
from ocpi_bridge.ports.json_values import JsonValue
from tests.support.fake_http import ScriptedExchange, reply

TOKEN = "example-token"
URL = "https://ocpi.partner.example/ocpi/versions?tenant=secret-tenant"
GET = PlatformCall("GET", "versions", URL, PlatformKey(TOKEN))
POST = PlatformCall("POST", "credentials", URL, PlatformKey(TOKEN), {"token": "given-token"})


def call(answer: Reply | NoReply, made: PlatformCall = GET) -> JsonValue:
    return HttpPartnerPlatform(ScriptedExchange(answer)).call(made, 5)


def test_a_read_carries_token_and_ids_and_nothing_else() -> None:
    ids = iter(("id-1", "id-2"))
    http = ScriptedExchange(reply(200, {"status_code": 1000, "data": []}))
    assert HttpPartnerPlatform(http, new_id=lambda: next(ids)).call(GET, 4.5) == []
    [made] = http.calls
    assert (made.method, made.url, made.body) == ("GET", URL, b"")
    assert made.headers == {
        "Authorization": "Token ZXhhbXBsZS10b2tlbg==",
        "X-Request-ID": "id-1",
        "X-Correlation-ID": "id-2",
    }
    assert http.budgets == [4.5]


def test_an_older_peer_gets_the_token_plain() -> None:
    http = ScriptedExchange(reply(200, {"status_code": 1000}))
    key = PlatformKey(TOKEN, TokenEncoding.PLAIN)
    assert HttpPartnerPlatform(http).call(PlatformCall("GET", "versions", URL, key), 5) is None
    assert http.calls[0].headers["Authorization"] == "Token example-token"


def test_a_body_is_json() -> None:
    http = ScriptedExchange(reply(200, {"status_code": 1000, "data": {"token": "c"}}))
    assert HttpPartnerPlatform(http).call(POST, 5) == {"token": "c"}
    assert http.calls[0].headers["Content-Type"] == "application/json"
    assert json.loads(http.calls[0].body) == {"token": "given-token"}


@pytest.mark.parametrize("code", [1000, 1001, 1999, "1000"])
@pytest.mark.parametrize("status", [200, 201, 202])
def test_every_success_is_understood(status: int, code: JsonValue) -> None:
    assert call(reply(status, {"status_code": code, "data": [1], "more": None})) == [1]


@pytest.mark.parametrize(
    ("answer", "says", "unclear"),
    [
        (NoReply("connect", sent=False), "no connection", False),
        (NoReply("timeout", sent=True), "no answer in time", True),
        (NoReply("something_new", sent=True), "something_new", True),
        (reply(400), "HTTP 400", False),
        (reply(405), "HTTP 405", False),
        (reply(302), "HTTP 302, a redirect", False),
        (reply(500), "HTTP 500", True),
        (reply(503), "HTTP 503", True),
        (Reply(200, {}, b"{}", truncated=True), "too long", True),
        (Reply(200, {}, b"<html>"), "not JSON", True),
        (Reply(204), "not JSON", True),
        (reply(200, []), "no OCPI envelope", True),
        (reply(200, {"data": {}}), "no OCPI envelope", True),
        (reply(200, {"status_code": True}), "no OCPI envelope", True),
        (reply(200, {"status_code": "abcd"}), "no OCPI envelope", True),
        (reply(200, {"status_code": 2001}), "status_code 2001", False),
        (reply(200, {"status_code": 3001}), "status_code 3001", False),
        (reply(200, {"status_code": 999}), "status_code 999", False),
    ],
)
def test_everything_else_is_told_with_what_it_may_have_done(answer: Reply | NoReply, says: str, unclear: bool) -> None:
    with pytest.raises(PlatformUnusable, match=f"POST credentials: .*{says}") as raised:
        call(answer, POST)
    assert raised.value.unclear is unclear
    with pytest.raises(PlatformUnusable, match=f"GET versions: .*{says}") as raised:
        call(answer)
    assert not raised.value.unclear


@pytest.mark.parametrize("answer", [Reply(200), Reply(204), reply(200, {"status_code": 1000})])
def test_a_deletion_needs_no_content_to_be_understood(answer: Reply) -> None:
    assert call(answer, PlatformCall("DELETE", "credentials", URL, PlatformKey(TOKEN))) is None


def test_a_refused_token_is_told_apart() -> None:
    with pytest.raises(TokenRefused) as raised:
        call(reply(401), POST)
    assert not raised.value.unclear


def test_nothing_secret_stands_in_errors_and_reprs() -> None:
    with pytest.raises(PlatformUnusable) as raised:
        call(Reply(200, {}, b'{"token": "their-token"'), POST)
    shown = f"{raised.value!r} {raised.value.__cause__!r} {POST!r}"
    for secret in (TOKEN, "given-token", "their-token", "secret-tenant"):
        assert secret not in shown


def test_connections_are_closed() -> None:
    http = ScriptedExchange(reply(200))
    HttpPartnerPlatform(http).close()
    with pytest.raises(IndexError):
        http.exchange(None, 1)  # type: ignore[arg-type]  # closed, so it is not even looked at
