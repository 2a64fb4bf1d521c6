"""Pushes while a partner is away, simulated: what comes is told, one at a time for a session, and a backlog drains."""

from dataclasses import replace

import pytest

from ocpi_bridge.usecases.partner_line import PUSH_BUDGET, SILENT_FOR
from tools.benchmarks.simulation.assumptions import Demand, Service
from tools.benchmarks.simulation.pushes import Outage, Pushed, PushSimulation, Site

DEMAND, SERVICE = Demand(), Service()
SITE = Site(sessions=200, workers=2, sweep_page=100)
AWAY = Outage(begin=600.0, seconds=300.0)


def run(site: Site = SITE, outage: Outage = AWAY, *, after: float = 1800.0) -> Pushed:
    return PushSimulation(site, outage, DEMAND, SERVICE, after=after).run()


def test_the_same_assumptions_give_the_same_numbers() -> None:
    assert run() == run()


def test_without_an_outage_nothing_is_in_vain_and_each_session_is_told_in_its_interval() -> None:
    never = Outage(begin=7_200.0, seconds=0.0)
    seen = PushSimulation(SITE, never, DEMAND, SERVICE, after=0.0).run()

    assert seen.calls_in_vain == 0
    # A sweep wakes at once what became due in its minute.
    assert seen.longest_wait < 5
    # It wakes those that are due and nobody else.
    assert seen.most_waiting < SITE.sessions / 5
    per_session = seen.calls / SITE.sessions
    assert 7_200 / 390 < per_session < 7_200 / 300


def test_a_partner_that_answers_nothing_makes_the_pushes_wait_for_one_call_and_gets_all_of_it_later() -> None:
    seen = run()

    assert seen.held_back > seen.calls_in_vain > 0
    assert PUSH_BUDGET < seen.longest_wait < 2 * PUSH_BUDGET
    assert seen.drained is not None


def test_a_partner_that_refuses_at_once_holds_nobody_up() -> None:
    silent, refusing = run(), run(outage=replace(AWAY, silent=False))

    assert refusing.longest_wait < silent.longest_wait / 2
    assert refusing.held_back == 0
    assert refusing.most_waiting < silent.most_waiting


def test_a_partner_that_is_back_knows_everything_only_when_each_session_was_tried_again() -> None:
    refusing = run(outage=replace(AWAY, silent=False))

    # The queue is empty at once; whoever failed waits for the next reading or sweep.
    assert refusing.drained is not None
    assert 30 < refusing.drained < 120


def test_one_session_is_never_at_two_workers() -> None:
    often = replace(DEMAND, reading_every=1.0)
    seen = PushSimulation(replace(SITE, sessions=1), AWAY, often, SERVICE, after=60.0).run()

    assert seen.calls_in_vain <= AWAY.seconds / 8 + 1


def test_after_the_first_calls_one_at_a_time_finds_out_how_a_silent_partner_is() -> None:
    seen = run(replace(SITE, workers=5))

    each = SILENT_FOR.total_seconds() + PUSH_BUDGET
    assert AWAY.seconds / each - 1 < seen.calls_in_vain <= 5 + AWAY.seconds / each


def test_more_workers_are_through_with_the_backlog_sooner() -> None:
    refusing = replace(AWAY, silent=False)
    few, many = run(Site(850, 2, 100), refusing), run(Site(850, 4, 100), refusing)

    assert few.drained is not None
    assert many.drained is not None
    assert many.drained < few.drained


def test_workers_that_only_just_keep_up_are_never_through_with_a_backlog() -> None:
    busy = Site(sessions=850, workers=1, sweep_page=100)

    assert run(busy, replace(AWAY, silent=False), after=600.0).drained is None


@pytest.mark.parametrize("divisor", [2, 4])
def test_a_site_divided_by_a_number_waits_as_long_as_the_whole(divisor: int) -> None:
    whole = Site(sessions=1_600, workers=16, sweep_page=400)
    part = Site(whole.sessions // divisor, whole.workers // divisor, whole.sweep_page // divisor)

    assert run(part).longest_wait == pytest.approx(run(whole).longest_wait, rel=0.1)
