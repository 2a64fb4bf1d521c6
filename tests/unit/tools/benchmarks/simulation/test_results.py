"""Results while a partner is away, simulated: delivered within the timeout, or given up at it, each exactly once."""

from dataclasses import replace

from tools.benchmarks.simulation.assumptions import Service
from tools.benchmarks.simulation.pushes import Outage
from tools.benchmarks.simulation.results import Delivered, ResultSimulation

TIMEOUT = 90.0
AWAY = Outage(begin=0.0, seconds=600.0)


def run(rate: float = 1.0, workers: int = 100, outage: Outage = AWAY) -> Delivered:
    return ResultSimulation(rate, workers, TIMEOUT, outage, Service()).run()


def test_the_same_assumptions_give_the_same_numbers() -> None:
    assert run() == run()


def test_each_result_is_delivered_or_given_up_and_none_is_both() -> None:
    seen = run()

    assert seen.delivered + seen.given_up == seen.owed
    assert seen.given_up > 0


def test_without_an_outage_every_result_is_delivered_at_once() -> None:
    seen = run(outage=replace(AWAY, seconds=0.0))

    assert (seen.given_up, seen.delivered) == (0, seen.owed)
    assert seen.longest_wait < 1


def test_only_what_was_owed_within_a_timeout_of_the_return_is_spared() -> None:
    seen = run()

    assert seen.owed_meanwhile == 600
    assert 0 < seen.spared < TIMEOUT
    # What was answered just before the partner went may be caught by it too.
    assert seen.given_up >= seen.owed_meanwhile - seen.spared


def test_an_outage_shorter_than_the_timeout_costs_nothing() -> None:
    seen = run(outage=replace(AWAY, seconds=40.0))

    assert seen.given_up == 0


def test_too_few_workers_keep_results_waiting_and_no_longer_than_their_timeout() -> None:
    few = run(rate=4.0, workers=4)

    assert few.longest_wait > 30
    assert few.longest_wait < TIMEOUT + 10
    assert few.delivered + few.given_up == few.owed


def test_results_that_no_worker_had_time_for_are_given_up_untried_and_counted() -> None:
    flood = run(rate=20.0, workers=2)

    assert flood.untried > 0
    assert flood.longest_wait < TIMEOUT + 10
    assert flood.delivered + flood.given_up == flood.owed


def test_a_partner_that_refuses_at_once_holds_no_worker() -> None:
    assert run(rate=2.0, workers=4).longest_wait > 30
    assert run(rate=2.0, workers=4, outage=replace(AWAY, silent=False)).longest_wait < 2
