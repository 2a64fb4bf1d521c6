"""What is another tenant's is to everybody else as if it were not there: same answer, same calls, nothing changed.

Each documented operation is asked by a stranger, another partner or another CSMS, for what is somebody else's: once where
that exists, and once, word for word, where it never did. Both answers are the same to the last byte, and so are the calls
that they cost, by kind, table and number: what a stopwatch could tell. The owner gets another answer, so every question
is one that could have been answered.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

from ocpi_bridge.adapters.csms.signing import callback_url, frames_token, sign_event
from ocpi_bridge.adapters.dynamodb import partner_items, registry_items, token_items
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.pairings import DynamoPairings
from ocpi_bridge.domain.assignments import Scope
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.pairing import Grant, PairingCode, code_hash
from ocpi_bridge.domain.partners import Pairing, Party
from ocpi_bridge.domain.preferences import CHARGING_PREFERENCES_CAPABLE
from ocpi_bridge.domain.requests import RequestState
from ocpi_bridge.domain.stations import CHARGING_PROFILE_CAPABLE
from ocpi_bridge.domain.tokens import AcceptedToken, token_hash
from ocpi_bridge.runtime import clients
from tests.contract.catalogue import fixture
from tests.contract.documented import DOCUMENT, function_of
from tests.support import registry_entries
from tests.support.clocks import START
from tests.support.deployed_functions import CSMS_API, EVENT_KEY, PREFIX, SIGNING_KEY, deployed, handler_of
from tests.support.lambda_events import proxy_event, queue_event
from tests.support.queues import Queues, aws_queues
from tests.support.raw_frames import call as frame
from tests.support.tables import REGION, AwsTables, aws_tables
from tests.support.world import CARD, TOKEN, World, event

EVSE, THEIR_EVSE = "BE*BEC*E041503001", "DE*BET*E1"
SESSION_ID = "5ad7b0d5-0000-4000-8000-000000000001"
CODE = "12345678"


@dataclass(frozen=True)
class Tenant:
    """A partner and a CSMS, and what each shows."""

    partner_id: str
    token: str
    csms_id: str
    key: str
    party: Party
    evse_uid: str
    callback_host: str

    @property
    def shown(self) -> str:
        """Its partner's Authorization header."""
        return "Token " + base64.b64encode(self.token.encode()).decode()


OWNER = Tenant("jedlix", TOKEN, "acme", EVENT_KEY, Party("NL", "ACM"), EVSE, "www.jedlix.com")
STRANGER = Tenant(
    "other", "token-of-the-other", "beta", "key-of-beta", Party("DE", "BET"), THEIR_EVSE, "www.other.example"
)


@dataclass(frozen=True)
class Ask:
    """One request, with what stands for the placeholders of its path."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    body: str = ""


@dataclass(frozen=True)
class Heard:
    """All that an asker can notice of its answers, and the calls that they cost."""

    answers: tuple[Mapping[str, Any], ...]
    calls: tuple[tuple[str, ...], ...]

    @property
    def said(self) -> tuple[int, Any]:
        """The first answer's status and body."""
        return self.answers[0]["statusCode"], self.answers[0]["body"]


Case = Callable[[Tenant], Ask]


# --- Who asks for what -----------------------------------------------------------------------------------------------


def of_partner(who: Tenant, query: str = "", body: object = None, **parameters: str) -> Ask:
    routing = {"OCPI-from-country-code": "NL", "OCPI-from-party-id": "JDX"}
    return Ask(parameters, {"Authorization": who.shown, **routing}, query, "" if body is None else json.dumps(body))


def response_url(who: Tenant) -> str:
    return f"https://{who.callback_host}/r?request_id=1"


def put_profile(who: Tenant) -> Ask:
    body = {**fixture("jedlix/set_charging_profile_guide.json"), "response_url": response_url(who)}
    return of_partner(who, body=body, session_id=SESSION_ID)


def malformed_profile(who: Tenant) -> Ask:
    body = {"charging_profile": {"charging_rate_unit": "kW"}, "response_url": response_url(who)}
    return of_partner(who, body=body, session_id=SESSION_ID)


def shouted(who: Tenant) -> Ask:
    return replace(put_profile(who), parameters={"session_id": SESSION_ID.upper()})


def get_profile(who: Tenant) -> Ask:
    query = urlencode({"duration": "900", "response_url": response_url(who)})
    return of_partner(who, query, session_id=SESSION_ID)


def delete_profile(who: Tenant) -> Ask:
    return of_partner(who, urlencode({"response_url": response_url(who)}), session_id=SESSION_ID)


