"""The order of what was said, by clocks of different fineness."""

from datetime import UTC, datetime, timedelta

from tools.demo.sequence import Message
from tools.demo.storyline import BRIDGE, CSMS, PARTNER, in_order

ZERO = datetime(2026, 1, 15, 17, 5, tzinfo=UTC)


def at(microseconds: int, source: str, target: str, text: str, *, answer: bool = False) -> Message:
    return Message(ZERO + timedelta(microseconds=microseconds), source, target, text, answer)


def test_a_question_right_after_an_answer_comes_after_it() -> None:
    said = [
        at(100, PARTNER, BRIDGE, "GET page 1"),
        at(400, BRIDGE, PARTNER, "page 1", answer=True),
        at(405, PARTNER, BRIDGE, "GET page 2"),
        at(900, BRIDGE, PARTNER, "page 2", answer=True),
    ]

    assert in_order(reversed(said)) == said


def test_within_a_millisecond_of_the_charge_points_clock_what_causes_comes_first() -> None:
    command = at(700, BRIDGE, CSMS, "POST setChargingProfile")
    callback = at(950, CSMS, BRIDGE, "callback: HTTP 200")
    received = at(0, CSMS, "CP-1", "SetChargingProfile")
    answered = at(0, "CP-1", CSMS, "Accepted", answer=True)

    assert in_order([callback, command], [received, answered]) == [command, received, answered, callback]


def test_what_is_apart_by_more_follows_its_times() -> None:
    early, late = at(0, "CP-1", CSMS, "MeterValues"), at(5000, "CP-1", CSMS, "StopTransaction")
    between = at(2500, BRIDGE, PARTNER, "PATCH session, 0.6 kWh")

    assert in_order([between], [early, late]) == [early, between, late]
