"""`bridge dlq`: why something was given up, how what it is about stands now, and what is done about it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ocpi_bridge.adapters.dynamodb.tables import to_item
from ocpi_bridge.adapters.sqs.outbox import SqsOutbox
from ocpi_bridge.domain.requests import Request, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.messages import CommandMessage, DeadlineMessage, Message, PushMessage, ResultMessage
from ocpi_bridge.ports.partners import Receipt
from ocpi_bridge.runtime.queue_door import QueueMessage, queue_worker
from ocpi_bridge.usecases.deliver_result import Delivered, DeliverResult
from tests.support.clocks import ManualClock
from tests.support.command_line import CommandLine
from tests.support.lambda_events import queue_event
from tests.support.queues import TRIES, Queues
from tests.support.scripted import ScriptedPartner
from tests.support.tables import AwsTables
from tests.support.world import CARD, TIMEOUT, World
from tools.bridge.cli import app
from tools.bridge.deployment import Deployment

LATE = timedelta(hours=2)
GiveUp = Callable[..., str]


@pytest.fixture
def clock() -> ManualClock:
    """At the moment by which SQS counts too."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def world(tables: AwsTables, clock: ManualClock) -> World:
    """A world with a partner, a CSMS and a station, by the same clock."""
    world = World(tables)
    world.clock = clock
    return world


@pytest.fixture
def session(world: World) -> Session:
    return world.open_session()


@pytest.fixture
def bridge(deployment: Deployment) -> CommandLine:
    return CommandLine(app, deployment)


@pytest.fixture
def outbox(queues: Queues, clock: ManualClock) -> SqsOutbox:
    return SqsOutbox(queues.client, queues.urls, clock)


def refused(world: World, session: Session, outbox: SqsOutbox, error: str = "http_401", request_id: str = "r1") -> None:
    """A result that the partner refused three times, and was given up."""
    world.put_request(
        session,
        request_id=request_id,
        state=RequestState.ANSWERED,
        attempts=1,
        result=Result.ACCEPTED,
        reason="Accepted",
    )
    request = world.deliveries.request(request_id)
    for _ in range(2):
        assert request is not None
        request = world.deliveries.lease_delivery(request, world.clock.now(), world.clock.now())
    assert request is not None
    partner = ScriptedPartner(Receipt(delivered=False, error=error, final=True))
    deliver = DeliverResult(world.deliveries, world.deliveries, partner, outbox, world.clock)
    assert deliver.deliver(request_id).what is Delivered.GIVEN_UP


def fail(queues: Queues, field: str, error: Exception | None = None) -> None:
    """Has a worker fail at all that a queue has, for the last time."""
    source = queues.source(field)

    def work(_: QueueMessage) -> float | None:
        raise error or KeyError("step")

    event = queue_event(queues.client, source.url)
    for record in event["Records"]:
        record["attributes"]["ApproximateReceiveCount"] = str(TRIES[field])
    answer = queue_worker(work, lambda: queues.client, source)(event, None)
    assert answer == {"batchItemFailures": []}
    for record in event["Records"]:
        queues.client.delete_message(QueueUrl=source.url, ReceiptHandle=record["receiptHandle"])


def die(queues: Queues, field: str) -> None:
    """Has workers die over all that a queue has, until SQS moves it."""
    source = queues.source(field)
    for _ in range(TRIES[field] + 1):
        for record in queue_event(queues.client, source.url)["Records"]:
            queues.client.change_message_visibility(
                QueueUrl=source.url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
            )


def report(queues: Queues, body: object, **attributes: str) -> None:
    """A message of a CSMS."""
    given: dict[str, Any] = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    queues.client.send_message(QueueUrl=queues.csms_events, MessageBody=json.dumps(body), MessageAttributes=given)


