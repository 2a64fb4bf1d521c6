"""What a look at the messages of a queue says, and what all looks say together."""

from tools.benchmarks.load.watch import QueueLook, look_at, queue_finding
from tools.counterparts.json_types import JsonObject

NOW = 1_000.0


def message(*, sent: int, visible: bool, receipts: int) -> JsonObject:
    return {"SentTimestamp": sent, "IsVisible": visible, "ReceiveCount": receipts}


def test_a_look_tells_waiting_from_in_flight_from_delayed() -> None:
    messages = [
        message(sent=990, visible=True, receipts=0),
        message(sent=995, visible=True, receipts=2),
        message(sent=980, visible=False, receipts=1),
        message(sent=900, visible=False, receipts=0),
    ]

    assert look_at(messages, NOW) == QueueLook(waiting=2, oldest=10.0, in_flight=1)


def test_an_empty_queue_has_nothing_old() -> None:
    assert look_at([], NOW) == QueueLook()


def test_the_looks_together_have_the_deepest_the_oldest_and_the_share_that_was_served_one_by_one() -> None:
    looks = [QueueLook(), QueueLook(3, 2.0, 1), QueueLook(5, 4.0, 1), QueueLook(4, 1.0, 2)]

    finding = queue_finding("charger-commands.fifo", looks)

    assert (finding.deepest, finding.oldest, finding.in_flight) == (5, 4.0, 2)
    assert finding.serial == 0.5


def test_a_queue_that_nobody_looked_at_says_nothing() -> None:
    assert queue_finding("csms-events", []).deepest == 0
