"""The door for OCPI sessions of a CSMS: the envelope in every answer, and nothing kept that has no place."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb import registry_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.reported_places import DynamoReportedPlaces
from ocpi_bridge.ports.secrets import CsmsSecrets
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.csms_ocpi_door import csms_ocpi_endpoint
from ocpi_bridge.runtime.wiring.csms_keys import EventKeys
from ocpi_bridge.runtime.wiring.csms_sessions import SessionIntake
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.lambda_events import proxy_event, queue_event
from tests.support.queues import Queues
from tests.support.registry_entries import csms as registry_csms
from tests.support.world import World

KEY = "the-key-of-the-events-of-acme-0123456789"
EVSE = "BE*BEC*E041503001"
SESSION: dict[str, Any] = {
    "country_code": "NL",
    "party_id": "ACM",
    "id": "S-1",
    "start_date_time": "2026-01-15T17:00:00Z",
    "kwh": 1.25,
    "cdr_token": {"uid": "04AA", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
    "auth_method": "WHITELIST",
    "location_id": "LOC1",
    "evse_uid": EVSE,
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": "2026-01-15T17:05:00Z",
}
PATCH = {"kwh": 2, "last_updated": "2026-01-15T17:10:00Z"}
PLAIN = {"Authorization": f"Token {KEY}", "X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"}


@dataclass(frozen=True)
class Answer:
    http: int
    code: int
    message: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Csms:
    """A CSMS that pushes sessions."""

    world: World
    intake: SessionIntake
    queues: Queues

    def send(
        self,
        body: object = SESSION,
        method: str = "PUT",
        *,
        headers: Mapping[str, str] = PLAIN,
        csms_id: str = "acme",
        party: tuple[str, str] = ("NL", "ACM"),
        session_id: str = "S-1",
    ) -> Answer:
        parameters = {"csms_id": csms_id, "country_code": party[0], "party_id": party[1], "session_id": session_id}
        path = f"/csms/v1/ocpi/{csms_id}/sessions/{party[0]}/{party[1]}/{session_id}"
        text = body if isinstance(body, str) else json.dumps(body)
        event = proxy_event(method, path, headers=headers, body=text, path_parameters=parameters)
        given: Any = csms_ocpi_endpoint(self.intake.clock)(self.intake.take)(event, None)
        read = json.loads(given["body"])
        assert set(read) == {"status_code", "status_message", "timestamp"}
        return Answer(given["statusCode"], read["status_code"], read["status_message"], given["headers"])

    def queued(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = queue_event(self.queues.client, self.queues.csms_events)["Records"]
        return records


@pytest.fixture
def secrets() -> InMemorySecretStore:
    store = InMemorySecretStore()
    store.csms["acme"] = CsmsSecrets(KEY)
    return store


@pytest.fixture
def csms(world: World, secrets: InMemorySecretStore, queues: Queues, monkeypatch: pytest.MonkeyPatch) -> Csms:
    monkeypatch.setattr(clients, "sqs", lambda: queues.client)
    put(world, registry_items.evse_item(EVSE, "acme", "CP-001"))
    places = DynamoReportedPlaces(world.tables.client, world.tables.registry)
    intake = SessionIntake(places, EventKeys(secrets, world.clock), world.clock, queues.csms_events)
    return Csms(world, intake, queues)


def put(world: World, item: Mapping[str, object]) -> None:
    world.tables.client.put_item(TableName=world.tables.registry, Item=dynamo.to_item(item))


# --- What is taken ---------------------------------------------------------------------------------------------------


def test_a_session_waits_in_the_queue_as_it_was_put_with_its_place(csms: Csms) -> None:
    answer = csms.send()
    assert (answer.http, answer.code) == (200, 1000)
    [record] = csms.queued()
    assert json.loads(record["body"]) == SESSION
    told = {name: value["stringValue"] for name, value in record["messageAttributes"].items()}
    assert told == {
        "csms_id": "acme",
        "form": "sessions",
        "change": "PUT",
        "session_id": "S-1",
        "station_id": "CP-001",
    }


def test_a_patch_without_an_evse_waits_without_a_station(csms: Csms) -> None:
    assert csms.send(PATCH, "PATCH").code == 1000
    [record] = csms.queued()
    assert record["messageAttributes"]["change"]["stringValue"] == "PATCH"
    assert "station_id" not in record["messageAttributes"]


def test_a_patch_that_moves_the_session_waits_with_its_station(csms: Csms) -> None:
    assert csms.send(PATCH | {"evse_uid": EVSE.lower()}, "PATCH").code == 1000
    assert csms.queued()[0]["messageAttributes"]["station_id"]["stringValue"] == "CP-001"


@pytest.mark.parametrize("scheme", ["Token", "token"])
@pytest.mark.parametrize("encode", [True, False])
def test_the_token_is_the_event_key_in_base64_or_plain(csms: Csms, scheme: str, encode: bool) -> None:
    token = base64.b64encode(KEY.encode()).decode() if encode else KEY
    assert csms.send(headers={"Authorization": f"{scheme} {token}"}).code == 1000


def test_a_party_in_the_url_is_compared_without_case(csms: Csms) -> None:
    assert csms.send(party=("nl", "acm")).code == 1000


def test_an_answer_has_the_ids_of_its_request_and_the_parties_the_other_way_round(csms: Csms) -> None:
    routing = {
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "ACM",
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "BRG",
    }
    headers = csms.send(headers=PLAIN | routing).headers
    assert (headers["X-Request-ID"], headers["X-Correlation-ID"]) == ("req-1", "corr-1")
    assert (headers["OCPI-from-party-id"], headers["OCPI-to-party-id"]) == ("BRG", "ACM")
    assert not [name for name in csms.send().headers if name.startswith("OCPI-")]


# --- Who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": "Token x"},
        {"Authorization": "Token"},
    ],
    ids=str,
)
def test_without_the_token_nothing_is_taken_nor_told(csms: Csms, headers: dict[str, str]) -> None:
    answer = csms.send(headers=headers)
    assert (answer.http, answer.code, answer.message) == (401, 2000, "unknown token")
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert csms.queued() == []


def test_whoever_has_no_token_learns_nothing_of_which_csmss_exist(csms: Csms, secrets: InMemorySecretStore) -> None:
    secrets.csms["removed"] = CsmsSecrets(KEY)
    answers = [
        csms.send(headers=PLAIN | {"Authorization": "Token wrong"}),
        csms.send(csms_id="nobody"),
        csms.send(csms_id="../acme"),
        csms.send(csms_id="removed"),
        csms.send("no json", headers=PLAIN | {"Authorization": "Token wrong"}),
        csms.send(method="GET", headers=PLAIN | {"Authorization": "Token wrong"}),
    ]
    assert {(answer.http, answer.code, answer.message) for answer in answers} == {(401, 2000, "unknown token")}


def test_what_can_be_no_csms_is_refused_before_any_secret_is_read(csms: Csms, secrets: InMemorySecretStore) -> None:
    for csms_id in ("", "a b", "../acme", "x" * 37):
        assert csms.send(csms_id=csms_id).http == 401
    assert secrets.reads == []


def test_another_csmss_token_opens_nothing(csms: Csms, secrets: InMemorySecretStore) -> None:
    secrets.csms["other"] = CsmsSecrets("another-key-of-32-characters-or-more")
    put(csms.world, registry_items.csms_item(registry_csms("other"), 1))
    assert csms.send(csms_id="other").http == 401


def test_a_key_that_was_replaced_is_read_again_but_not_without_end(csms: Csms, secrets: InMemorySecretStore) -> None:
    csms.send()
    secrets.csms["acme"] = CsmsSecrets("a-new-key-of-32-characters-or-more")
    assert csms.send(headers={"Authorization": "Token a-new-key-of-32-characters-or-more"}).code == 1000
    before = len(secrets.reads)
    for _ in range(5):
        csms.send(headers={"Authorization": "Token junk"})
    assert len(secrets.reads) <= before + 1


# --- What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_only_put_and_patch_are_defined(csms: Csms, method: str) -> None:
    answer = csms.send(method=method)
    assert (answer.http, answer.code, answer.headers["Allow"]) == (405, 2000, "PUT, PATCH")
    assert csms.queued() == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"party": ("DE", "ACM")}, "country_code"),
        ({"party": ("NL", "XYZ")}, "party_id"),
        ({"session_id": "S-2"}, "id"),
        ({"session_id": "x" * 37}, "session_id"),
        ({"session_id": "é"}, "session_id"),
        ({"body": SESSION | {"party_id": "XYZ"}}, "party_id"),
        ({"body": SESSION | {"kwh": None}}, "kwh"),
        ({"body": {"kwh": 1}, "method": "PATCH"}, "last_updated"),
        ({"body": "[]"}, "body"),
    ],
    ids=str,
)
def test_a_wrong_field_is_2001_and_named(csms: Csms, given: dict[str, Any], field: str) -> None:
    answer = csms.send(**given)
    assert (answer.http, answer.code) == (200, 2001)
    assert answer.message.startswith(f"Invalid or missing parameters: {field}: ")
    assert csms.queued() == []


def test_a_body_that_is_no_json_is_400(csms: Csms) -> None:
    answer = csms.send("{")
    assert (answer.http, answer.code) == (400, 2001)


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("PUT", {"evse_uid": "3256"}),
        ("PUT", {"connector_id": "7"}),
        ("PUT", {"evse_uid": "#NA", "connector_id": "#NA"}),
        ("PATCH", {"evse_uid": "3256"}),
        ("PATCH", {"connector_id": "7"}),
    ],
    ids=str,
)
def test_a_place_that_the_registry_does_not_have_is_2003(csms: Csms, method: str, place: dict[str, str]) -> None:
    answer = csms.send(SESSION | place, method)
    assert (answer.http, answer.code) == (200, 2003)
    assert csms.queued() == []


def test_an_evse_of_another_csms_is_as_unknown_as_any(csms: Csms) -> None:
    other = replace(csms.world.station, csms_id="other", evses=(replace(csms.world.station.evses[0], uid="3256"),))
    put(csms.world, registry_items.station_item(other, 1))
    put(csms.world, registry_items.evse_item("3256", "other", "CP-001"))
    theirs = csms.send(SESSION | {"evse_uid": "3256"})
    nobodys = csms.send(SESSION | {"evse_uid": "9999"})
    assert (theirs.code, theirs.message) == (nobodys.code, nobodys.message) == (2003, theirs.message)


def test_what_the_queue_does_not_take_is_3000_and_may_be_sent_again(
    csms: Csms, monkeypatch: pytest.MonkeyPatch, queues: Queues
) -> None:
    def refuse() -> None:
        raise RuntimeError("the queue is not there, with a secret")

    monkeypatch.setattr(clients, "sqs", refuse)
    answer = csms.send()
    assert (answer.http, answer.code, answer.message) == (200, 3000, "internal error; try again")
    monkeypatch.setattr(clients, "sqs", lambda: queues.client)
    assert csms.send().code == 1000
