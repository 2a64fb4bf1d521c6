"""A small `make prove`: everything fails at once, and every accepted request still ends once, in time, with one result.

It takes minutes, so `make test` leaves it out: `pytest -m prove tests/e2e/test_chaos.py`.
"""

import pytest

from tools.local_stack import LocalStack
from tools.prove.chaos import SMALL, Chaos
from tools.prove.verdict import judge


@pytest.mark.prove
def test_nothing_is_lost_while_everything_fails(stack: LocalStack) -> None:
    verdict = judge(Chaos(stack, SMALL, seed=1).run())

    assert [(row.name, row.count, row.examples) for row in verdict.failures()] == []
