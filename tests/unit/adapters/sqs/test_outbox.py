"""The outbox on SQS: groups and de-duplication keep the order, delays wait, and what was not taken is told."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from ocpi_bridge.adapters.sqs.messages import deduplication_id
from ocpi_bridge.adapters.sqs.outbox import NotTaken, SqsOutbox
from ocpi_bridge.ports.messages import (
    CommandMessage,
    DeadlineMessage,
    FailedDelivery,
    Message,
    PushMessage,
    ResultMessage,
)
from tests.support.clocks import ManualClock
from tests.support.queues import Queues, aws_queues

COMMAND = CommandMessage("r1", 0, 0, "acme#CP-001")
PUSH = PushMessage("s1", "jedlix", "7")
RESULT = ResultMessage("r1", "jedlix")
FAILED = FailedDelivery("r1", "jedlix", "s1", "SET", "ACCEPTED", 3, "http_404", "www.jedlix.com")


@pytest.fixture(scope="module")
def _moto() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def queues(_moto: None) -> Iterator[Queues]:
    with aws_queues() as queues:
        yield queues


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def outbox(queues: Queues, clock: ManualClock) -> SqsOutbox:
    return SqsOutbox(queues.client, queues.urls, clock)


def bodies(queues: Queues, url: str) -> list[dict[str, Any]]:
    return [json.loads(message["Body"]) for message in queues.take(url)]


def entries(queues: Queues) -> list[dict[str, Any]]:
    """What every batch that is sent from now on asks of SQS, entry by entry."""
    sent: list[dict[str, Any]] = []

    def remember(params: dict[str, Any], **_: object) -> None:
        sent.extend(params["Entries"])

    queues.client.meta.events.register("provide-client-params.sqs.SendMessageBatch", remember)
    return sent


def commands(count: int, station: str = "CP-001") -> list[Message]:
    return [CommandMessage(f"r{number}", 0, 0, f"acme#{station}") for number in range(count)]


# --- Where messages go -----------------------------------------------------------------------------------------------


def test_each_message_goes_to_its_queue_with_ids_and_no_contents(
    queues: Queues, outbox: SqsOutbox, clock: ManualClock
) -> None:
    deadline = clock.now()
    outbox.send([COMMAND, PUSH, RESULT, DeadlineMessage("r1", deadline), FAILED])
    assert bodies(queues, queues.charger_commands) == [{"request_id": "r1", "step": 0}]
    assert bodies(queues, queues.partner_updates) == [{"session_id": "s1", "partner_id": "jedlix"}]
    assert bodies(queues, queues.result_callbacks) == [{"request_id": "r1", "partner_id": "jedlix"}]
    assert bodies(queues, queues.request_deadlines) == [{"request_id": "r1", "deadline": deadline.isoformat()}]
    assert bodies(queues, queues.failed_deliveries) == [
        {
            "request_id": "r1",
            "partner_id": "jedlix",
            "session_id": "s1",
            "kind": "SET",
            "result": "ACCEPTED",
            "attempts": 3,
            "error": "http_404",
            "host": "www.jedlix.com",
        }
    ]


def test_nothing_to_send_is_no_call(queues: Queues, outbox: SqsOutbox) -> None:
    sent = entries(queues)
    outbox.send([])
    assert sent == []


# --- Order -----------------------------------------------------------------------------------------------------------


def groups(queues: Queues, url: str) -> list[str]:
    return [message["Attributes"]["MessageGroupId"] for message in queues.take(url)]


def test_commands_of_a_station_are_a_group_and_those_of_another_are_another(queues: Queues, outbox: SqsOutbox) -> None:
    outbox.send(
        [COMMAND, replace(COMMAND, request_id="r2"), replace(COMMAND, request_id="r3", station_key="acme#CP-002")]
    )
    received = groups(queues, queues.charger_commands)
    assert (len(received), len(set(received))) == (3, 2)


def test_pushes_of_a_session_to_a_partner_are_a_group(queues: Queues, outbox: SqsOutbox) -> None:
    pushes = [PUSH, replace(PUSH, version="8"), replace(PUSH, partner_id="other"), replace(PUSH, session_id="s2")]
    outbox.send(pushes)
    assert len(set(groups(queues, queues.partner_updates))) == 3


def test_results_are_grouped_by_partner_so_that_the_queue_is_fair(queues: Queues, outbox: SqsOutbox) -> None:
    sent = entries(queues)
    outbox.send([RESULT, replace(RESULT, request_id="r2"), replace(RESULT, partner_id="other")])
    one, same, other = (entry["MessageGroupId"] for entry in sent)
    assert one == same != other


@pytest.mark.parametrize("name", ["acme#CP 001/\N{SNOWMAN}", "x" * 500, ""])
def test_a_group_may_have_any_name(queues: Queues, outbox: SqsOutbox, name: str) -> None:
    outbox.send([replace(COMMAND, station_key=name)])
    assert len(bodies(queues, queues.charger_commands)) == 1


def test_more_messages_than_a_call_takes_are_sent_in_their_order(queues: Queues, outbox: SqsOutbox) -> None:
    outbox.send(commands(25))
    received = [body["request_id"] for body in bodies(queues, queues.charger_commands)]
    assert received == [f"r{number}" for number in range(25)]


# --- Repetitions -----------------------------------------------------------------------------------------------------


def test_a_repetition_on_a_fifo_queue_is_dropped(queues: Queues, outbox: SqsOutbox) -> None:
    for _ in range(2):
        outbox.send([COMMAND, PUSH])
    assert (len(bodies(queues, queues.charger_commands)), len(bodies(queues, queues.partner_updates))) == (1, 1)


@pytest.mark.parametrize(
    "other",
    [
        replace(COMMAND, step=1),
        replace(COMMAND, attempts=1),
        replace(COMMAND, request_id="r2"),
    ],
)
def test_another_turn_of_a_request_is_no_repetition(queues: Queues, outbox: SqsOutbox, other: CommandMessage) -> None:
    outbox.send([COMMAND])
    outbox.send([other])
    assert len(bodies(queues, queues.charger_commands)) == 2


def test_each_version_of_a_session_is_told(queues: Queues, outbox: SqsOutbox) -> None:
    outbox.send([PUSH])
    outbox.send([replace(PUSH, version="8")])
    assert len(bodies(queues, queues.partner_updates)) == 2


def test_what_must_not_be_dropped_is_marked_and_once_more_is_a_repetition_of_that(
    queues: Queues, outbox: SqsOutbox
) -> None:
    outbox.send([COMMAND])
    for mark in ("sweep-1", "sweep-1", "sweep-2"):
        outbox.send([COMMAND], again=mark)
    assert len(bodies(queues, queues.charger_commands)) == 3


def test_de_duplication_ids_stay_apart_and_within_what_sqs_takes_for_the_longest_names() -> None:
    longest = PushMessage("s" * 36, "p" * 36, "sweep-20260115T1701")
    marks = [deduplication_id(longest, f"sweep-20260115T17{minute:02d}") for minute in range(60)]
    assert len(set(marks)) == 60
    assert all(len(mark) <= 128 for mark in marks)


# --- Delays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "delay"), [(50, 50), (49.6, 50), (50.4, 50), (0, 0), (-30, 0), (899.6, 900), (86_400, 900)]
)
def test_a_deadline_waits_in_the_queue_until_it_is_due(
    queues: Queues, outbox: SqsOutbox, clock: ManualClock, seconds: float, delay: int
) -> None:
    sent = entries(queues)
    outbox.send([DeadlineMessage("r1", clock.now() + timedelta(seconds=seconds))])
    assert sent[0]["DelaySeconds"] == delay


def test_a_deadline_is_not_there_before_its_time(queues: Queues, outbox: SqsOutbox, clock: ManualClock) -> None:
    outbox.send([DeadlineMessage("r1", clock.now() + timedelta(seconds=50))])
    assert bodies(queues, queues.request_deadlines) == []


# --- What was not taken ----------------------------------------------------------------------------------------------


def test_messages_that_a_queue_did_not_take_are_told_and_the_others_were_sent(
    queues: Queues, outbox: SqsOutbox
) -> None:
    def fail_some(parsed: dict[str, Any], **_: object) -> None:
        parsed["Failed"] = [{"Id": "0", "Code": "InternalError", "SenderFault": False}]

    event = "after-call.sqs.SendMessageBatch"
    queues.client.meta.events.register(event, fail_some)
    with pytest.raises(NotTaken, match="3 messages were not taken: InternalError"):
        outbox.send([*commands(12), RESULT])
    queues.client.meta.events.unregister(event, fail_some)
    assert len(bodies(queues, queues.charger_commands)) == 12


def test_a_queue_that_is_not_there_is_an_error(outbox: SqsOutbox, queues: Queues) -> None:
    astray = replace(outbox, queues=replace(queues.urls, result_callbacks=f"{queues.result_callbacks}-gone"))
    with pytest.raises(queues.client.exceptions.QueueDoesNotExist):
        astray.send([RESULT])
