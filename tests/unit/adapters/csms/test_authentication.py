"""How we authenticate at a CSMS's API."""

import base64
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from ocpi_bridge.adapters.bounded_http.exchange import NoReply, Reply
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.domain.partners import OAuth2Client
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, CsmsAuth
from ocpi_bridge.ports.charge_points import Done, Failed, Pending
from ocpi_bridge.ports.secrets import CsmsSecrets
from tests.support.clocks import START, ManualClock
from tests.support.fake_http import ScriptedExchange, reply
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.preset_calls import a_command, csms_of

CSMS = csms_of("plugchoice")
OAUTH2 = replace(
    CSMS,
    auth=CsmsAuth.OAUTH2,
    oauth2=OAuth2Client("https://login.example/token", "bridge", audience="csms", scope="profiles"),
)
ACCEPTED = reply(200, {"status": "Accepted"})
WANTED = a_command(RequestKind.CLEAR)


class Bench:
    """A driver with one secret; `say` is one command."""

    def __init__(self, *answers: Reply | NoReply, credential: str = "s3cret") -> None:
        self.http = ScriptedExchange(*answers)
        self.secrets = InMemorySecretStore()
        self.secrets.csms["acme"] = CsmsSecrets("key", credential)
        self.clock = ManualClock()
        self.driver = HttpChargePointDriver(self.secrets, self.clock, self.http)

    def say(self, csms: Csms) -> Done | Pending | Failed:
        return self.driver.submit(csms, replace(WANTED, deadline=self.clock.now() + timedelta(seconds=50)))

    @property
    def shown(self) -> list[str]:
        return [call.headers.get("Authorization", "") for call in self.http.calls]


def token(text: str, expires_in: int = 3600) -> Reply:
    return reply(200, {"access_token": text, "token_type": "Bearer", "expires_in": expires_in})


def test_basic_is_a_user_and_a_password() -> None:
    bench = Bench(ACCEPTED, credential="bridge:pass:word")
    assert bench.say(replace(CSMS, auth=CsmsAuth.BASIC)) == Done("Accepted")
    assert bench.shown == ["Basic " + base64.b64encode(b"bridge:pass:word").decode()]


def test_a_basic_credential_without_a_user_is_told_and_not_shown() -> None:
    bench = Bench(credential="s3cret")
    outcome = bench.say(replace(CSMS, auth=CsmsAuth.BASIC))
    assert isinstance(outcome, Failed)
    assert "user:password" in outcome.reason
    assert "s3cret" not in outcome.reason
    assert bench.http.calls == []


def test_an_access_token_is_bought_with_the_client_secret_and_shown_to_the_csms() -> None:
    bench = Bench(token("acc3ss"), ACCEPTED)
    assert bench.say(OAUTH2) == Done("Accepted")
    first, second = bench.http.calls
    assert first.url == "https://login.example/token"
    assert parse_qs(first.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["bridge"],
        "client_secret": ["s3cret"],
        "audience": ["csms"],
        "scope": ["profiles"],
    }
    assert second.url.startswith("https://csms.example/")
    assert second.headers["Authorization"] == "Bearer acc3ss"
    assert b"s3cret" not in second.body


def test_an_access_token_is_kept_until_shortly_before_it_expires() -> None:
    bench = Bench(token("one", 600), ACCEPTED, ACCEPTED, token("two"), ACCEPTED)
    bench.say(OAUTH2)
    bench.say(OAUTH2)
    bench.clock.advance(590)
    bench.say(OAUTH2)
    assert bench.shown == ["", "Bearer one", "Bearer one", "", "Bearer two"]


def test_an_access_token_that_is_refused_is_renewed_once() -> None:
    bench = Bench(token("old"), reply(401), token("new"), ACCEPTED)
    assert bench.say(OAUTH2) == Done("Accepted")
    assert bench.shown == ["", "Bearer old", "", "Bearer new"]


def test_a_second_refusal_is_final() -> None:
    bench = Bench(token("old"), reply(401), token("new"), reply(401))
    outcome = bench.say(OAUTH2)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable) == (True, False)


def test_a_replaced_client_secret_is_read_again_when_the_old_one_is_refused() -> None:
    bench = Bench(reply(401, {"error": "invalid_client"}), token("acc3ss"), ACCEPTED, credential="old")
    bench.secrets.csms_secrets("acme")
    bench.secrets.csms["acme"] = CsmsSecrets("key", "new")
    assert bench.say(OAUTH2) == Done("Accepted")
    assert "client_secret=new" in bench.http.calls[1].body.decode()


@pytest.mark.parametrize(
    ("answer", "retryable", "wait"),
    [
        (reply(401, {"error": "invalid_client"}), False, None),
        (reply(503, headers={"retry-after": "4"}), True, 4),
        (NoReply("connect", sent=False), True, None),
        (reply(200, {"token_type": "Bearer"}), True, None),
        (reply(302), False, None),
    ],
)
def test_without_an_access_token_nothing_is_sent(answer: Reply | NoReply, retryable: bool, wait: int | None) -> None:
    bench = Bench(answer)
    outcome = bench.say(OAUTH2)
    assert isinstance(outcome, Failed)
    assert (outcome.nothing_sent, outcome.retryable, outcome.retry_after) == (True, retryable, wait)
    assert "s3cret" not in outcome.reason
    assert len(bench.http.calls) == 1


def test_the_client_secret_goes_by_https_only() -> None:
    bench = Bench()
    outcome = bench.say(replace(OAUTH2, oauth2=OAuth2Client("http://login.example/token", "bridge")))
    assert isinstance(outcome, Failed)
    assert bench.http.calls == []


def test_an_entry_without_its_authorization_server_is_told() -> None:
    outcome = Bench().say(replace(OAUTH2, oauth2=None))
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("oauth2: is missing")


@pytest.mark.parametrize(("deadline_in", "budgets"), [(50, [20.0, 14.0, 8.0, 2.0]), (19, [19.0, 13.0, 7.0, 1.0])])
def test_all_that_a_command_takes_has_the_time_of_one_call(deadline_in: int, budgets: list[float]) -> None:
    bench = Bench()
    slow = ScriptedExchange(token("old"), reply(401), token("new"), ACCEPTED, on_call=lambda: bench.clock.advance(6))
    driver = HttpChargePointDriver(bench.secrets, bench.clock, slow)
    driver.submit(OAUTH2, replace(WANTED, deadline=START + timedelta(seconds=deadline_in)))
    assert slow.budgets == budgets
