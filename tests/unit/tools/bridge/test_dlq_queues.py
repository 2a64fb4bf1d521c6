"""Looking into a dead-letter queue: it is as before afterwards, and nobody waits for it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.queues import Queues
from tools.bridge.dlq_queues import DeadLetterBox, DeadLetterQueue


@pytest.fixture
def box(queues: Queues) -> DeadLetterBox:
    return DeadLetterBox(queues.client, wait_seconds=0)


def of(queues: Queues, url: str, name: str = "any") -> DeadLetterQueue:
    return DeadLetterQueue(name, queues.dead_letters(url), url)


def fill(queues: Queues, queue: DeadLetterQueue, count: int, group: str = "g") -> None:
    for number in range(count):
        fifo = {"MessageGroupId": group, "MessageDeduplicationId": f"{group}{number}"} if queue.fifo else {}
        queues.client.send_message(QueueUrl=queue.url, MessageBody=json.dumps({"number": number}), **fifo)  # type: ignore[arg-type]


@contextmanager
def refused(queues: Queues, call: str) -> Iterator[None]:
    """Meanwhile SQS refuses a call."""

    def refuse(**_: Any) -> None:  # noqa: ANN401 - whatever botocore hands over
        raise OSError("no connection")

    queues.client.meta.events.register(f"before-call.sqs.{call}", refuse)
    yield
    queues.client.meta.events.unregister(f"before-call.sqs.{call}", refuse)


@pytest.mark.parametrize("fifo", [False, True])
def test_what_was_looked_at_lies_there_again_at_once(queues: Queues, box: DeadLetterBox, fifo: bool) -> None:
    queue = of(queues, queues.partner_updates if fifo else queues.csms_events)
    fill(queues, queue, 3)
    for _ in range(2):
        assert len(box.look(queue, 100).letters) == 3
    assert len(queues.take(queue.url)) == 3


def test_it_lies_there_again_where_the_look_was_cut_off(queues: Queues, box: DeadLetterBox) -> None:
    queue = of(queues, queues.csms_events)
    fill(queues, queue, 1)
    with pytest.raises(KeyboardInterrupt), box.held(queue, 100):
        raise KeyboardInterrupt
    assert len(queues.take(queue.url)) == 1


def test_more_than_one_batch_is_read_and_no_more_than_was_asked_for(queues: Queues, box: DeadLetterBox) -> None:
    queue = of(queues, queues.csms_events)
    fill(queues, queue, 25)
    looked = box.look(queue, 100)
    assert (len(looked.letters), looked.depth, looked.unread) == (25, 25, 0)
    looked = box.look(queue, 12)
    assert (len(looked.letters), looked.depth, looked.unread) == (12, 25, 13)


def test_groups_of_a_fifo_queue_do_not_hide_each_other_and_it_is_told_what_was_not_read(
    queues: Queues, box: DeadLetterBox
) -> None:
    queue = of(queues, queues.charger_commands)
    for group in ("a", "b"):
        fill(queues, queue, 12, group)
    looked = box.look(queue, 100)
    assert {letter.group_id for letter in looked.letters} == {"a", "b"}
    assert len(looked.letters) + looked.unread == looked.depth == 24


def test_only_what_was_removed_is_gone(queues: Queues, box: DeadLetterBox) -> None:
    queue = of(queues, queues.charger_commands)
    fill(queues, queue, 3)
    with box.held(queue, 100) as looked:
        box.remove(queue, looked.letters[0])
    assert [json.loads(letter.body)["number"] for letter in box.look(queue, 100).letters] == [1, 2]


def test_what_is_put_back_is_as_it_was_sent_and_lies_here_until_it_is_removed(
    queues: Queues, box: DeadLetterBox
) -> None:
    queue = of(queues, queues.csms_events)
    attributes: dict[str, Any] = {
        name: {"DataType": "String", "StringValue": value} for name, value in (("csms_id", "acme"), ("failure", "{}"))
    }
    queues.client.send_message(QueueUrl=queue.url, MessageBody="{}", MessageAttributes=attributes)
    with box.held(queue, 100) as looked:
        box.put_back(queue, looked.letters[0])
    [sent] = queues.take(queues.csms_events)
    assert sent["Body"] == "{}"
    assert {name: value["StringValue"] for name, value in sent["MessageAttributes"].items()} == {"csms_id": "acme"}
    assert len(box.look(queue, 100).letters) == 1


def test_what_is_put_back_into_a_fifo_queue_keeps_its_group_and_is_never_taken_for_a_repetition(
    queues: Queues, box: DeadLetterBox
) -> None:
    queue = of(queues, queues.charger_commands)
    fill(queues, queue, 1, "station")
    for _ in range(2):
        with box.held(queue, 100) as looked:
            box.put_back(queue, looked.letters[0])
    sent = queues.take(queues.charger_commands)
    assert [message["Attributes"]["MessageGroupId"] for message in sent] == ["station", "station"]


def test_the_queue_says_how_often_it_hands_a_message_out(queues: Queues, box: DeadLetterBox) -> None:
    assert box.tries(of(queues, queues.csms_events)) == 5
    assert box.tries(DeadLetterQueue("relay-failures", queues.relay_failures)) is None


def test_a_failure_that_nobody_of_ours_wrote_is_none(queues: Queues, box: DeadLetterBox) -> None:
    queue = of(queues, queues.csms_events)
    for text in ("no JSON", "{}", "[]", '{"error": "x", "where": "", "attempts": "many", "message_id": "", "at": ""}'):
        attributes: dict[str, Any] = {"failure": {"DataType": "String", "StringValue": text}}
        queues.client.send_message(QueueUrl=queue.url, MessageBody="{}", MessageAttributes=attributes)
    assert [letter.failure for letter in box.look(queue, 100).letters] == [None] * 4


def test_where_sqs_does_not_answer_nothing_is_hidden(queues: Queues, box: DeadLetterBox) -> None:
    queue = of(queues, queues.csms_events)
    fill(queues, queue, 1)
    with refused(queues, "GetQueueAttributes"), pytest.raises(OSError, match="no connection"):
        box.look(queue, 100)
    assert len(queues.take(queue.url)) == 1
