"""A small `make prove`: everything fails at once, and every accepted request still ends once, in time, with one result."""

import pytest

from tools.local_stack import LocalStack
from tools.prove.chaos import BRIEF, SMALL, Chaos
from tools.prove.verdict import FAULTS, KILLED, UNTRIED, judge


def test_nothing_is_lost_while_partner_csms_tables_and_queues_fail(stack: LocalStack) -> None:
    verdict = judge(Chaos(stack, BRIEF, seed=1).run())

    # So few requests do not meet every kind of fault, and other tests keep the machine busy.
    failures = verdict.failures(besides=(FAULTS, KILLED, UNTRIED))
    assert [(row.name, row.count, row.examples) for row in failures] == []
    assert sum(row.count for row in verdict.section(FAULTS).rows) > 10


@pytest.mark.prove
def test_nothing_is_lost_while_everything_fails_and_workers_die(stack: LocalStack) -> None:
    verdict = judge(Chaos(stack, SMALL, seed=1).run())

    assert [(row.name, row.count, row.examples) for row in verdict.failures()] == []
