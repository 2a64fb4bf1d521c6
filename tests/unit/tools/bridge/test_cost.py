"""What a stage costs: counted budgets times list prices, by component, and what each lever saves."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.command_line import Done
from tools.bridge import cost_prices as prices
from tools.bridge.cli import app
from tools.bridge.cost_budgets import BUDGETS, Happening, Mode
from tools.bridge.cost_durations import seconds
from tools.bridge.cost_model import REFERENCE, Circumstances, Component, Workload, cost, month, savings, total
from tools.bridge.cost_prices import MILLION

PAGE = Path(__file__).resolve().parents[4] / "docs" / "scale-and-cost.md"
SYNC, CALLBACK = replace(REFERENCE, mode=Mode.SYNC), replace(REFERENCE, mode=Mode.CALLBACK)
LARGE_SYNC, LARGE_CALLBACK = (replace(given, provisioned=True, trace_workers=False) for given in (SYNC, CALLBACK))
WORK = Workload(1000, 480, Decimal(4))
USUAL = Circumstances()


def bridge(*arguments: str) -> Done:
    given = CliRunner().invoke(app, ["cost", *arguments], catch_exceptions=False)
    return Done(given.exit_code, given.stdout, given.stderr)


def per_million(what: Happening, given: Circumstances) -> Decimal:
    return (total(cost(what, given)) * MILLION).quantize(Decimal("0.01"))


# --- One happening ---------------------------------------------------------------------------------------------------


def test_a_component_is_its_counted_calls_times_their_price() -> None:
    parts, budget = cost(Happening.PUT, SYNC), BUDGETS[Happening.PUT, Mode.SYNC]
    assert parts[Component.WRITES] == budget.write_units * prices.WRITE_UNIT.usd / MILLION
    assert parts[Component.QUEUES] == (budget.standard * Decimal("0.40") + budget.fifo * Decimal("0.50")) / MILLION
    assert parts[Component.API] == Decimal("3.50") / MILLION


@pytest.mark.parametrize(
    ("what", "given", "row"),
    [
        (Happening.PUT, SYNC, "PUT cycle, synchronous CSMS"),
        (Happening.PUT, CALLBACK, "PUT cycle, callback"),
        (Happening.PUSHED_UPDATE, CALLBACK, "meter event with its PATCH"),
        (Happening.HELD_UPDATE, CALLBACK, "meter event, held back"),
        (Happening.PUT, LARGE_SYNC, "large fleet: PUT cycle, synchronous CSMS"),
        (Happening.PUT, LARGE_CALLBACK, "large fleet: PUT cycle, callback"),
        (Happening.PUSHED_UPDATE, LARGE_CALLBACK, "large fleet: meter event with its PATCH"),
        (Happening.HELD_UPDATE, LARGE_CALLBACK, "large fleet: meter event, held back"),
    ],
)
def test_what_a_million_cost_is_written_as_it_is_reckoned(what: Happening, given: Circumstances, row: str) -> None:
    parts = cost(what, given)
    reckoned = [(parts[one] * MILLION).quantize(Decimal("0.01")) for one in parts]
    assert written(row, columns=len(parts) + 1) == [*reckoned, per_million(what, given)]


@pytest.mark.parametrize(("what", "mode"), BUDGETS, ids=lambda one: one.name)
def test_what_is_counted_is_written_as_the_table_has_it(what: Happening, mode: Mode) -> None:
    budget, alike = BUDGETS[what, mode], BUDGETS[what, Mode.SYNC] == BUDGETS[what, Mode.CALLBACK]
    counted = (budget.dynamodb, budget.write_units, budget.read_units, budget.sqs)
    runs = sum(budget.runs.values())
    assert written(what if alike else f"{what}, {mode}", columns=6) == [*counted, runs, budget.api]


def written(row: str, columns: int) -> list[Decimal]:
    """The numbers of a row of the page's table with so many columns."""
    lines = re.findall(rf"^\| {re.escape(row)} \|(.*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    [cells] = [cells for cells in (line.split("|") for line in lines) if len(cells) == columns]
    return [Decimal(cell.strip()) for cell in cells]


def test_what_is_provisioned_costs_its_hours_and_is_used_as_far_as_auto_scaling_lets_it_be() -> None:
    parts, budget = cost(Happening.PUT, LARGE_SYNC), BUDGETS[Happening.PUT, Mode.SYNC]
    used = Decimal("0.70")
    assert parts[Component.WRITES] == pytest.approx(budget.write_units * Decimal("0.000735") / 3600 / used)
    assert parts[Component.READS] == pytest.approx(budget.read_units * Decimal("0.000147") / 3600 / used)


def test_less_memory_makes_what_is_computed_slower_and_what_is_waited_for_not() -> None:
    def taken(memory_mb: int) -> Decimal:
        budget = BUDGETS[Happening.PUT, Mode.SYNC]
        return seconds(Happening.PUT, budget, memory_mb, csms_s=Decimal("0.3"), partner_s=Decimal("0.15"))

    assert taken(1769) == taken(3538)
    waited = Decimal("0.45") + Decimal("0.065")
    assert (taken(256) - waited) / (taken(1769) - waited) == pytest.approx(Decimal(1769) / 256)


def test_a_slow_charge_point_costs_the_time_that_the_sender_waits() -> None:
    slow = cost(Happening.PUT, replace(SYNC, csms_s=Decimal("10.3")))
    assert slow[Component.COMPUTE] - cost(Happening.PUT, SYNC)[Component.COMPUTE] == pytest.approx(
        10 * prices.LAMBDA_COMPUTE.usd / MILLION / 4
    )


# --- A month ---------------------------------------------------------------------------------------------------------


def test_an_idle_month_costs_what_is_deployed_and_the_sweep() -> None:
    idle = month(replace(WORK, sessions_per_day=0), USUAL)
    assert idle[Component.WATCHING] == Decimal("37.30")
    assert idle[Component.EDGE] == Decimal("29.00")
    assert {idle[one] for one in (Component.API, Component.WRITES, Component.QUEUES)} == {Decimal(0)}
    assert 0 < idle[Component.RUNS] < Decimal("0.01")


def test_twice_as_many_sessions_cost_twice_as_much_but_for_what_is_fixed() -> None:
    none, once, twice = (month(replace(WORK, sessions_per_day=number), USUAL) for number in (0, 1000, 2000))
    for component in Component:
        if component is not Component.TRACES:
            assert twice[component] - none[component] == 2 * (once[component] - none[component])


def test_where_little_happens_every_run_is_traced_and_where_much_does_one_in_twenty() -> None:
    little, much = replace(WORK, sessions_per_day=1), replace(WORK, sessions_per_day=MILLION)
    one_traced = month(little, replace(USUAL, traced=Decimal(0)))[Component.RUNS] / prices.LAMBDA_REQUEST.usd
    assert month(little, USUAL)[Component.TRACES] == one_traced * prices.TRACE.usd
    runs = month(much, USUAL)[Component.RUNS] / prices.LAMBDA_REQUEST.usd
    assert month(much, USUAL)[Component.TRACES] < runs * prices.TRACE.usd * Decimal("0.06")


def test_each_meter_event_is_held_back_pushed_or_closes_a_period() -> None:
    happens = WORK.happenings()
    events = sum(happens[one] for one in (Happening.HELD_UPDATE, Happening.PUSHED_UPDATE, Happening.PERIOD))
    assert events == happens[Happening.START] * 480
    assert happens[Happening.PUSHED_UPDATE] + happens[Happening.PERIOD] == happens[Happening.START] * 96


def test_every_lever_saves_something_and_none_saves_all() -> None:
    saved = savings(WORK, USUAL)
    assert all(0 < usd < total(month(WORK, USUAL)) for usd in saved.values())


# --- The command -----------------------------------------------------------------------------------------------------


def test_the_command_needs_no_deployment_and_shows_components_a_month_and_levers() -> None:
    shown = bridge().stdout
    assert "DynamoDB writes" in shown
    assert "what a lever saves" in shown


def test_scripts_get_the_same_as_one_document() -> None:
    document = bridge("--csms", "sync", "--memory", "256", "--log-kb", "3", "--json").document
    [told] = document
    assert told["per_million"]["put"]["together"] == float(per_million(Happening.PUT, SYNC))
    assert told["budgets"]["put"]["DynamoDB_requests"] == BUDGETS[Happening.PUT, Mode.SYNC].dynamodb
    assert told["month"]["together"] == pytest.approx(
        sum(v for k, v in told["month"].items() if k != "together"), abs=0.1
    )


def test_more_sessions_cost_more() -> None:
    def together(*arguments: str) -> float:
        [told] = bridge(*arguments, "--json").document
        return float(told["month"]["together"])

    assert together("--sessions-per-day", "10") < together("--sessions-per-day", "10000")


@pytest.mark.parametrize("wrong", [("--memory", "64"), ("--sessions-per-day", "-1"), ("--csms", "fax")])
def test_what_cannot_be_is_refused_as_wrong_usage(wrong: tuple[str, str]) -> None:
    assert bridge(*wrong).exit_code == 2
