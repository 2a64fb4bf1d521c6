"""The dashboard of the engine room: queues, functions, streams, tables and APIs."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.dashboards.widgets import COLUMNS, HEIGHT, Limit, graph, heading
from infra.constructs.function import BridgeFunction
from infra.constructs.metrics import FIVE_MINUTES, of_function, of_queue, of_table
from infra.constructs.queues import Queues
from infra.constructs.rest_api import BridgeApi
from infra.constructs.tables import Tables
from infra.stages import StageSettings

DEPTH: Final = "ApproximateNumberOfMessagesVisible"
AGE: Final = "ApproximateAgeOfOldestMessage"

# Read from the lines that Lambda writes anyway, when somebody looks: as a metric each function's would be billed.
COLD_STARTS: Final = (
    'filter @type = "REPORT"',
    "stats count(@initDuration) as cold_starts, count(*) as runs, pct(@initDuration, 95) as init_p95_ms by @log",
    "sort cold_starts desc",
)


class EngineRoomDashboard(Construct):
    """For whoever is looking for the part that is broken, or too slow, or too small."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: StageSettings,
        *,
        queues: Queues,
        tables: Tables,
        functions: Sequence[BridgeFunction],
        apis: Sequence[BridgeApi],
    ) -> None:
        super().__init__(scope, construct_id)
        self._dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"{settings.prefix}-engine-room")
        self._row("Queues", *_queues(queues))
        self._row("Functions", *_functions(functions))
        self._dashboard.add_widgets(*_starts_and_lags(functions))
        self._row("Tables", *_tables(tables))
        self._row("APIs", *_api(apis[0]))
        for api in apis[1:]:
            self._dashboard.add_widgets(*_api(api))

    def _row(self, title: str, *widgets: cloudwatch.IWidget) -> None:
        self._dashboard.add_widgets(heading(title))
        self._dashboard.add_widgets(*widgets)


def _queues(queues: Queues) -> tuple[cloudwatch.IWidget, ...]:
    work = [pair.queue for pair in queues.all]
    dead = [*(pair.dead_letters for pair in queues.all), queues.relay_failures]
    return (
        graph("Messages that wait", [of_queue(one, DEPTH) for one in work], unit="messages", parts=4),
        graph("Oldest message", [of_queue(one, AGE) for one in work], unit="s", parts=4),
        graph("Dead letters", [of_queue(one, DEPTH) for one in dead], unit="messages", parts=4),
        graph("Oldest dead letter", [of_queue(one, AGE) for one in dead], unit="s", parts=4),
    )


def _functions(functions: Sequence[BridgeFunction]) -> tuple[cloudwatch.IWidget, ...]:
    def spent(number: int, function: BridgeFunction) -> cloudwatch.MathExpression:
        taken = of_function(function, "Duration", statistic="p99")
        return cloudwatch.MathExpression(
            expression=f"100 * d{number} / {function.timeout.to_milliseconds():g}",
            using_metrics={f"d{number}": taken},
            label=function.name,
            period=FIVE_MINUTES,
        )

    return (
        graph("Errors", [of_function(one, "Errors") for one in functions], unit="errors", stacked=True),
        graph("Throttles", [of_function(one, "Throttles") for one in functions], unit="throttles", stacked=True),
        graph(
            "Duration (p99) of its timeout",
            [spent(number, one) for number, one in enumerate(functions)],
            unit="percent",
            limit=Limit(100, "timeout"),
        ),
    )


def _starts_and_lags(functions: Sequence[BridgeFunction]) -> tuple[cloudwatch.IWidget, ...]:
    followers = [one for one in functions if one.follows_streams]
    lags = [of_function(one, "IteratorAge", statistic="Maximum") for one in followers]
    return (
        cloudwatch.LogQueryWidget(
            title="Cold starts",
            log_group_names=[one.log.log_group_name for one in functions],
            query_lines=list(COLD_STARTS),
            view=cloudwatch.LogQueryVisualizationType.TABLE,
            width=COLUMNS // 3,
            height=HEIGHT,
        ),
        graph(
            "Copies that run at once",
            [of_function(one, "ConcurrentExecutions", statistic="Maximum") for one in functions],
            unit="copies",
        ),
        graph("Streams: age of what is read", lags, unit="ms"),
    )


def _tables(tables: Tables) -> tuple[cloudwatch.IWidget, ...]:
    every = (tables.sessions, tables.requests, tables.registry)
    refused = [
        of_table(table, name, label=f"{table.table.node.id} {name.removesuffix('ThrottleEvents').lower()}")
        for table in every
        for name in ("ReadThrottleEvents", "WriteThrottleEvents")
    ]
    held = [
        of_table(table, "WriteThrottleEvents", index=index, label=f"{table.table.node.id} index {index}")
        for table in every
        for index in table.indexes
    ]
    return (
        graph("Throttled", [*refused, *held], unit="calls"),
        graph("Read units", [of_table(table, "ConsumedReadCapacityUnits") for table in every], unit="units"),
        graph("Write units", [of_table(table, "ConsumedWriteCapacityUnits") for table in every], unit="units"),
    )


def _api(api: BridgeApi) -> tuple[cloudwatch.IWidget, ...]:
    return (
        graph(f"{api.name}: calls", [api.metric("Count", "SampleCount", "calls")], unit="calls"),
        graph(f"{api.name}: latency", [api.metric("Latency", one, one) for one in ("p50", "p95", "p99")], unit="ms"),
        graph(
            f"{api.name}: errors by HTTP status",
            [api.metric("4XXError", "Sum", "4xx"), api.metric("5XXError", "Sum", "5xx")],
            unit="answers",
            stacked=True,
        ),
    )
