"""OAuth 2.0 client credentials at a partner: which host gets what, how long a token is used, and what refusals mean."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.adapters.partner_http.client import PartnerHttpClient
from ocpi_bridge.adapters.partner_http.oauth2 import DEFAULT_LIFETIME, LONGEST_LIFETIME, MARGIN
from ocpi_bridge.domain.partners import OAuth2Client, OutboundAuth, Partner, Party
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.ports.partners import PartnerMessage, Receipt
from ocpi_bridge.ports.secrets import PartnerSecret
from tests.support.clocks import ManualClock
from tests.support.fake_http import ScriptedExchange, reply
from tests.support.fake_secrets import InMemorySecretStore

TOKEN_URL = "https://login.example/oauth/token?tenant=1"
CLIENT = OAuth2Client(TOKEN_URL, "cpo-client", audience="https://api.jedlix.com", api_key_header="ApiKey")
PARTNER = Partner("jedlix", "Jedlix", Party("NL", "JED"), (".jedlix.com",), auth=OutboundAuth.OAUTH2, oauth2=CLIENT)
SECRET = PartnerSecret(client_secret="cl13nt s&cret", api_key="k3y")
MESSAGE = PartnerMessage(
    method="PUT",
    url="https://ocpi.jedlix.com/sessions/NL/ACM/101",
    body={"kwh": 1},
    correlation_id="c-1",
    from_party=Party("NL", "ACM"),
    to_party=Party("NL", "JED"),
)
DELIVERED = reply(200, {"status_code": 1000})
REFUSED = reply(401, {"error": "invalid_client", "error_description": "cl13nt s&cret is wrong"})


class Place:
    """A client on a scripted network, its clock and its secrets."""

    def __init__(self, *answers: Reply | NoReply, on_call: Callable[[], None] = lambda: None) -> None:
        self.clock = ManualClock()
        self.secrets = InMemorySecretStore()
        self.secrets.partners["partners/jedlix"] = SECRET
        self.http = ScriptedExchange(*answers, on_call=on_call)
        self.client = PartnerHttpClient(self.secrets, self.clock, self.http)

    def send(self, partner: Partner = PARTNER, budget: float = 8) -> Receipt:
        return self.client.send(partner, MESSAGE, budget)

    @property
    def hosts(self) -> list[str | None]:
        return [urlsplit(call.url).hostname for call in self.http.calls]

    @property
    def shown(self) -> list[str]:
        """The Authorization headers at the API."""
        return [call.headers["Authorization"] for call in self.http.calls if call.method == "PUT"]


def issued(token: str = "t1", **more: JsonValue) -> Reply:
    return reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more})


def form(call: HttpCall) -> list[tuple[str, str]]:
    return parse_qsl(call.body.decode(), strict_parsing=True)


# --- Who gets what ---------------------------------------------------------------------------------------------------


def test_a_token_is_fetched_and_shown_with_the_api_key() -> None:
    place = Place(issued(), DELIVERED)
    assert place.send().delivered
    asked, called = place.http.calls
    assert (asked.method, asked.url) == ("POST", TOKEN_URL)
    assert asked.headers == {"Content-Type": "application/x-www-form-urlencoded"}
    assert form(asked) == [
        ("grant_type", "client_credentials"),
        ("client_id", "cpo-client"),
        ("client_secret", "cl13nt s&cret"),
        ("audience", "https://api.jedlix.com"),
    ]
    assert called.url == MESSAGE.url
    assert called.headers["Authorization"] == "Bearer t1"
    assert called.headers["ApiKey"] == "k3y"
    assert json.loads(called.body) == {"kwh": 1}


def test_what_is_not_set_is_not_asked_for() -> None:
    place = Place(issued(), DELIVERED)
    place.send(replace(PARTNER, oauth2=OAuth2Client(TOKEN_URL, "cpo-client", scope="ocpi push")))
    asked, called = place.http.calls
    assert [name for name, _ in form(asked)] == ["grant_type", "client_id", "client_secret", "scope"]
    assert "k3y" not in called.headers.values()


def test_each_secret_goes_to_its_own_host_only() -> None:
    place = Place(issued(), reply(401), issued("t2"), DELIVERED)
    place.send()
    for call in place.http.calls:
        sent = repr((call.headers, call.body, call.url))
        at_login = urlsplit(call.url).hostname == "login.example"
        assert ("cl13nt" in sent) is at_login
        assert ("k3y" in sent) is not at_login
        assert ("Bearer t" in sent) is not at_login


@pytest.mark.parametrize("url", ["https://evil.example/r", "https://login.example/r", "http://ocpi.jedlix.com/r"])
def test_a_host_that_is_not_the_partners_brings_no_token_request(url: str) -> None:
    place = Place()
    assert place.client.send(PARTNER, replace(MESSAGE, url=url), 8).error == "refused_host"
    assert (place.http.calls, place.secrets.reads) == ([], [])


@pytest.mark.parametrize(
    "token_url",
    ["http://login.example/t", "https://127.0.0.1/t", "https://10.0.0.1/t", "https://u:p@login.example/t", "nonsense"],
)
def test_a_token_url_that_breaks_the_grammar_is_never_called(token_url: str) -> None:
    place = Place()
    receipt = place.send(replace(PARTNER, oauth2=replace(CLIENT, token_url=token_url)))
    assert receipt == Receipt(delivered=False, error="oauth_refused_host", final=True)
    assert place.http.calls == []


def test_a_local_stage_may_fetch_tokens_on_this_machine() -> None:
    http = ScriptedExchange(issued(), DELIVERED)
    secrets = InMemorySecretStore()
    secrets.partners["partners/jedlix"] = SECRET
    client = PartnerHttpClient(secrets, ManualClock(), http, allow_loopback=True)
    partner = replace(PARTNER, oauth2=replace(CLIENT, token_url="http://127.0.0.1:9000/token"))
    assert client.send(partner, MESSAGE, 8).delivered


# --- How long a token is used ----------------------------------------------------------------------------------------


def test_a_token_is_used_until_shortly_before_it_expires() -> None:
    place = Place(issued("t1", expires_in=600), DELIVERED, DELIVERED, issued("t2"), DELIVERED)
    place.send()
    place.clock.advance(600 - MARGIN.total_seconds() - 1)
    place.send()
    place.clock.advance(1)
    place.send()
    assert place.shown == ["Bearer t1", "Bearer t1", "Bearer t2"]


def test_the_lifetime_counts_from_when_the_token_was_asked_for() -> None:
    place = Place(issued("t1", expires_in=600), DELIVERED, issued("t2"), DELIVERED)
    place.http._on_call = lambda: place.clock.advance(5)
    place.send(budget=60)
    place.clock.advance(600 - MARGIN.total_seconds() - 10)
    place.send(budget=60)
    assert place.shown == ["Bearer t1", "Bearer t2"]


def test_a_token_of_a_short_life_is_used_for_half_of_it() -> None:
    place = Place(issued("t1", expires_in=20), DELIVERED, DELIVERED, issued("t2"), DELIVERED)
    for _ in range(3):
        place.send()
        place.clock.advance(9)
    assert place.shown == ["Bearer t1", "Bearer t1", "Bearer t2"]


@pytest.mark.parametrize(
    ("given", "lifetime"),
    [
        ("3600", 3600),
        (3600.5, 3600.5),
        (LONGEST_LIFETIME.total_seconds(), LONGEST_LIFETIME.total_seconds()),
        (None, None),
        (0, None),
        (-1, None),
        (True, None),
        ("soon", None),
        ("99999999999999999999", None),
        (1_767_225_600, None),
        ([], None),
    ],
)
def test_a_lifetime_that_is_missing_or_absurd_is_taken_to_be_short(given: JsonValue, lifetime: float | None) -> None:
    place = Place(issued("t1", expires_in=given), DELIVERED, DELIVERED, issued("t2"), DELIVERED)
    place.send()
    place.clock.advance((lifetime or DEFAULT_LIFETIME.total_seconds()) - MARGIN.total_seconds() - 0.5)
    place.send()
    place.clock.advance(0.5)
    place.send()
    assert place.shown == ["Bearer t1", "Bearer t1", "Bearer t2"]


def test_partners_do_not_share_a_token() -> None:
    place = Place(issued("t1"), DELIVERED, issued("t2"), DELIVERED, DELIVERED)
    other = replace(PARTNER, partner_id="other")
    place.secrets.partners["partners/other"] = SECRET
    for partner in (PARTNER, other, PARTNER):
        place.send(partner)
    assert place.shown == ["Bearer t1", "Bearer t2", "Bearer t1"]


@pytest.mark.parametrize(
    "changed",
    [
        replace(PARTNER, oauth2=replace(CLIENT, audience="another")),
        replace(PARTNER, oauth2=replace(CLIENT, token_url="https://login2.example/t")),
        replace(PARTNER, credential="c2"),
    ],
    ids=["audience", "token_url", "secret"],
)
def test_a_token_that_another_client_or_secret_bought_is_not_used(changed: Partner) -> None:
    place = Place(issued("t1"), DELIVERED, issued("t2"), DELIVERED)
    place.secrets.partners["partners/jedlix/c2"] = PartnerSecret(client_secret="another", api_key="k3y")
    place.send()
    place.send(changed)
    assert place.shown == ["Bearer t1", "Bearer t2"]


# --- 401 at the API --------------------------------------------------------------------------------------------------


def test_a_401_brings_one_new_token_and_one_repetition() -> None:
    place = Place(issued("t1"), reply(401), issued("t2"), DELIVERED)
    assert place.send().delivered
    assert place.shown == ["Bearer t1", "Bearer t2"]


def test_a_second_401_is_the_end() -> None:
    place = Place(issued("t1"), reply(401), issued("t2"), reply(401))
    assert (place.send().error, len(place.http.calls)) == ("http_401", 4)


def test_after_a_401_the_new_token_is_the_one_that_is_kept() -> None:
    place = Place(issued("t1"), reply(401), issued("t2"), DELIVERED, DELIVERED)
    place.send()
    place.send()
    assert place.shown == ["Bearer t1", "Bearer t2", "Bearer t2"]


def test_a_server_that_gives_the_same_token_again_brings_no_repetition() -> None:
    place = Place(issued("t1"), reply(401), issued("t1"))
    assert (place.send().error, place.shown) == ("http_401", ["Bearer t1"])


def test_an_api_key_that_was_replaced_is_read_after_a_401() -> None:
    place = Place(issued("t1"), reply(401), issued("t2"), DELIVERED)
    place.secrets.partner_secret(PARTNER)
    place.secrets.partners["partners/jedlix"] = replace(SECRET, api_key="n3w")
    assert place.send().delivered
    assert [call.headers["ApiKey"] for call in place.http.calls if call.method == "PUT"] == ["k3y", "n3w"]


def test_a_403_or_503_at_the_api_is_no_reason_for_a_new_token() -> None:
    for status in (403, 503):
        place = Place(issued(), reply(status))
        assert (place.send().error, len(place.http.calls)) == (f"http_{status}", 2)


def test_token_and_call_share_one_budget() -> None:
    place = Place(issued("t1"), reply(401), issued("t2"), DELIVERED)
    place.http._on_call = lambda: place.clock.advance(2)
    assert place.send(budget=10).delivered
    assert place.http.budgets == [10, 8, 6, 4]


def test_nothing_is_repeated_when_the_time_is_over() -> None:
    place = Place(issued("t1"), reply(401), issued("t2"))
    place.http._on_call = lambda: place.clock.advance(3)
    assert place.send(budget=8).error == "http_401"
    assert place.shown == ["Bearer t1"]


# --- What the token endpoint may answer ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error", "final"),
    [
        (reply(400, {"error": "invalid_scope"}), "oauth_invalid_scope", True),
        (reply(403, {"error": "access_denied"}), "oauth_access_denied", True),
        (reply(400, {"error": "s3cret-text"}), "oauth_http_400", True),
        (reply(401), "oauth_http_401", True),
        (reply(404), "oauth_http_404", True),
        (reply(429), "oauth_http_429", False),
        (reply(503, "down"), "oauth_http_503", False),
        (reply(302, headers={"location": "https://evil.example/"}), "oauth_redirect", True),
        (Reply(200, {}, b"{" * 10, truncated=True), "oauth_body_too_large", True),
        (Reply(200, {}, b"<html>"), "oauth_no_access_token", False),
        (reply(200, [1]), "oauth_no_access_token", False),
        (reply(200, {"access_token": ""}), "oauth_no_access_token", False),
        (reply(200, {"access_token": 5}), "oauth_no_access_token", False),
        (issued("two words"), "oauth_no_access_token", False),
        (issued("line\r\nX-Other: 1"), "oauth_no_access_token", False),
        (issued("x" * 10_000), "oauth_no_access_token", False),
        (issued(token_type="mac"), "oauth_token_type", True),
        (issued(token_type=5), "oauth_token_type", True),
        (NoReply("timeout", sent=True), "oauth_timeout", False),
        (NoReply("dns", sent=False), "oauth_dns", False),
        (NoReply("refused_address", sent=False), "oauth_refused_address", True),
    ],
)
def test_without_a_token_the_partner_is_not_called_and_the_receipt_says_why(
    answer: Reply | NoReply, error: str, final: bool
) -> None:
    place = Place(answer)
    assert place.send() == Receipt(delivered=False, error=error, final=final)
    assert place.hosts == ["login.example"]


@pytest.mark.parametrize("token_type", ["bearer", "BEARER"])
def test_the_type_of_a_token_is_compared_without_case(token_type: str) -> None:
    assert Place(issued(token_type=token_type), DELIVERED).send().delivered


def test_a_missing_type_is_taken_to_be_bearer() -> None:
    assert Place(reply(200, {"access_token": "t1"}), DELIVERED).send().delivered


def test_the_time_that_the_token_endpoint_asks_for_is_told() -> None:
    assert Place(reply(503, headers={"retry-after": "30"})).send().retry_after == 30


def test_a_refused_secret_is_read_again_once_and_is_then_final() -> None:
    place = Place(REFUSED)
    assert place.send() == Receipt(delivered=False, error="oauth_invalid_client", final=True)
    assert place.secrets.reads == ["partners/jedlix", "partners/jedlix"]


def test_a_secret_that_was_replaced_is_tried_once() -> None:
    place = Place(REFUSED, issued(), DELIVERED)
    place.secrets.partner_secret(PARTNER)
    place.secrets.partners["partners/jedlix"] = replace(SECRET, client_secret="n3w")
    assert place.send().delivered
    assert [dict(form(call))["client_secret"] for call in place.http.calls[:2]] == ["cl13nt s&cret", "n3w"]


def test_a_replaced_secret_that_is_refused_too_is_final() -> None:
    place = Place(REFUSED, REFUSED)
    place.secrets.partner_secret(PARTNER)
    place.secrets.partners["partners/jedlix"] = replace(SECRET, client_secret="n3w")
    receipt = place.send()
    assert (receipt.error, receipt.final, len(place.http.calls)) == ("oauth_invalid_client", True, 2)


def test_a_secret_that_changes_all_the_time_is_not_tried_for_ever() -> None:
    place = Place(REFUSED, REFUSED)
    numbers = iter(range(9))

    def rotated() -> None:
        place.secrets.partners["partners/jedlix"] = replace(SECRET, client_secret=f"n{next(numbers)}")

    place.http._on_call = rotated
    assert (place.send().error, len(place.http.calls)) == ("oauth_invalid_client", 2)


def test_a_secret_that_was_just_read_for_a_401_is_not_read_again() -> None:
    place = Place(issued("t1"), reply(401), REFUSED)
    assert place.send() == Receipt(delivered=False, error="oauth_invalid_client", final=True)
    assert len(place.secrets.reads) == 2


@pytest.mark.parametrize("answer", [reply(503), reply(404), NoReply("timeout", sent=True)])
def test_a_failure_that_is_not_about_the_secret_does_not_read_it_again(answer: Reply | NoReply) -> None:
    place = Place(answer)
    place.send()
    assert len(place.secrets.reads) == 1


def test_a_failure_is_not_remembered() -> None:
    place = Place(reply(503), issued(), DELIVERED)
    assert not place.send().delivered
    assert place.send().delivered


def test_a_new_token_that_cannot_be_had_after_a_401_is_told() -> None:
    place = Place(issued("t1"), reply(401), reply(503))
    assert place.send().error == "oauth_http_503"


@pytest.mark.parametrize(
    ("secret", "partner", "error"),
    [
        (None, PARTNER, "no_token"),
        (PartnerSecret("a-token"), PARTNER, "no_client_secret"),
        (PartnerSecret(client_secret="s"), PARTNER, "no_api_key"),
        (SECRET, replace(PARTNER, oauth2=None), "no_client_secret"),
    ],
)
def test_what_we_do_not_have_is_named_and_nobody_is_called(
    secret: PartnerSecret | None, partner: Partner, error: str
) -> None:
    place = Place()
    place.secrets.partners = {} if secret is None else {"partners/jedlix": secret}
    assert place.send(partner) == Receipt(delivered=False, error=error)
    assert place.http.calls == []


def test_nothing_secret_shows_in_receipts_errors_and_reprs() -> None:
    place = Place(issued("t1-acc3ss"), DELIVERED, reply(401), REFUSED)
    receipts = [place.send()]
    kept = repr(vars(place.client._authenticator._access_tokens))
    assert "jedlix" in kept
    receipts.append(place.send())
    shown = kept + repr((receipts, place.http.calls, SECRET))
    assert not any(secret in shown for secret in ("cl13nt", "k3y", "acc3ss"))