@contextmanager
def nothing_can_be_sent(queues: Queues) -> Iterator[None]:
    """Meanwhile SQS takes no message."""

    def refuse(**_: object) -> None:
        raise OSError("no connection")

    queues.client.meta.events.register("before-call.sqs.SendMessage", refuse)
    yield
    queues.client.meta.events.unregister("before-call.sqs.SendMessage", refuse)


def entries(bridge: CommandLine, *options: str) -> list[dict[str, Any]]:
    done = bridge("dlq", "list", "--json", *options)
    assert done.exit_code == 0, done.stderr
    return [entry for queue in done.document for entry in queue["entries"]]


def shown(bridge: CommandLine) -> dict[str, Any]:
    """The only entry, in full."""
    [entry] = entries(bridge)
    document: dict[str, Any] = bridge("dlq", "show", entry["entry"], "--json").document
    return document


def request_of(world: World, request_id: str = "r1") -> Request:
    request = world.deliveries.request(request_id)
    assert request is not None
    return request


# --- Looking ---------------------------------------------------------------------------------------------------------


def test_without_dead_letters_the_queues_are_listed_as_empty(bridge: CommandLine) -> None:
    done = bridge("dlq", "list", "--json").document
    assert {one["queue"]: (one["letters"], one["not_read"], one["entries"]) for one in done} == {
        name: (0, 0, [])
        for name in (
            "charger-commands",
            "request-deadlines",
            "result-callbacks",
            "partner-updates",
            "csms-events",
            "relay-failures",
        )
    }
    assert "result-callbacks" in bridge("dlq", "list").stdout


def test_a_refused_result_says_why_how_often_and_whom_it_is_about(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox, clock: ManualClock
) -> None:
    refused(world, session, outbox)
    clock.advance(LATE.total_seconds())
    [entry] = entries(bridge)
    assert entry["age_seconds"] == pytest.approx(LATE.total_seconds(), abs=60)
    expected = {
        "queue": "result-callbacks",
        "error": "http_401",
        "reason": "the partner answered HTTP 401",
        "attempts": 3,
        "partner_id": "jedlix",
        "session_id": session.session_id,
        "request_id": "r1",
        "request_state": "UNDELIVERED",
        "host": "www.jedlix.com",
        "status": 401,
    }
    assert {name: entry[name] for name in expected} == expected
    people = bridge("dlq", "list").stdout
    assert entry["entry"][:8] in people
    assert "1 h" in people or "2 h" in people or "119 min" in people


@pytest.mark.parametrize(
    ("error", "reason", "status"),
    [
        ("ocpi_2001", "the partner answered with OCPI status 2001", 2001),
        ("timeout", "the partner's server did not answer in time", None),
        ("too_late", "the timeout that the partner was told was over before an attempt", None),
        ("oauth_http_401", "the partner's server gave no access token: http_401", 401),
        ("something_new", "it could not be delivered: something_new", None),
    ],
)
def test_the_last_error_of_a_delivery_is_told_in_words(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox, error: str, reason: str, status: int | None
) -> None:
    refused(world, session, outbox, error)
    [entry] = entries(bridge)
    assert (entry["reason"], entry["status"]) == (reason, status)


@pytest.mark.parametrize(
    ("field", "queue"),
    [
        ("charger_commands", "charger-commands"),
        ("request_deadlines", "request-deadlines"),
        ("result_callbacks", "result-callbacks"),
        ("partner_updates", "partner-updates"),
    ],
)
@pytest.mark.parametrize("died", [False, True])
def test_each_entry_says_why_how_often_which_partner_session_and_request(
    bridge: CommandLine,
    world: World,
    session: Session,
    outbox: SqsOutbox,
    queues: Queues,
    field: str,
    queue: str,
    died: bool,
) -> None:
    world.put_request(session)
    now = world.clock.now()
    messages: dict[str, Message] = {
        "charger_commands": CommandMessage("r1", 0, 0, "acme#CP-001"),
        "request_deadlines": DeadlineMessage("r1", now),
        "result_callbacks": ResultMessage("r1", "jedlix"),
        "partner_updates": PushMessage(session.session_id, "jedlix", "7"),
    }
    outbox.send([messages[field]])
    (die if died else fail)(queues, field)
    [entry] = entries(bridge)
    assert (entry["queue"], entry["partner_id"], entry["session_id"]) == (queue, "jedlix", session.session_id)
    assert entry["request_id"] == (None if field == "partner_updates" else "r1")
    assert entry["attempts"] == TRIES[field]
    assert entry["error"] == ("unknown" if died else "KeyError")
    assert entry["reason"] == ("unknown: the worker died or timed out" if died else "the worker failed: KeyError")


