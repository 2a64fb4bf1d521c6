"""A small `make load`: two steps, after which every accepted request has had one result and every reading was told.

It takes a minute or two, so `make test` leaves it out: `pytest -m prove tests/e2e/test_load.py`.
"""

import pytest

from tools.benchmarks.load.run import SMALL, LoadRun
from tools.local_stack import LocalStack


@pytest.mark.prove
def test_nothing_is_lost_under_load_and_what_was_done_is_measured(stack: LocalStack) -> None:
    findings = LoadRun(stack, SMALL).run()

    assert [(row.name, row.count, row.examples) for row in findings.verdict.failures()] == []
    step = findings.steps[0]
    assert step.requests_offered > 0
    assert step.to_result is not None
    assert step.to_push is not None
    assert step.processors.emulator > 0
    assert {queue.name for queue in step.queues} >= {"charger-commands.fifo", "result-callbacks"}
