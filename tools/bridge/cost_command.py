"""`bridge cost`: what a stage costs at list prices, by component, and what each lever would save."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

import typer

from tools.bridge import files
from tools.bridge.cost_budgets import BUDGETS, Happening, Mode
from tools.bridge.cost_model import LEVERS, Circumstances, Component, Costs, Workload, cost, month, savings, total
from tools.bridge.cost_prices import AS_OF, MILLION, REGION
from tools.bridge.output import Output

app = typer.Typer()

CENT = Decimal("0.01")
_COUNTED = ("DynamoDB requests", "write units", "read units", "SQS requests", "runs")


@app.command("cost")
def cost_command(
    sessions_per_day: Annotated[int, typer.Option(min=0, metavar="N", help="Sessions that begin in a day.")] = 1000,
    updates_per_session: Annotated[int, typer.Option(min=0, metavar="N", help="Meter events of one session.")] = 480,
    cycles_per_session: Annotated[
        float, typer.Option(min=0, metavar="N", help="Charging profiles that are set in one session.")
    ] = 4,
    session_hours: Annotated[float, typer.Option(min=0.1, metavar="N", help="How long a session lasts.")] = 8,
    push_interval: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="Meter events are pushed at most so often.")
    ] = 300,
    csms: Annotated[Mode, typer.Option(help="How the CSMS answers commands.")] = Mode.CALLBACK,
    memory: Annotated[int, typer.Option(min=128, max=10_240, metavar="MB", help="Memory of every function.")] = 512,
    log_kb: Annotated[
        float | None, typer.Option(min=0, metavar="KB", help="Logs of one cycle; as measured if left out.")
    ] = None,
    edge: Annotated[
        bool, typer.Option(help="The edge stack with its web ACLs is deployed; --no-edge: it is not.")
    ] = True,
    trace_workers: Annotated[
        bool, typer.Option(help="X-Ray samples workers too; --no-trace-workers: it does not.")
    ] = True,
    provisioned: Annotated[
        bool, typer.Option("--provisioned", help="Tables are provisioned, at a steady load (provisioned_sessions).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document to stdout, for scripts.")] = False,
) -> None:
    """Reckon what a stage costs at list prices: a million of each thing, a month, and what each lever saves.

    It asks nobody: what each happening calls is counted by the tests, durations are measured, and prices are a dated table
    without free tiers (docs/scale-and-cost.md).
    """
    work = Workload(
        sessions_per_day,
        updates_per_session,
        Decimal(str(cycles_per_session)),
        Decimal(str(session_hours)),
        push_interval,
        edge,
    )
    logs = None if log_kb is None else Decimal(str(log_kb))
    given = Circumstances(csms, memory, logs, trace_workers=trace_workers, provisioned=provisioned)
    _show(Output(as_json=as_json), work, given)


def _show(output: Output, work: Workload, given: Circumstances) -> None:
    each: dict[Happening, Costs] = {what: cost(what, given) for what in Happening if what is not Happening.SWEPT_END}
    monthly, saved = month(work, given), savings(work, given)
    document: files.Json = {
        "region": REGION,
        "prices_of": AS_OF,
        "per_million": {what.name.lower(): _usd(costs, MILLION) for what, costs in each.items()},
        "budgets": {what.name.lower(): _budget(what, given.mode) for what in each},
        "month": _usd(monthly),
        "savings": {lever: float(_cents(usd)) for lever, usd in saved.items()},
    }
    shown = (
        ("PUT cycle", Happening.PUT),
        ("meter event with its PATCH", Happening.PUSHED_UPDATE),
        ("held back", Happening.HELD_UPDATE),
    )
    output.tables(
        [document],
        (["USD for a million", *(name for name, _ in shown)], list(_by_component([each[what] for _, what in shown]))),
        (["calls of one", *_COUNTED], [[what, *map(str, _counted(what, given.mode))] for what in each]),
        ([f"a month ({REGION}, {AS_OF})", "USD", "lever"], list(_by_month(monthly))),
        (["what a lever saves", "USD a month"], [[lever, f"{_cents(usd)}"] for lever, usd in saved.items()]),
    )


def _by_component(columns: list[Costs]) -> Iterator[list[str]]:
    for component in Component:
        usd = [costs.get(component, Decimal(0)) * MILLION for costs in columns]
        if any(usd):
            yield [component, *(f"{_cents(one)}" for one in usd)]
    yield ["together", *(f"{_cents(total(costs) * MILLION)}" for costs in columns)]


def _by_month(costs: Costs) -> Iterator[list[str]]:
    yield from ([component, f"{_cents(usd)}", LEVERS[component]] for component, usd in costs.items() if usd)
    yield ["together", f"{_cents(total(costs))}", ""]


def _counted(what: Happening, mode: Mode) -> tuple[Decimal | int, ...]:
    budget = BUDGETS[what, mode]
    return budget.dynamodb, budget.write_units, budget.read_units, budget.sqs, sum(budget.runs.values())


def _budget(what: Happening, mode: Mode) -> files.Json:
    return {name.replace(" ", "_"): float(number) for name, number in zip(_COUNTED, _counted(what, mode), strict=True)}


def _usd(costs: Mapping[Component, Decimal], times: int = 1) -> files.Json:
    by_name: dict[str, files.Json] = {one.name.lower(): float(_cents(usd * times)) for one, usd in costs.items()}
    return by_name | {"together": float(_cents(sum(costs.values(), Decimal(0)) * times))}


def _cents(usd: Decimal) -> Decimal:
    return usd.quantize(CENT)