def put_preferences(who: Tenant) -> Ask:
    body = fixture("constructed/sessions/charging_preferences_put_request.json")
    return of_partner(who, body=body, session_id=SESSION_ID)


def list_sessions(who: Tenant) -> Ask:
    return of_partner(who, urlencode({"date_from": "2026-01-01T00:00:00Z"}))


def pair(who: Tenant) -> Ask:
    return Ask({}, {"Authorization": who.shown}, "", json.dumps({"code": CODE}))


def signed(csms_id: str, who: Tenant, *events: Mapping[str, object]) -> Ask:
    body = json.dumps({"events": events})
    headers = {"X-CSMS-Id": csms_id, "X-Signature": sign_event(body.encode(), who.key, START)}
    return Ask({}, headers, "", body)


ENDED: Mapping[str, object] = {
    "id": "e-1",
    "type": "transaction.ended",
    "time": "2026-01-15T17:00:00Z",
    "station_id": "CP-001",
    "connector_id": 1,
    "transaction_id": "778",
    "data": {},
}
ANSWERED: Mapping[str, object] = {
    "id": "e-2",
    "type": "command.result",
    "time": "2026-01-15T17:00:00Z",
    "station_id": "CP-001",
    "data": {"command_id": "r1.0", "payload": {"status": "Accepted"}},
}


def frames(csms_id: str, who: Tenant) -> Ask:
    started = frame("StopTransaction", {"transactionId": 778, "meterStop": 2000, "timestamp": "2026-01-15T17:00:00Z"})
    parameters = {"csms_id": csms_id, "token": frames_token(csms_id, who.key)}
    return Ask(parameters, {}, "", json.dumps(started))


def ocpi_session(csms_id: str, party: Party, who: Tenant, **change: object) -> Ask:
    body = {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "id": SESSION_ID,
        "start_date_time": "2026-01-15T17:00:00Z",
        "kwh": 1.25,
        "cdr_token": {"uid": "04AA", "type": "RFID", "contract_id": "NL-TNM-C12345678-X"},
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": EVSE,
        "connector_id": "1",
        "currency": "EUR",
        "status": "COMPLETED",
        "last_updated": "2026-01-15T17:05:00Z",
        **change,
    }
    place = {"csms_id": csms_id, "country_code": party.country_code, "party_id": party.party_id}
    shown = "Token " + base64.b64encode(who.key.encode()).decode()
    return Ask({**place, "session_id": SESSION_ID}, {"Authorization": shown}, "", json.dumps(body))


def callback(command_id: str) -> Case:
    def ask(who: Tenant) -> Ask:
        # The owner was given the URL of its command; a stranger has only one of its own.
        signature = callback_url(CSMS_API, "r1.0" if who is OWNER else "r9.0", SIGNING_KEY.encode()).rpartition("/")[2]
        return Ask({"command_id": command_id, "signature": signature}, {}, "", json.dumps({"status": "Accepted"}))

    return ask


CASES: Mapping[str, Mapping[str, Case]] = {
    "PUT /ocpi/{v}/chargingprofiles/{session_id}": {"a profile": put_profile, "its id in capitals": shouted},
    "GET /ocpi/{v}/chargingprofiles/{session_id}": {"the active profile": get_profile},
    "DELETE /ocpi/{v}/chargingprofiles/{session_id}": {"to clear it": delete_profile},
    "PUT /ocpi/{v}/sessions/{session_id}/charging_preferences": {"preferences": put_preferences},
    "GET /ocpi/{v}/sessions": {"a list": list_sessions},
    "POST /v1/cpo/ocpi2.2/pair": {"a code": pair},
    "POST /csms/v1/events": {
        "in the owner's name": lambda who: signed("acme", who, ENDED),
        "an answer in the owner's name": lambda who: signed("acme", who, ANSWERED),
    },
    "POST /csms/v1/citrineos/{csms_id}/{token}": {"at the owner's address": lambda who: frames("acme", who)},
    "PUT /csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}": {
        "at the owner's address": lambda who: ocpi_session("acme", OWNER.party, who),
        "at the owner's EVSE": lambda who: ocpi_session(who.csms_id, who.party, who),
    },
    "PATCH /csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}": {
        "at the owner's address": lambda who: ocpi_session("acme", OWNER.party, who),
        "at the owner's EVSE": lambda who: ocpi_session(who.csms_id, who.party, who),
    },
    "POST /csms/v1/callback/{command_id}/{signature}": {"with another command's signature": callback("r1.0")},
}
"""Questions for what is the owner's, by operation. Whoever asks shows what is its own."""

