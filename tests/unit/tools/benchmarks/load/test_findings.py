"""What a run of load has found: when it stops, what held it back, what counts as lost. Seeded numbers, no stack."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.tools.benchmarks.load.seeded import ACCEPTED, IDLE, START, evidence, step
from tools.benchmarks.load.findings import Findings, Processors, QueueFinding, Spread, has_risen, judged, limits_of
from tools.prove.evidence import Evidence
from tools.prove.partner_faults import Attempt


def failures(found: Evidence, untold: tuple[str, ...] = ()) -> list[str]:
    return [row.name for row in judged(found, untold).failures()]


def test_a_run_in_which_each_request_has_one_result_has_lost_nothing() -> None:
    assert failures(evidence()) == []


def test_an_accepted_request_without_a_result_is_lost() -> None:
    found = evidence()
    url = found.sent[1].response_url

    assert failures(replace(found, attempts={**found.attempts, url: []}))


def test_a_result_that_came_twice_is_one_too_many() -> None:
    found = evidence()
    url = found.sent[0].response_url
    twice = [*found.attempts[url], Attempt(START + timedelta(seconds=3), ACCEPTED, None)]

    assert failures(replace(found, attempts={**found.attempts, url: twice})) == ["results posted more than once"]


def test_a_result_that_was_given_up_is_lost_where_nothing_failed_on_purpose() -> None:
    assert failures(replace(evidence(), dead={"R7": ["too_late"]})) == ["results that were given up"]


def test_a_reading_that_the_partner_never_heard_of_is_lost() -> None:
    assert failures(evidence(), ("session",)) == ["sessions of whose last reading the partner was not told"]


def test_a_step_keeps_up_while_only_the_last_of_it_is_under_way() -> None:
    assert step(done=0.9).keeps_up
    assert not step(done=0.7).keeps_up


def test_a_step_that_tells_readings_late_does_not_keep_up() -> None:
    assert not replace(step(), updates_done=10).keeps_up


def test_throughput_has_risen_when_clearly_more_was_done() -> None:
    assert has_risen(None, step())
    assert has_risen(step(done=0.5), step(done=1.0))
    assert not has_risen(step(done=1.0), step(done=1.05))


def test_nothing_is_named_where_every_step_kept_up() -> None:
    findings = Findings((step(), step(16)), judged(evidence()))

    assert findings.limited is None
    assert findings.limits == []
    assert findings.telling.sessions == 16


def test_the_first_step_that_did_not_keep_up_is_looked_at() -> None:
    busy = replace(step(16, done=0.5), processors=replace(IDLE, emulator=0.97))
    findings = Findings((step(), busy, step(32, done=0.5)), judged(evidence()))

    assert findings.telling.sessions == 16
    assert [limit.what for limit in findings.limits] == [
        "the embedded AWS: it is one process, and that has no more of a core to use"
    ]


@pytest.mark.parametrize(
    ("processors", "named"),
    [
        (replace(IDLE, emulator=0.95), "the embedded AWS: it is one process"),
        (replace(IDLE, load=0.95), "the load itself"),
        (replace(IDLE, machine=1.95), "the machine"),
    ],
)
def test_who_used_up_a_core_is_named_with_the_numbers(processors: Processors, named: str) -> None:
    (limit,) = limits_of(replace(step(), processors=processors))

    assert limit.what.startswith(named)
    assert f"{processors.machine if named == 'the machine' else 0.95:.2f}" in limit.evidence


def test_a_fifo_queue_whose_messages_wait_behind_one_is_named() -> None:
    waiting = QueueFinding("charger-commands.fifo", deepest=9, oldest=4.0, in_flight=1, serial=0.8)

    (limit,) = limits_of(replace(step(), queues=(waiting,)))

    assert "one message at a time" in limit.what
    assert "80%" in limit.evidence
    assert "9 of them" in limit.evidence


def test_a_standard_queue_hands_out_many_at_once_so_it_is_not_blamed_for_one() -> None:
    waiting = QueueFinding("result-callbacks", deepest=9, oldest=4.0, in_flight=1, serial=0.8)

    assert list(limits_of(replace(step(), queues=(waiting,)))) == []


def test_commands_that_are_late_and_in_no_queue_were_in_a_stream() -> None:
    late = replace(step(), to_command=Spread(10, 3.0, 8.0), to_result=Spread(10, 4.0, 9.0))

    (limit,) = limits_of(late)

    assert "streams" in limit.what
    assert "after 8.0 s" in limit.evidence


def test_commands_that_waited_in_their_queue_say_nothing_of_a_stream() -> None:
    waited = QueueFinding("charger-commands.fifo", deepest=3, oldest=7.0, in_flight=3)
    late = replace(step(), to_command=Spread(10, 3.0, 8.0), to_result=Spread(10, 4.0, 9.0), queues=(waited,))

    assert list(limits_of(late)) == []


def test_what_others_use_of_the_machine_is_told_apart() -> None:
    crowded = replace(IDLE, machine=2.0)

    (limit,) = limits_of(replace(step(), processors=crowded))

    assert "others 1.50" in limit.evidence
