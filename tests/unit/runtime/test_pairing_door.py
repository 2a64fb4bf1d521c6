"""The door for pairing, from the function's environment to its answer: plain JSON, and HTTP statuses that say it all."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import registry_items, token_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.pairing import ATTEMPTS, Grant, PairingCode, code_hash
from ocpi_bridge.domain.partners import Pairing, Party
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse, token_hash
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from tests.support import registry_entries
from tests.support.deployed_functions import handler_of
from tests.support.dynamodb_faults import conflicts
from tests.support.lambda_events import proxy_event
from tests.support.tables import REGION
from tests.support.world import World

PATH = "/v1/cpo/ocpi2.2/pair"
IDS = {"X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"}
BEARER = {"Authorization": "Bearer the-bearer-token", **IDS}
EVSE_UID = "BE*BEC*E041503001"
CODE = "12345678"
Lines = Callable[[], list[dict[str, Any]]]


class Door:
    """The function with a partner that pairs and may come with Bearer, and one code that a driver has."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = DynamoPairings(world.tables.client, world.tables.registry)
        self.registry = DynamoRegistry(world.tables.client, world.tables.registry)
        for partner_id in ("jedlix", "other"):
            partner = registry_entries.partner(partner_id)
            world.put_partner(replace(partner, pairing=Pairing()), token=None)
        self.token("the-bearer-token", bearer=True)
        self.token("the-ocpi-token")
        self.put(registry_items.evse_item(EVSE_UID, "acme", "CP-001"))
        now = world.clock.now()
        grant = Grant(EVSE_UID, Scope.EVSE, EVSE_UID)
        self.store.add(PairingCode(code_hash(CODE), "78", grant, now, now + timedelta(minutes=15)))
        self.handler = handler_of("ocpi_pairing")

    def token(self, token: str, **attributes: Any) -> AcceptedToken:  # noqa: ANN401 - any field of a token
        accepted = AcceptedToken(token_hash(token), "jedlix", Party("NL", "JDX"), self.world.clock.now())
        accepted = replace(accepted, **attributes)
        self.put(token_items.token_item(accepted))
        return accepted

    def put(self, item: Mapping[str, object]) -> None:
        self.world.tables.put(self.world.tables.registry, dynamo.to_item(item))

    def knock(
        self, body: object = None, *, headers: Mapping[str, str] = BEARER, method: str = "POST"
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        text = body if isinstance(body, str) else json.dumps(body or {"code": CODE})
        answer = self.handler(proxy_event(method, PATH, headers=headers, body=text, resource=PATH), None)
        return answer["statusCode"], json.loads(answer["body"]), answer["headers"]


@pytest.fixture
def door(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "REGISTRY_TABLE": world.tables.registry,
        "OCPI_COUNTRY_CODE": "NL",
        "OCPI_PARTY_ID": "CPO",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(SystemClock, "now", lambda _: world.clock.now())
    monkeypatch.setattr("ocpi_bridge.adapters.dynamodb.registry_table.FIRST_PAUSE_SECONDS", 0)
    monkeypatch.setattr("ocpi_bridge.adapters.dynamodb.writes.CONFLICT_PAUSES", (0.0,) * 3)
    clients.dynamodb.cache_clear()
    yield Door(world)
    clients.dynamodb.cache_clear()


@pytest.mark.parametrize("authorization", ["Bearer the-bearer-token", "Token the-bearer-token", "Token the-ocpi-token"])
def test_a_code_is_answered_with_the_evse_as_plain_json(door: Door, authorization: str) -> None:
    status, body, headers = door.knock(headers={**BEARER, "Authorization": authorization})
    assert status == 200
    assert set(body) == {"evse"}
    assert body["evse"]["uid"] == EVSE_UID
    assert headers == {"Content-Type": "application/json", **IDS}
    assert [one.partner_id for one in door.registry.list_assignments()] == ["jedlix"]


def test_ids_are_made_where_the_partner_sends_none(door: Door) -> None:
    _, _, headers = door.knock(headers={"Authorization": "Bearer the-bearer-token"})
    assert headers["X-Request-ID"]
    assert headers["X-Correlation-ID"]


@pytest.mark.parametrize("code", ["00000000", "x", "1234567", CODE + "9"])
def test_an_unknown_code_is_404_with_a_message(door: Door, code: str) -> None:
    status, body, _ = door.knock({"code": code})
    assert (status, set(body)) == (404, {"message"})
    assert door.registry.list_assignments() == ()


def test_a_used_code_and_an_expired_one_are_answered_as_an_unknown_one(door: Door) -> None:
    unknown = door.knock({"code": "00000000"})
    door.knock()
    assert door.knock() == unknown


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer unknown", "Bearer the-ocpi-token", "Token unknown", "Basic eDp5"]
)
def test_without_a_good_token_it_is_401_whatever_is_asked(door: Door, authorization: str | None) -> None:
    shown = {} if authorization is None else {"Authorization": authorization}
    for method, body in (("POST", {"code": CODE}), ("GET", {"code": CODE}), ("POST", "no json")):
        status, answer, headers = door.knock(body, headers={**shown, **IDS}, method=method)
        assert (status, set(answer)) == (401, {"message"})
        assert headers["WWW-Authenticate"] == "Token, Bearer"
        assert headers["X-Request-ID"] == "req-1"


def test_a_registration_token_opens_nothing_here(door: Door) -> None:
    door.token("token-a", use=TokenUse.REGISTRATION, bearer=True)
    assert door.knock(headers={"Authorization": "Token token-a"})[0] == 401


def test_the_first_use_of_a_new_token_ends_the_old_one_here_too(door: Door) -> None:
    old = door.token("old")
    door.token("new", supersedes=(old.token_hash,))
    door.knock(headers={"Authorization": "Token new"})
    assert door.knock(headers={"Authorization": "Token old"})[0] == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_method_is_405_and_told_which_there_is(door: Door, method: str) -> None:
    status, body, headers = door.knock(method=method)
    assert (status, set(body), headers["Allow"]) == (405, {"message"}, "POST")


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"code": 12345678}', '{"code": ""}'])
def test_a_body_that_is_no_such_request_is_400_and_no_attempt(door: Door, body: str) -> None:
    for _ in range(ATTEMPTS + 1):
        status, answer, _ = door.knock(body or " ")
        assert (status, set(answer)) == (400, {"message"})
        assert CODE not in answer["message"]
    assert door.knock()[0] == 200


