"""When a result is tried again: quickly, inside the announced timeout, or not at all."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi_bridge.domain.delivery import JITTER, next_attempt
from tests.support.clocks import START

TIMEOUT_AT = START + timedelta(seconds=60)


def never() -> float:
    return 0.0


def nearly_one() -> float:
    return 0.999_999


def wait(attempts: int, now: datetime = START, retry_after: int | None = None) -> float | None:
    due = next_attempt(attempts, now, TIMEOUT_AT, retry_after, never)
    return None if due is None else (due - now).total_seconds()


def test_attempts_come_at_0_1_3_7_and_15_seconds() -> None:
    moments = [START]
    for attempts in range(1, 5):
        due = next_attempt(attempts, moments[-1], TIMEOUT_AT, None, never)
        assert due is not None
        moments.append(due)
    assert [(moment - START).total_seconds() for moment in moments] == [0, 1, 3, 7, 15]


def test_the_last_gap_repeats() -> None:
    assert [wait(attempts) for attempts in (4, 5, 6, 50)] == [8, 8, 8, 8]


def test_a_retry_is_spread_a_little_but_never_comes_sooner() -> None:
    due = next_attempt(4, START, TIMEOUT_AT, None, nearly_one)
    assert due is not None
    assert 8 < (due - START).total_seconds() <= 8 * (1 + JITTER)


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 1), (0, 1), (1, 1), (20, 20), (59, 59)])
def test_what_the_partner_asked_for_is_respected(retry_after: int | None, seconds: float) -> None:
    assert wait(1, retry_after=retry_after) == seconds


@pytest.mark.parametrize("retry_after", [60, 3600])
def test_a_wait_beyond_the_timeout_is_too_late(retry_after: int) -> None:
    assert wait(1, retry_after=retry_after) is None


@pytest.mark.parametrize(("left", "tried"), [(1.999, False), (2.0, True), (0, False), (-5, False)])
def test_nothing_is_tried_again_in_the_last_second_before_the_timeout_or_after_it(left: float, tried: bool) -> None:
    now = TIMEOUT_AT - timedelta(seconds=left)
    assert (next_attempt(1, now, TIMEOUT_AT, None, never) is not None) is tried


@given(st.integers(1, 20), st.floats(-10, 70), st.none() | st.integers(0, 100), st.floats(0, 0.999))
def test_a_retry_is_always_in_the_future_and_inside_the_timeout(
    attempts: int, elapsed: float, retry_after: int | None, random: float
) -> None:
    now = START + timedelta(seconds=elapsed)
    due = next_attempt(attempts, now, TIMEOUT_AT, retry_after, lambda: random)
    assert due is None or now + timedelta(seconds=1) <= due < TIMEOUT_AT


def test_gaps_never_shrink() -> None:
    gaps = [wait(attempts) or 0 for attempts in range(1, 10)]
    assert all(later >= earlier for earlier, later in pairwise(gaps))