def test_what_the_relay_dropped_is_shown_with_lambdas_reason_and_cannot_be_put_back(
    bridge: CommandLine, queues: Queues
) -> None:
    record = {
        "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11},
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "DDBStreamBatchInfo": {"shardId": "shardId-1", "startSequenceNumber": "1", "batchSize": 2},
    }
    queues.client.send_message(QueueUrl=queues.relay_failures, MessageBody=json.dumps(record))
    entry = shown(bridge)
    assert (entry["queue"], entry["attempts"]) == ("relay-failures", 11)
    assert entry["reason"] == "the relay failed at a batch of changes: RetryAttemptsExhausted, Unhandled"
    assert entry["message"] == record
    refusal = bridge("dlq", "redrive", entry["entry"], "--yes")
    assert (refusal.exit_code, "sweep" in refusal.stderr) == (1, True)
    assert bridge("dlq", "discard", entry["entry"], "--yes").exit_code == 0
    assert entries(bridge) == []


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        (
            {"events": [{"station_id": "CP-001", "transaction_id": "778", "data": {"id_token": {"uid": CARD.uid}}}]},
            {"csms_id": "acme"},
        ),
        (
            {"stationId": "CP-001", "message": json.dumps([2, "1", "X", {"transactionId": 778, "idTag": CARD.uid}])},
            {"csms_id": "acme", "form": "frames", "received_at": "2026-01-15T17:00:00+00:00"},
        ),
        (
            {"cdr_token": {"uid": CARD.uid, "contract_id": CARD.contract_id}, "transaction_id": "778"},
            {"csms_id": "acme", "form": "sessions", "session_id": "S1", "change": "PUT", "station_id": "CP-001"},
        ),
        (
            {"detail": {"csms_id": "acme", "events": [{"stationId": "CP-001", "transactionId": "778", "x": CARD.uid}]}},
            {},
        ),
    ],
)
def test_what_a_csms_sent_is_shown_without_the_person_in_it(
    bridge: CommandLine, queues: Queues, body: object, attributes: dict[str, str]
) -> None:
    report(queues, body, **attributes)
    fail(queues, "csms_events", ValueError(CARD.uid))
    entry = shown(bridge)
    assert entry["reason"] == "the worker failed: ValueError"
    assert entry["about"] | {"form": ""} == {"csms": "acme", "form": "", "station": "CP-001", "transaction": "778"}
    assert entry["session_id"] == attributes.get("session_id")
    for form in (("list",), ("list", "--json"), ("show", entry["entry"]), ("show", entry["entry"], "--json")):
        output = bridge("dlq", *form).stdout
        assert CARD.uid not in output
        assert (CARD.contract_id or "") not in output


def test_nothing_shown_has_the_query_of_a_response_url(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox
) -> None:
    refused(world, session, outbox)
    entry = shown(bridge)
    for form in (("list", "--json"), ("show", entry["entry"]), ("show", entry["entry"], "--json")):
        assert "123456" not in bridge("dlq", *form).stdout
    assert entry["request"]["host"] == "www.jedlix.com"