ALIKE: Mapping[str, Mapping[str, Case]] = {
    "PUT /ocpi/{v}/chargingprofiles/{session_id}": {
        "a wrong profile": malformed_profile,
        "a foreign response_url": lambda who: replace(
            put_profile(who),
            body=put_profile(who).body.replace(who.callback_host, "evil.example"),
        ),
    },
    "POST /csms/v1/events": {
        "about the owner's transaction": lambda who: signed(who.csms_id, who, ENDED),
        "an answer to the owner's command": lambda who: signed(who.csms_id, who, ANSWERED),
    },
    "POST /csms/v1/citrineos/{csms_id}/{token}": {"about the owner's": lambda who: frames(who.csms_id, who)},
    "PATCH /csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}": {
        "of the owner's session": lambda who: ocpi_session(who.csms_id, who.party, who, evse_uid=who.evse_uid),
    },
    "PUT /csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}": {
        "of the owner's session": lambda who: ocpi_session(who.csms_id, who.party, who, evse_uid=who.evse_uid),
    },
    "GET /ocpi/versions": {"what there is": of_partner},
    "GET /ocpi/{v}": {"what there is": of_partner},
    "GET /ocpi/{v}/credentials": {"its own": of_partner},
    "POST /ocpi/{v}/credentials": {"without a registration token": lambda who: of_partner(who, body={})},
    "PUT /ocpi/{v}/credentials": {"without a registration": lambda who: of_partner(who, body={})},
    "DELETE /ocpi/{v}/credentials": {"without a registration": of_partner},
}
"""Questions that owner and stranger are answered alike, because nothing of anybody's is said at once."""

OPERATIONS = [
    f"{method.upper()} {path}"
    for path, operations in DOCUMENT["paths"].items()
    for method in operations
    if method in {"get", "put", "post", "patch", "delete"}
]
QUESTIONS = [
    pytest.param(operation, case, told_apart, id=f"{operation} {name}")
    for operation in OPERATIONS
    for table, told_apart in ((CASES, True), (ALIKE, False))
    for name, case in table.get(re.sub(r"/\d\.\d\.\d", "/{v}", operation), {}).items()
]


# --- The two worlds --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bridge:
    """A deployed bridge on which the stranger lives, and the owner too or not."""

    world: World
    queues: Queues

    def hear(self, operation: str, ask: Ask) -> Heard:
        """The answers of a function that starts, and of the same one when it is warm."""
        method, path = operation.split(" ", 1)
        given = proxy_event(
            method,
            path.format(**ask.parameters),
            headers={**ask.headers, "X-Request-ID": "req-1", "X-Correlation-ID": "corr-1"},
            query=ask.query,
            body=ask.body or None,
            path_parameters=ask.parameters,
            resource=path,
        )
        handler = handler_of(function_of(path))
        with counted() as calls:
            answers = [handler(given, None) for _ in range(2)]
        return Heard(tuple({**answer, "body": json.loads(answer["body"])} for answer in answers), tuple(calls))

    def ingest(self) -> None:
        """Lets the workers have what the stranger's CSMS was let in with."""
        handler_of("ingest_csms_events")(taken_out(self.queues), None)

    def owners_items(self) -> list[dict[str, Any]]:
        """All items but those that name the stranger in their key."""
        tables = self.world.tables
        items = [item for name in (tables.sessions, tables.requests, tables.registry) for item in tables.items(name)]
        strangers = (STRANGER.partner_id, STRANGER.csms_id)
        return sorted(
            (item for item in items if not any(name in item["pk"]["S"] + item["sk"]["S"] for name in strangers)),
            key=lambda item: (item["pk"]["S"], item["sk"]["S"]),
        )


def taken_out(queues: Queues) -> dict[str, Any]:
    """What waits in the queue of events, for good."""
    waiting = queue_event(queues.client, queues.csms_events)
    for record in waiting["Records"]:
        queues.client.delete_message(QueueUrl=queues.csms_events, ReceiptHandle=record["receiptHandle"])
    return waiting