def test_too_many_wrong_codes_are_429_and_told_when_to_come_back(door: Door) -> None:
    for _ in range(ATTEMPTS):
        assert door.knock({"code": "00000000"})[0] == 404
    status, body, headers = door.knock()
    assert (status, set(body)) == (429, {"message"})
    assert 0 < int(headers["Retry-After"]) <= 3600


def test_where_another_partner_steers_it_is_409_which_does_not_say_who(door: Door, log: Lines) -> None:
    token = "04-AA-BB-CC-DD"
    now = door.world.clock.now()
    grant = Grant(EVSE_UID, Scope.TOKEN, token)
    door.store.add(PairingCode(code_hash("99999999"), "99", grant, now, now + timedelta(minutes=15)))
    door.registry.add_assignments([registry_entries.assignment("other", Scope.TOKEN, token)])
    status, body, _ = door.knock({"code": "99999999"})
    assert (status, set(body)) == (409, {"message"})
    assert "'other'" not in body["message"]
    assert token not in json.dumps(log()) + body["message"]
    [line] = [line for line in log() if line["message"] == "pairing.refused"]
    assert (line["partner_id"], line["fields"]) == ("jedlix", ["assignments.0.right"])


def test_other_writers_are_503_with_the_advice_to_try_again(door: Door) -> None:
    with conflicts(clients.dynamodb(), 1000):
        status, body, headers = door.knock()
    assert (status, set(body), headers["Retry-After"]) == (503, {"message"}, "1")
    assert door.knock()[0] == 200


def test_a_defect_of_ours_is_503_and_told_to_the_log_alone(
    door: Door, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the cause")

    monkeypatch.setattr(DynamoPairings, "code", broken)
    status, body, _ = door.knock()
    assert (status, body) == (503, {"message": "internal error; try again"})
    assert any("the cause" in json.dumps(line) for line in log())


def test_neither_the_code_nor_the_token_is_ever_logged(door: Door, log: Lines) -> None:
    door.knock()
    door.knock()
    door.knock({"code": 12345678})
    text = json.dumps(log())
    assert CODE not in text
    assert "the-bearer-token" not in text
    lines = [line for line in log() if line["message"] == "pairing.answered"]
    assert [(line["http_status"], line["partner_id"]) for line in lines] == [
        (200, "jedlix"),
        (404, "jedlix"),
        (400, "jedlix"),
    ]