def test_an_entry_is_shown_with_how_its_request_and_session_stand_and_what_a_redrive_does(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox, clock: ManualClock
) -> None:
    refused(world, session, outbox)
    told = clock.now()
    world.watches.save_watch(Watch(session.session_id, "jedlix", heard_at=told))
    entry = shown(bridge)
    assert (entry["request"]["state"], entry["request"]["result"]) == ("UNDELIVERED", "ACCEPTED")
    assert entry["session"]["status"] == "ACTIVE"
    assert entry["active_profile_told_at"] is not None
    assert entry["redrive"] == {"does": "the partner is told ACCEPTED", "useful": True, "asks": False}
    clock.advance(LATE.total_seconds())
    assert shown(bridge)["redrive"]["asks"] is True
    assert "the partner is told ACCEPTED" in bridge("dlq", "show", entry["entry"]).stdout


def test_the_beginning_of_an_id_is_enough_unless_several_begin_so(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox
) -> None:
    refused(world, session, outbox)
    refused(world, session, outbox, request_id="r2")
    first, _ = entries(bridge)
    assert bridge("dlq", "show", first["entry"][:8], "--json").document["entry"] == first["entry"]
    ambiguous = bridge("dlq", "show", "")
    assert (ambiguous.exit_code, "give more of the id" in ambiguous.stderr) == (1, True)
    assert bridge("dlq", "show", "no-such-entry").exit_code == 1


def test_a_queue_that_there_is_not_is_refused_with_those_that_there_are(bridge: CommandLine) -> None:
    done = bridge("dlq", "list", "--queue", "results")
    assert (done.exit_code, "result-callbacks" in done.stderr) == (1, True)
    assert bridge("dlq", "redrive").exit_code == 2


def test_what_was_not_read_is_told_and_the_exit_code_says_to_come_again(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox
) -> None:
    for number in range(3):
        refused(world, session, outbox, request_id=f"r{number}")
    [queue] = bridge("dlq", "list", "--queue", "result-callbacks", "--most", "2", "--json").document
    assert (queue["letters"], queue["not_read"], len(queue["entries"])) == (3, 1, 2)
    done = bridge("dlq", "discard", "--queue", "result-callbacks", "--most", "2", "--yes", "--json")
    assert (done.exit_code, len(done.document["discarded"]), done.document["not_read"]) == (3, 2, 1)
    assert len(entries(bridge)) == 1


# --- Results ---------------------------------------------------------------------------------------------------------


def test_a_result_whose_timeout_runs_is_delivered_again_without_asking(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox
) -> None:
    refused(world, session, outbox)
    [entry] = entries(bridge)
    done = bridge("dlq", "redrive", entry["entry"], "--json")
    assert (done.exit_code, done.document["redriven"]) == (0, [entry["entry"]])
    request = request_of(world)
    assert (request.state, request.delivery.attempts) == (RequestState.ANSWERED, 0)
    assert entries(bridge) == []


@pytest.fixture
def stale(world: World, session: Session, outbox: SqsOutbox, clock: ManualClock) -> None:
    """A refused result, two hours later."""
    refused(world, session, outbox)
    clock.advance(LATE.total_seconds())


@pytest.mark.usefixtures("stale")
@pytest.mark.parametrize("which", ["entry", "queue"])
def test_a_stale_result_is_refused_where_nobody_can_be_asked(bridge: CommandLine, world: World, which: str) -> None:
    [entry] = entries(bridge)
    arguments = [entry["entry"]] if which == "entry" else ["--queue", "result-callbacks"]
    done = bridge("dlq", "redrive", *arguments, stdin="y\n")
    assert (done.exit_code, "--yes" in done.stderr) == (1, True)
    assert request_of(world).state is RequestState.UNDELIVERED
    assert len(entries(bridge)) == 1


