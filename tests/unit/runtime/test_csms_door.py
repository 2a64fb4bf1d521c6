"""The doors for CSMSs: plain JSON, errors that name the field, and never a word about who exists."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ocpi_bridge.adapters.csms.signing import sign_event
from ocpi_bridge.adapters.dynamodb.signatures import DynamoSignatures
from ocpi_bridge.domain.errors import Contended, InvalidInput
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.secrets import CsmsSecrets
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.csms_door import Refused, csms_endpoint
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.wiring.csms_events import EventIntake
from ocpi_bridge.runtime.wiring.csms_keys import EventKeys
from tests.support.fake_secrets import InMemorySecretStore
from tests.support.lambda_events import proxy_event, queue_event
from tests.support.queues import Queues
from tests.support.world import World

KEY = "key of the events"
EVENTS = json.dumps(
    {
        "events": [
            {"id": "1", "type": "station.online", "time": "2026-01-15T17:00:00Z", "station_id": "CP-001"},
            {
                "id": "2",
                "type": "transaction.started",
                "time": "2026-01-15T17:00:00Z",
                "station_id": "CP-001",
                "connector_id": 1,
                "transaction_id": 778,
                "data": {"id_token": {"uid": "04AA"}},
            },
        ]
    }
)
Lines = Callable[[], list[dict[str, Any]]]
Answer = tuple[int, dict[str, Any]]


# --- The door --------------------------------------------------------------------------------------------------------


def knock(error: Exception | None = None, method: str = "POST") -> Answer:
    def endpoint(_: HttpRequest) -> tuple[int, JsonObject]:
        if error is not None:
            raise error
        return 202, {"accepted": 1}

    answer: dict[str, Any] = dict(csms_endpoint(endpoint)(proxy_event(method, "/csms/v1/events", body="{}"), None))
    assert answer["headers"]["Content-Type"] == "application/json"
    return answer["statusCode"], json.loads(answer["body"])


def test_an_answer_is_plain_json() -> None:
    assert knock() == (202, {"accepted": 1})


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (Refused(409, "used before"), (409, {"error": "used before"})),
        (InvalidInput("events.0.time", "is missing"), (400, {"error": "is missing", "field": "events.0.time"})),
        (Contended("try again"), (503, {"error": "try again"})),
        (RuntimeError("a defect, with a secret"), (503, {"error": "internal error; try again"})),
    ],
    ids=repr,
)
def test_each_error_has_its_answer(error: Exception, answer: Answer) -> None:
    assert knock(error) == answer


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_a_post_is_taken(method: str) -> None:
    assert knock(method=method)[0] == 405


def test_a_defect_is_logged_with_its_cause(log: Lines) -> None:
    knock(OSError("the disk is full"))
    [failure] = [line for line in log() if line["level"] == "ERROR"]
    assert "the disk is full" in failure["exception"]


# --- Events ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def secrets() -> InMemorySecretStore:
    store = InMemorySecretStore()
    store.csms["acme"] = CsmsSecrets(KEY)
    return store


@pytest.fixture
def intake(world: World, secrets: InMemorySecretStore, queues: Queues, monkeypatch: pytest.MonkeyPatch) -> EventIntake:
    monkeypatch.setattr(clients, "sqs", lambda: queues.client)
    signatures = DynamoSignatures(world.tables.client, world.tables.registry)
    return EventIntake(signatures, EventKeys(secrets, world.clock), world.clock, queues.csms_events)


class Csms:
    """A CSMS that posts events; each attempt is signed anew."""

    def __init__(self, world: World, intake: EventIntake, queues: Queues) -> None:
        self.world, self.intake, self.queues = world, intake, queues

    def post(
        self,
        body: str = EVENTS,
        *,
        csms_id: str | None = "acme",
        key: str = KEY,
        signature: str | None = None,
        signed_body: str | None = None,
    ) -> Answer:
        made = sign_event((signed_body or body).encode(), key, self.world.clock.now())
        headers = {"X-Signature": signature if signature is not None else made}
        if csms_id is not None:
            headers["X-CSMS-Id"] = csms_id
        answer: dict[str, Any] = dict(
            csms_endpoint(self.intake.take)(proxy_event("POST", "/csms/v1/events", headers=headers, body=body), None)
        )
        return answer["statusCode"], json.loads(answer["body"])

    def queued(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = queue_event(self.queues.client, self.queues.csms_events)["Records"]
        return records


@pytest.fixture
def csms(world: World, intake: EventIntake, queues: Queues) -> Csms:
    return Csms(world, intake, queues)


def test_signed_events_wait_in_the_queue_as_they_were_posted(csms: Csms) -> None:
    assert csms.post() == (202, {"accepted": 2})
    [record] = csms.queued()
    assert record["body"] == EVENTS
    assert record["messageAttributes"]["csms_id"]["stringValue"] == "acme"


def test_a_post_that_comes_twice_is_taken_once(csms: Csms) -> None:
    csms.post()
    assert csms.post() == (409, {"error": "this signature was used before; sign each attempt anew"})
    csms.world.clock.advance(1)
    assert csms.post()[0] == 202
    assert len(csms.queued()) == 2


@pytest.mark.parametrize("offset", [-301, 301])
def test_a_signature_of_another_time_is_refused(csms: Csms, offset: int) -> None:
    signature = sign_event(EVENTS.encode(), KEY, csms.world.clock.now())
    csms.world.clock.advance(offset)
    status, body = csms.post(signature=signature)
    assert (status, body["field"]) == (400, "X-Signature")
    assert csms.queued() == []


@pytest.mark.parametrize("signature", ["", "garbage", "t=1768496400", "t=1768496400,v1=00"])
def test_a_signature_that_is_none_is_refused_before_any_secret_is_read(
    csms: Csms, secrets: InMemorySecretStore, signature: str
) -> None:
    status, body = csms.post(signature=signature)
    assert (status, body["field"], secrets.reads) == (400, "X-Signature", [])


def test_whoever_cannot_sign_learns_nothing_of_which_csmss_exist(csms: Csms, secrets: InMemorySecretStore) -> None:
    unknown = csms.post(csms_id="nobody")
    wrong_key = csms.post(key="another key")
    other_body = csms.post(signed_body="{}")
    assert unknown == wrong_key == other_body
    assert unknown[0] == 401
    assert csms.queued() == []


@pytest.mark.parametrize("csms_id", [None, "", "x" * 65, "a b", "acme/../x", "acme\N{SNOWMAN}"])
def test_what_can_be_no_csms_is_refused_by_its_header_before_any_secret_is_read(
    csms: Csms, secrets: InMemorySecretStore, csms_id: str | None
) -> None:
    status, body = csms.post(csms_id=csms_id)
    assert (status, body["field"], secrets.reads) == (400, "X-CSMS-Id", [])


def test_a_key_that_was_replaced_is_read_again(csms: Csms, secrets: InMemorySecretStore) -> None:
    csms.post()
    secrets.csms["acme"] = CsmsSecrets("the new key")
    csms.world.clock.advance(1)
    assert csms.post(key="the new key")[0] == 202


def test_junk_does_not_make_us_read_secrets_without_end(csms: Csms, secrets: InMemorySecretStore) -> None:
    for _ in range(10):
        assert csms.post(key="junk")[0] == 401
    assert len(secrets.reads) == 2
    csms.world.clock.advance(60)
    csms.post(key="junk")
    assert len(secrets.reads) == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [("{", "body"), ("[]", "body"), ('{"events": []}', "events"), ('{"events": [{}]}', "events.0.id")],
)
def test_a_post_that_breaks_the_contract_names_the_field_and_may_be_sent_mended(
    csms: Csms, body: str, field: str
) -> None:
    status, answer = csms.post(body)
    assert (status, answer["field"]) == (400, field)
    assert csms.queued() == []


@pytest.mark.parametrize("body", [EVENTS.encode("utf-16"), EVENTS.replace("CP-001", "CP-\uffff").encode()])
def test_a_post_that_no_queue_takes_is_refused_for_good(world: World, intake: EventIntake, body: bytes) -> None:
    headers = {"x-csms-id": "acme", "x-signature": sign_event(body, KEY, world.clock.now())}
    with pytest.raises(InvalidInput, match="body"):
        intake.take(HttpRequest("POST", {}, (), headers, body, "/csms/v1/events"))


def test_a_post_that_the_queue_did_not_take_may_be_sent_again_as_it_is(
    csms: Csms, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise RuntimeError("the queue is not there")

    monkeypatch.setattr(clients, "sqs", refuse)
    assert csms.post()[0] == 503
    monkeypatch.setattr(clients, "sqs", lambda: queues.client)
    assert csms.post()[0] == 202