@contextmanager
def counted() -> Iterator[list[tuple[str, ...]]]:
    """The calls to AWS meanwhile: the operation, and the tables that it names."""
    made: list[tuple[str, ...]] = []

    def note(params: Mapping[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        tables = params.get("RequestItems") or [params.get("TableName", "")]
        made.append((model.service_model.service_name, model.name, *sorted(tables)))

    listening = [clients.dynamodb(), clients.sqs(), clients.secrets_manager()]
    for client in listening:
        client.meta.events.register("provide-client-params", note)
    try:
        yield made
    finally:
        for client in listening:
            client.meta.events.unregister("provide-client-params", note)


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[AwsTables, Queues]]:
    with aws_tables() as tables, aws_queues() as queues:
        yield tables, queues


@contextmanager
def bridge(aws: tuple[AwsTables, Queues], *, with_owner: bool, with_csms: bool = True) -> Iterator[Bridge]:
    tables, queues = aws
    tables.clear()
    taken_out(queues)
    world = World(tables)
    with deployed(world, queues):
        vault = boto3.client("secretsmanager", region_name=REGION)
        vault.create_secret(Name=f"{PREFIX}/csms/beta", SecretString=json.dumps({"event_key": STRANGER.key}))
        try:
            if with_owner:
                settle_owner(world)
            else:
                tables.clear()
                if with_csms:
                    # Whom the CPO operates for is told to every partner (7.3).
                    put(world, registry_items.csms_item(world.csms, 1))
                else:
                    vault.delete_secret(SecretId=f"{PREFIX}/csms/acme", ForceDeleteWithoutRecovery=True)
            settle_stranger(world)
            yield Bridge(world, queues)
        finally:
            vault.delete_secret(SecretId=f"{PREFIX}/csms/beta", ForceDeleteWithoutRecovery=True)


def settle_owner(world: World) -> None:
    """A session that its partner steers, a command on its way, and a code that a driver has for that partner."""
    station = registry_entries.station()
    capable = frozenset({CHARGING_PROFILE_CAPABLE, CHARGING_PREFERENCES_CAPABLE})
    world.put_station(replace(station, evses=tuple(replace(evse, capabilities=capable) for evse in station.evses)))
    world.put_partner(replace(world.partner, pairing=Pairing()))
    put(world, registry_items.evse_item(EVSE, "acme", "CP-001"))
    opening = event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD)
    session = world.open_session(opening, session_id=SESSION_ID)
    world.put_request(session, state=RequestState.SENT, attempts=1)
    now, grant = world.clock.now(), Grant(EVSE, Scope.EVSE, EVSE)
    code = PairingCode(code_hash(CODE), "78", grant, now, now + timedelta(minutes=15), partner_id="jedlix")
    assert DynamoPairings(world.tables.client, world.tables.registry).add(code)


def settle_stranger(world: World) -> None:
    """Another partner with its token, and another CSMS with a station."""
    partner = registry_entries.partner("other", name="Other")
    partner = replace(partner, callback_hosts=(".other.example",), pairing=Pairing(), sessions_url=None)
    csms = replace(registry_entries.csms("beta"), country_code="DE", party_id="BET")
    token = AcceptedToken(token_hash(STRANGER.token), "other", partner.party, START)
    put(
        world,
        partner_items.partner_item(partner, 1),
        token_items.token_item(token),
        registry_items.csms_item(csms, 1),
        registry_items.station_item(registry_entries.station("CP-B", (THEIR_EVSE,), csms_id="beta"), 1),
        registry_items.evse_item(THEIR_EVSE, "beta", "CP-B"),
    )


def put(world: World, *items: Mapping[str, object]) -> None:
    world.tables.put(world.tables.registry, *(dynamo.to_item(item) for item in items))


# --- The matrix ------------------------------------------------------------------------------------------------------


def test_every_operation_is_asked_by_a_stranger() -> None:
    asked = {question.values[0] for question in QUESTIONS}
    assert [operation for operation in OPERATIONS if operation not in asked] == []
    known = {re.sub(r"/\d\.\d\.\d", "/{v}", operation) for operation in OPERATIONS}
    assert (set(CASES) | set(ALIKE)) - known == set()


@pytest.mark.parametrize(("operation", "case", "told_apart"), QUESTIONS)
def test_what_is_not_yours_is_as_if_it_were_not_there(
    aws: tuple[AwsTables, Queues], operation: str, case: Case, told_apart: bool
) -> None:
    with bridge(aws, with_owner=True) as here:
        before = here.owners_items()
        not_yours = here.hear(operation, case(STRANGER))
        here.ingest()
        assert here.owners_items() == before
        own = here.hear(operation, case(OWNER))
    with bridge(aws, with_owner=False, with_csms="/csms/" not in operation) as here:
        not_there = here.hear(operation, case(STRANGER))

    assert not_yours == not_there
    if told_apart:
        assert own.said != not_yours.said
