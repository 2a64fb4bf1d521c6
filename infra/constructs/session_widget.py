"""The function behind the dashboard's widget that shows a session's story."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.dashboards.widgets import COLUMNS
from infra.constructs.function import BridgeFunction, FunctionDefaults
from infra.constructs.tables import SESSION_INDEX, Tables

TIMEOUT: Final = Duration.seconds(10)
"""Nobody waits longer for a dashboard; five reads take a fraction of it."""
ROWS: Final = 16
"""High enough for the picture; the rest is scrolled to."""


class SessionWidget(Construct):
    """The function, and the widget that calls it. It reads what it shows, and may write nothing.

    CloudWatch calls it as whoever looks at the dashboard, so nobody else is let in here: who may look at stories is
    told by a right to call the function (docs/operations.md).
    """

    def __init__(self, scope: Construct, construct_id: str, defaults: FunctionDefaults, *, tables: Tables) -> None:
        super().__init__(scope, construct_id)
        self.function = BridgeFunction(
            self,
            "session_widget",
            defaults,
            description="Shows a session's story on the dashboard.",
            timeout=TIMEOUT,
            memory_mb=defaults.settings.api_memory_mb,
        )
        self.function.read_table(tables.sessions, "BatchGetItem", "Query")
        self.function.read_table(tables.requests, "BatchGetItem")
        self.function.query_index(tables.requests, SESSION_INDEX)

    def shown(self) -> cloudwatch.IWidget:
        """Return the widget. It is not called again by itself: whoever reads a story scrolls in it."""
        return cloudwatch.CustomWidget(
            title="Story of a session",
            function_arn=self.function.alias.function_arn,
            update_on_refresh=False,
            update_on_resize=True,
            update_on_time_range_change=False,
            width=COLUMNS,
            height=ROWS,
        )
