"""The door for queue messages: failures one by one, the order of a FIFO queue kept, delays asked of the queue."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ocpi_bridge.adapters.csms.events import parse_events
from ocpi_bridge.adapters.sqs.dead_letters import FAILURE, failure_of, kind_of
from ocpi_bridge.runtime.queue_door import LONGEST_DELAY, Handler, QueueMessage, Work, queue_worker
from tests.support.lambda_events import failed, queue_event
from tests.support.queues import Queues

SECRET = "04AABBCCDDEE"
Lines = Callable[[], list[dict[str, Any]]]


class Worker:
    """Remembers what it was given; `on` says what becomes of a message by its number."""

    def __init__(self, on: dict[int, float | Exception | None] | None = None) -> None:
        self.on = on or {}
        self.seen: list[QueueMessage] = []

    def __call__(self, message: QueueMessage) -> float | None:
        self.seen.append(message)
        outcome = self.on.get(message.body["number"])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    @property
    def numbers(self) -> list[int]:
        return [message.body["number"] for message in self.seen]


def put(queues: Queues, url: str, *numbers: int, group: str = "g") -> None:
    for number in numbers:
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": str(number)} if url.endswith(".fifo") else {}
        queues.client.send_message(QueueUrl=url, MessageBody=json.dumps({"number": number}), **fifo)  # type: ignore[arg-type]


def handler(work: Work, queues: Queues) -> Handler:
    sources = [queues.source(field) for field in ("charger_commands", "result_callbacks", "csms_events")]
    return queue_worker(work, lambda: queues.client, *sources)


@contextmanager
def visibility_changes(queues: Queues) -> Iterator[list[tuple[str, int]]]:
    """The queues and seconds for which messages are hidden meanwhile."""
    changes: list[tuple[str, int]] = []

    def remember(params: dict[str, Any], **_: object) -> None:
        changes.append((params["QueueUrl"], params["VisibilityTimeout"]))

    event = "provide-client-params.sqs.ChangeMessageVisibility"
    queues.client.meta.events.register(event, remember)
    yield changes
    queues.client.meta.events.unregister(event, remember)


def test_messages_that_are_done_are_done(queues: Queues) -> None:
    put(queues, queues.result_callbacks, 1, 2, 3)
    worker = Worker()
    answer = handler(worker, queues)(queue_event(queues.client, queues.result_callbacks), None)
    assert (failed(answer), sorted(worker.numbers)) == ([], [1, 2, 3])


def test_a_message_brings_its_text_and_its_attributes(queues: Queues) -> None:
    body = '{ "number": 1 }'
    attributes = {"csms_id": {"DataType": "String", "StringValue": "acme"}}
    queues.client.send_message(
        QueueUrl=queues.csms_events,
        MessageBody=body,
        MessageAttributes=attributes,  # type: ignore[arg-type]
    )
    worker = Worker()
    handler(worker, queues)(queue_event(queues.client, queues.csms_events), None)
    assert worker.seen == [QueueMessage(body, {"csms_id": "acme"})]


def test_a_failure_fails_its_own_message_only(queues: Queues, log: Lines) -> None:
    put(queues, queues.result_callbacks, 1, 2, 3)
    event = queue_event(queues.client, queues.result_callbacks)
    worker = Worker({2: RuntimeError("a defect")})
    wrong = next(record["messageId"] for record in event["Records"] if json.loads(record["body"])["number"] == 2)
    assert failed(handler(worker, queues)(event, None)) == [wrong]
    assert sorted(worker.numbers) == [1, 2, 3]
    [line] = [line for line in log() if line["level"] == "ERROR"]
    assert (line["message"], line["queue"], line["message_id"]) == ("queue.failed", "result-callbacks", wrong)


@pytest.mark.parametrize("outcome", [RuntimeError("a defect"), 5.0])
def test_on_a_fifo_queue_all_later_messages_of_the_batch_wait_behind_it(
    queues: Queues, outcome: float | Exception
) -> None:
    put(queues, queues.charger_commands, 1, 2, 3)
    event = queue_event(queues.client, queues.charger_commands)
    worker = Worker({2: outcome})
    answer = handler(worker, queues)(event, None)
    assert failed(answer) == [record["messageId"] for record in event["Records"][1:]]
    assert worker.numbers == [1, 2]


def test_on_a_standard_queue_a_message_that_waits_holds_nobody_up(queues: Queues) -> None:
    put(queues, queues.result_callbacks, 1, 2)
    event = queue_event(queues.client, queues.result_callbacks)
    worker = Worker({1: 5.0})
    assert len(failed(handler(worker, queues)(event, None))) == 1
    assert sorted(worker.numbers) == [1, 2]


@pytest.mark.parametrize(
    ("wait", "seconds"), [(1, 1), (7.4, 7), (7.6, 8), (0.2, 0), (0, 0), (-3, 0), (1e9, LONGEST_DELAY)]
)
def test_a_message_that_is_to_come_back_is_hidden_until_then(queues: Queues, wait: float, seconds: int) -> None:
    put(queues, queues.charger_commands, 1)
    event = queue_event(queues.client, queues.charger_commands)
    with visibility_changes(queues) as changes:
        answer = handler(Worker({1: wait}), queues)(event, None)
    assert changes == [(queues.charger_commands, seconds)]
    assert failed(answer) == [event["Records"][0]["messageId"]]


@pytest.mark.parametrize(("receipts", "seconds"), [(1, 2), (2, 4), (5, 10)])
def test_a_failed_message_of_a_hurried_queue_comes_back_within_seconds(
    queues: Queues, receipts: int, seconds: int
) -> None:
    """A result whose deliverer met a failure of DynamoDB ten seconds before the timeout is of no use 72 s later."""
    put(queues, queues.result_callbacks, 1)
    event = queue_event(queues.client, queues.result_callbacks)
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(receipts)
    worker = queue_worker(
        Worker({1: RuntimeError("a defect")}),
        lambda: queues.client,
        replace(queues.source("result_callbacks"), hurried=True),
    )
    with visibility_changes(queues) as changes:
        answer = worker(event, None)
    assert changes == [(queues.result_callbacks, seconds)]
    assert failed(answer) == [event["Records"][0]["messageId"]]


def test_a_failed_message_of_any_other_queue_comes_back_when_the_queue_says_so(queues: Queues) -> None:
    put(queues, queues.result_callbacks, 1)
    event = queue_event(queues.client, queues.result_callbacks)
    with visibility_changes(queues) as changes:
        handler(Worker({1: RuntimeError("a defect")}), queues)(event, None)
    assert changes == []


def test_a_hurried_message_whose_queue_cannot_be_asked_fails_alone(queues: Queues, log: Lines) -> None:
    put(queues, queues.result_callbacks, 1)
    event = queue_event(queues.client, queues.result_callbacks)
    event["Records"][0]["receiptHandle"] = "not one of ours"
    hurried = replace(queues.source("result_callbacks"), hurried=True)
    answer = queue_worker(Worker({1: RuntimeError("a defect")}), lambda: queues.client, hurried)(event, None)
    assert failed(answer) == [event["Records"][0]["messageId"]]
    assert [line["message"] for line in log()] == ["queue.failed", "queue.not_hurried"]


def test_a_message_that_comes_back_at_once_is_given_again(queues: Queues) -> None:
    put(queues, queues.charger_commands, 1)
    handler(Worker({1: 0}), queues)(queue_event(queues.client, queues.charger_commands), None)
    assert len(queue_event(queues.client, queues.charger_commands)["Records"]) == 1


def test_a_worker_of_several_queues_asks_the_one_that_the_message_came_from(queues: Queues) -> None:
    put(queues, queues.result_callbacks, 1)
    with visibility_changes(queues) as changes:
        handler(Worker({1: 3}), queues)(queue_event(queues.client, queues.result_callbacks), None)
    assert changes == [(queues.result_callbacks, 3)]


def test_a_delay_that_the_queue_refuses_leaves_the_queues_own(queues: Queues, log: Lines) -> None:
    put(queues, queues.charger_commands, 1)
    event = queue_event(queues.client, queues.charger_commands)
    event["Records"][0]["receiptHandle"] = "not one of ours"
    assert failed(handler(Worker({1: 3}), queues)(event, None)) == [event["Records"][0]["messageId"]]
    assert [line["message"] for line in log()] == ["queue.failed"]


def test_where_no_queue_can_be_asked_a_message_that_waits_fails(queues: Queues) -> None:
    put(queues, queues.partner_updates, 1)
    event = queue_event(queues.client, queues.partner_updates)
    with visibility_changes(queues) as changes:
        assert len(failed(handler(Worker({1: 3}), queues)(event, None))) == 1
    assert changes == []


# --- The last receipt ------------------------------------------------------------------------------------------------


def last_receipt(queues: Queues, url: str, tries: int) -> dict[str, Any]:
    """The event of what the queue has, as it is handed out for the last time."""
    event = queue_event(queues.client, url)
    for record in event["Records"]:
        record["attributes"]["ApproximateReceiveCount"] = str(tries)
    return event


@contextmanager
def nothing_can_be_put(queues: Queues) -> Iterator[None]:
    """Meanwhile SQS takes no message."""

    def refuse(**_: object) -> None:
        raise OSError("no connection")

    queues.client.meta.events.register("before-call.sqs.SendMessage", refuse)
    yield
    queues.client.meta.events.unregister("before-call.sqs.SendMessage", refuse)


def misread(message: QueueMessage) -> float | None:
    """A worker of ours that fails at what a message says, in the code of the bridge."""
    parse_events("acme", message.text.encode())
    return None


def test_a_message_that_fails_for_the_last_time_is_put_aside_with_the_reason_and_is_done(
    queues: Queues, log: Lines
) -> None:
    body = json.dumps({"events": [{"id": "1", "data": {"id_token": SECRET}}]})
    attributes = {"csms_id": {"DataType": "String", "StringValue": "acme"}}
    queues.client.send_message(QueueUrl=queues.csms_events, MessageBody=body, MessageAttributes=attributes)  # type: ignore[arg-type]
    event = last_receipt(queues, queues.csms_events, 5)
    assert failed(handler(misread, queues)(event, None)) == []
    [letter] = queues.take(queues.dead_letters(queues.csms_events))
    assert letter["Body"] == body
    assert letter["MessageAttributes"]["csms_id"]["StringValue"] == "acme"
    failure = failure_of(letter["MessageAttributes"][FAILURE]["StringValue"])
    assert (failure.error, failure.attempts) == ("InvalidInput", 5)
    assert failure.where.startswith("ocpi_bridge.")
    [line] = [line for line in log() if line["message"] == "queue.given_up"]
    assert line["message_id"] == failure.message_id == event["Records"][0]["messageId"]
    assert (line["queue"], line["error"], line["attempts"]) == ("csms-events", "InvalidInput", 5)


def test_the_reason_repeats_nothing_of_what_an_error_says(queues: Queues) -> None:
    put(queues, queues.result_callbacks, 1)
    handler(Worker({1: ValueError(SECRET)}), queues)(last_receipt(queues, queues.result_callbacks, 20), None)
    [letter] = queues.take(queues.failed_deliveries)
    assert SECRET not in json.dumps(letter)
    assert failure_of(letter["MessageAttributes"][FAILURE]["StringValue"]).error == "ValueError"


def test_before_the_last_receipt_a_message_just_comes_back(queues: Queues) -> None:
    put(queues, queues.result_callbacks, 1)
    event = last_receipt(queues, queues.result_callbacks, 19)
    assert len(failed(handler(Worker({1: RuntimeError()}), queues)(event, None))) == 1
    assert queues.take(queues.failed_deliveries) == []


def test_a_message_that_asks_to_come_back_for_the_last_time_is_put_aside_too(queues: Queues) -> None:
    put(queues, queues.charger_commands, 1)
    event = last_receipt(queues, queues.charger_commands, 20)
    with visibility_changes(queues) as changes:
        assert failed(handler(Worker({1: 5.0}), queues)(event, None)) == []
    [letter] = queues.take(queues.dead_letters(queues.charger_commands))
    assert failure_of(letter["MessageAttributes"][FAILURE]["StringValue"]).error == "not_done"
    assert changes == []


def test_a_message_that_cannot_be_put_aside_is_not_done_so_that_it_is_not_lost(queues: Queues, log: Lines) -> None:
    put(queues, queues.result_callbacks, 1)
    event = last_receipt(queues, queues.result_callbacks, 20)
    with nothing_can_be_put(queues):
        answer = handler(Worker({1: RuntimeError()}), queues)(event, None)
    assert failed(answer) == [event["Records"][0]["messageId"]]
    assert [line["message"] for line in log()] == ["queue.failed", "queue.not_given_up"]


def test_on_a_fifo_queue_what_was_put_aside_holds_nobody_up_and_keeps_its_group(queues: Queues) -> None:
    put(queues, queues.charger_commands, 1, 2, group="station")
    event = last_receipt(queues, queues.charger_commands, 20)
    worker = Worker({1: RuntimeError()})
    assert failed(handler(worker, queues)(event, None)) == []
    assert worker.numbers == [1, 2]
    # Its worker died before it could say that it was done: the same message, once more.
    handler(worker, queues)({"Records": event["Records"][:1]}, None)
    [letter] = queues.take(queues.dead_letters(queues.charger_commands))
    assert letter["Attributes"]["MessageGroupId"] == "station"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (KeyError(SECRET), "KeyError"),
        (ExceptionGroup("several", [KeyError("a"), ValueError("b"), KeyError("c")]), "KeyError, ValueError"),
        (
            ClientError({"Error": {"Code": "AccessDeniedException", "Message": SECRET}}, "PutItem"),
            "AccessDeniedException (PutItem)",
        ),
    ],
)
def test_an_error_is_told_by_its_kind(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


@pytest.mark.parametrize("body", ["", "no JSON", "{", '{"other": 1}'])
def test_a_message_that_no_worker_can_read_fails_alone_until_it_is_put_aside(queues: Queues, body: str) -> None:
    put(queues, queues.result_callbacks, 1)
    event = queue_event(queues.client, queues.result_callbacks)
    poison = {**event["Records"][0], "body": body, "messageId": "poison"}
    worker = Worker()
    answer = handler(worker, queues)({"Records": [poison, *event["Records"]]}, None)
    assert failed(answer) == ["poison"]
    assert worker.seen[-1].body == {"number": 1}


@pytest.mark.parametrize("missing", ["body", "messageAttributes", "attributes"])
def test_a_record_that_lacks_a_part_fails_alone(queues: Queues, missing: str) -> None:
    put(queues, queues.result_callbacks, 1)
    [whole] = queue_event(queues.client, queues.result_callbacks)["Records"]
    torn = {**whole, "messageId": "torn"}
    del torn[missing]
    worker = Worker({1: ValueError("refused")})
    answer = handler(worker, queues)({"Records": [torn, whole]}, None)
    assert failed(answer) == ["torn", whole["messageId"]]


@pytest.mark.parametrize("attributes", [None, {}, {"ApproximateReceiveCount": "often"}])
def test_a_record_that_does_not_tell_its_receipts_fails_alone(
    queues: Queues, attributes: dict[str, str] | None
) -> None:
    put(queues, queues.result_callbacks, 1, 2)
    first, second = queue_event(queues.client, queues.result_callbacks)["Records"]
    odd = {**first, "attributes": attributes, "messageId": "odd"}
    worker = Worker({json.loads(first["body"])["number"]: ValueError("refused")})
    answer = handler(worker, queues)({"Records": [odd, second]}, None)
    assert failed(answer) == ["odd"]
    assert len(worker.seen) == 2


def test_an_empty_batch_is_done(queues: Queues) -> None:
    assert handler(Worker(), queues)({"Records": []}, None) == {"batchItemFailures": []}