@pytest.mark.usefixtures("stale", "terminal")
@pytest.mark.parametrize(("answer", "delivered"), [("n\n", False), ("", False), ("y\n", True)])
def test_a_stale_result_asks_first_and_says_what_the_partner_is_told_and_how_late(
    bridge: CommandLine, world: World, session: Session, answer: str, delivered: bool
) -> None:
    [entry] = entries(bridge)
    done = bridge("dlq", "redrive", entry["entry"], stdin=answer)
    question = " ".join(done.stderr.split())
    assert f"Partner jedlix would be told ACCEPTED for its SET on session {session.session_id}." in question
    assert "min ago" in question or "h ago" in question
    assert "No push of the active profile has reached it since" in question
    assert (done.exit_code == 0) is delivered
    assert request_of(world).state is (RequestState.ANSWERED if delivered else RequestState.UNDELIVERED)
    assert len(entries(bridge)) == (0 if delivered else 1)


@pytest.mark.usefixtures("stale", "terminal")
def test_the_question_says_when_the_truth_was_told(
    bridge: CommandLine, world: World, session: Session, clock: ManualClock
) -> None:
    world.watches.save_watch(Watch(session.session_id, "jedlix", heard_at=clock.now()))
    [entry] = entries(bridge)
    question = " ".join(bridge("dlq", "redrive", entry["entry"], stdin="n\n").stderr.split())
    assert "The truth was told already: a push of the active profile, at " in question


@pytest.mark.usefixtures("stale")
def test_a_script_says_yes_itself(bridge: CommandLine, world: World, clock: ManualClock) -> None:
    [entry] = entries(bridge)
    assert bridge("dlq", "redrive", entry["entry"], "--yes").exit_code == 0
    request = request_of(world)
    assert request.delivery.until is not None
    assert timedelta(0) < request.delivery.until - clock.now() < TIMEOUT + timedelta(seconds=1)


def test_a_result_that_was_delivered_meanwhile_is_not_told_again(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox, queues: Queues
) -> None:
    world.put_request(session, state=RequestState.ANSWERED, attempts=1, result=Result.ACCEPTED, reason="Accepted")
    outbox.send([ResultMessage("r1", "jedlix")])
    die(queues, "result_callbacks")
    world.deliveries.delivered(request_of(world))
    entry = shown(bridge)
    assert entry["redrive"]["useful"] is False
    done = bridge("dlq", "redrive", entry["entry"], "--yes")
    assert (done.exit_code, "its result was delivered" in done.stderr) == (1, True)
    assert queues.take(queues.result_callbacks) == []
    left = bridge("dlq", "redrive", "--queue", "result-callbacks", "--json").document
    assert left["left"] == [entry["entry"]]
    assert len(entries(bridge)) == 1


def test_where_two_start_the_same_delivery_one_does(
    bridge: CommandLine, world: World, session: Session, outbox: SqsOutbox, deployment: Deployment
) -> None:
    refused(world, session, outbox)
    letters = deployment.dead_letters
    [entry] = entries(bridge)
    seen = letters.find(entry["entry"])
    assert list(letters.redrive([seen]).values()) == ["redriven"]
    assert list(letters.redrive([seen]).values()) == ["gone"]


# --- Everything else -------------------------------------------------------------------------------------------------


def test_a_message_is_put_back_as_it_was_and_only_then_removed(
    bridge: CommandLine, queues: Queues, world: World, session: Session, outbox: SqsOutbox
) -> None:
    outbox.send([PushMessage(session.session_id, "jedlix", "7")])
    fail(queues, "partner_updates")
    [entry] = entries(bridge)
    with nothing_can_be_sent(queues), pytest.raises(OSError, match="no connection"):
        bridge("dlq", "redrive", entry["entry"])
    assert [one["entry"] for one in entries(bridge)] == [entry["entry"]]
    assert bridge("dlq", "redrive", entry["entry"]).exit_code == 0
    [message] = queues.take(queues.partner_updates)
    assert json.loads(message["Body"]) == {"session_id": session.session_id, "partner_id": "jedlix"}
    assert "MessageAttributes" not in message
    assert entries(bridge) == []


