"""The arithmetic of growth: known values of Erlang's formula, bounds that follow what they are made of, and their order."""

import math
from dataclasses import replace

import pytest

from ocpi_bridge.adapters.dynamodb.session_items import DUE_SHARDS, FEED_SHARDS
from tools.benchmarks.simulation.assumptions import PRODUCTION, Demand, Shards, took
from tools.benchmarks.simulation.bounds import (
    SHORT_WAIT,
    Bound,
    Paper,
    bounds,
    busy,
    ends_per_minute,
    mean_wait,
    silenced,
    workers_needed,
)
from tools.bridge.cost_budgets import BUDGETS, Happening, Mode

PAPER = Paper()


def bound(paper: Paper, beginning: str) -> Bound:
    (found,) = (one for one in bounds(paper) if one.what.startswith(beginning))
    return found


def test_one_worker_that_is_half_busy_lets_a_message_wait_as_long_as_it_takes() -> None:
    assert mean_wait(1, rate=0.5, seconds=1.0) == pytest.approx(1.0)


def test_two_workers_wait_as_the_formula_says() -> None:
    # M/M/2 with a load of 1: a third of the messages wait.
    assert mean_wait(2, rate=1.0, seconds=1.0) == pytest.approx(1 / 3)


def test_workers_that_cannot_keep_up_are_waited_for_without_end() -> None:
    assert mean_wait(2, rate=2.0, seconds=1.0) == math.inf


def test_so_many_workers_are_needed_that_one_less_would_let_messages_wait() -> None:
    needed = workers_needed(rate=100.0, seconds=0.2)

    assert mean_wait(needed, 100.0, 0.2) <= SHORT_WAIT < mean_wait(needed - 1, 100.0, 0.2)


def test_bounds_come_in_the_order_in_which_growing_sessions_reach_them() -> None:
    found = [one.sessions for one in bounds(PAPER)]

    assert found == sorted(found)
    assert len({one.what for one in bounds(PAPER)}) == len(found)


def test_a_setting_of_the_stage_moves_its_bound_and_no_other() -> None:
    more = replace(PAPER, settings=replace(PRODUCTION, worker_concurrency=2 * PRODUCTION.worker_concurrency))
    moved = {
        before.what: after.sessions / before.sessions
        for before, after in zip(
            sorted(bounds(PAPER), key=lambda one: one.what), sorted(bounds(more), key=lambda one: one.what), strict=True
        )
        if before.sessions != after.sessions
    }

    assert set(moved) == {
        "workers that push",
        "workers that take events in",
        "workers that send commands",
        "workers that deliver results",
    }
    assert all(ratio == pytest.approx(2, rel=1e-3) for ratio in moved.values())


def test_the_shards_of_the_code_are_those_that_are_reckoned_with() -> None:
    assert Shards() == Shards(feed=FEED_SHARDS, due=DUE_SHARDS)
    half = replace(PAPER, shards=Shards(feed=FEED_SHARDS // 2, due=DUE_SHARDS // 2))

    for name in ("the index feed of one partner", "the index due, written by pushes"):
        assert bound(half, name).sessions == pytest.approx(bound(PAPER, name).sessions / 2, rel=1e-3)


def test_more_events_in_a_call_raise_what_counts_calls_and_not_what_counts_events() -> None:
    packed = replace(PAPER, demand=replace(Demand(), events_per_post=10))

    assert bound(packed, "calls of one CSMS").sessions == 10 * bound(PAPER, "calls of one CSMS").sessions
    assert bound(packed, "workers that take events in") == bound(PAPER, "workers that take events in")


def test_a_push_waits_for_its_interval_and_half_of_what_lies_between_two_readings() -> None:
    assert Demand(reading_every=60, push_interval=300).push_every == 330
    # A reading that comes seldom is pushed at once; nothing is pushed more often than it is read.
    assert Demand(reading_every=900, push_interval=300).pushes == 1 / 900


def test_a_run_takes_longer_with_less_memory_and_by_what_it_waits_for() -> None:
    whole = took("deliver_results", 4, 1769)

    assert took("deliver_results", 4, 1769, others=0.15) > whole + 0.15
    # Its CPU time doubles, what its calls wait does not.
    assert whole < took("deliver_results", 4, 1769 // 2) < 2 * whole


def test_what_is_busy_grows_with_the_sessions() -> None:
    assert busy(PAPER, 20_000) == pytest.approx(2 * busy(PAPER, 10_000))


def test_a_sweep_tells_whole_pages_of_ends_and_begins_none_after_its_time() -> None:
    # 500 in 6.25 s: three pages begin within 15 s.
    assert ends_per_minute(replace(PAPER, service=replace(PAPER.service, end_told=0.0125))) == 1_500
    assert ends_per_minute(replace(PAPER, service=replace(PAPER.service, end_told=0.1))) == 500


def test_sessions_of_a_partner_that_falls_silent_that_take_all_workers_at_first() -> None:
    # 50 workers, 8 s a call and 35 ms, a push in 330 s: 50 / 8.035 * 330.
    assert silenced(replace(PAPER, service=replace(PAPER.service, held=0.035))) == 2053


def test_the_units_are_those_that_the_budgets_count() -> None:
    units = PAPER.units
    held = BUDGETS[Happening.HELD_UPDATE, Mode.CALLBACK]
    pushed = BUDGETS[Happening.PUSHED_UPDATE, Mode.CALLBACK]
    mark, csms = 1, 1

    assert held.write_units == mark + units.reading_writes + units.feed_writes + units.held_writes
    assert held.read_units == csms + units.reading_reads + units.registry_reads
    # It came to the index `due` when it was held.
    came = 1
    due = units.due_writes - came
    assert pushed.write_units == mark + units.reading_writes + units.feed_writes + units.push_writes + due