def test_a_whole_queue_is_redriven_but_for_what_would_come_to_nothing(
    bridge: CommandLine, queues: Queues, world: World, session: Session, outbox: SqsOutbox, clock: ManualClock
) -> None:
    world.put_request(session)
    world.put_request(session, request_id="r2", state=RequestState.DELIVERED)
    outbox.send([CommandMessage(one, 0, 0, f"acme#{one}") for one in ("r1", "r2", "r3")])
    fail(queues, "charger_commands")
    done = bridge("dlq", "redrive", "--queue", "charger-commands", "--json")
    assert (done.exit_code, len(done.document["redriven"]), len(done.document["left"])) == (0, 1, 2)
    assert [json.loads(message["Body"])["request_id"] for message in queues.take(queues.charger_commands)] == ["r1"]
    assert {one["request_id"] for one in entries(bridge)} == {"r2", "r3"}


def test_a_command_past_its_deadline_is_not_sent_again(
    bridge: CommandLine, queues: Queues, world: World, session: Session, outbox: SqsOutbox, clock: ManualClock
) -> None:
    world.put_request(session)
    outbox.send([CommandMessage("r1", 0, 0, "acme#CP-001")])
    fail(queues, "charger_commands")
    clock.advance(TIMEOUT.total_seconds())
    assert bridge("dlq", "redrive", shown(bridge)["entry"]).exit_code == 1
    assert queues.take(queues.charger_commands) == []


def test_a_request_that_nobody_can_read_hides_no_other_entry(
    bridge: CommandLine, queues: Queues, world: World, session: Session, outbox: SqsOutbox, tables: AwsTables
) -> None:
    world.put_request(session)
    tables.put(tables.requests, to_item({**world.request_item(), "document": "{"}))
    outbox.send([CommandMessage("r1", 0, 0, "acme#CP-001")])
    fail(queues, "charger_commands")
    entry = shown(bridge)
    assert (entry["request_id"], entry["request"]) == ("r1", None)
    assert "cannot be read" in entry["redrive"]["does"]


@pytest.mark.parametrize(
    ("state", "does"),
    [
        (RequestState.SENT, "the request expires and is answered REJECTED"),
        (RequestState.EXPIRED, "the partner is told REJECTED"),
        (RequestState.UNDELIVERED, "nothing: the request is UNDELIVERED: its result was given up"),
    ],
)
def test_what_a_deadline_does_depends_on_its_request(
    bridge: CommandLine,
    queues: Queues,
    world: World,
    session: Session,
    outbox: SqsOutbox,
    state: RequestState,
    does: str,
) -> None:
    world.put_request(session, state=state, attempts=1, result=None if state is RequestState.SENT else Result.REJECTED)
    outbox.send([DeadlineMessage("r1", world.clock.now())])
    fail(queues, "request_deadlines")
    assert shown(bridge)["redrive"]["does"] == does


def test_a_report_is_taken_in_again(bridge: CommandLine, queues: Queues) -> None:
    report(queues, {"events": 5}, csms_id="acme")
    fail(queues, "csms_events")
    [entry] = entries(bridge)
    assert bridge("dlq", "redrive", "--queue", "csms-events", "--json").document["redriven"] == [entry["entry"]]
    [message] = queues.take(queues.csms_events)
    assert list(message["MessageAttributes"]) == ["csms_id"]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("answer", "left"), [("n\n", 1), ("y\n", 0)])
def test_deleting_asks_first(bridge: CommandLine, queues: Queues, answer: str, left: int) -> None:
    report(queues, {"events": 5}, csms_id="acme")
    fail(queues, "csms_events")
    [entry] = entries(bridge)
    bridge("dlq", "discard", entry["entry"], stdin=answer)
    assert len(entries(bridge)) == left


def test_nothing_is_deleted_where_nobody_can_be_asked(bridge: CommandLine, queues: Queues) -> None:
    report(queues, {"events": 5}, csms_id="acme")
    fail(queues, "csms_events")
    assert bridge("dlq", "discard", "--queue", "csms-events", stdin="y\n").exit_code == 1
    assert len(entries(bridge)) == 1
