"""The dashboard of the service: what partners ask, what becomes of it, and how long that takes."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.alarms import OBJECTIVE_PERCENT
from infra.constructs.dashboards.widgets import Limit, alarm_status, figure, graph, heading
from infra.constructs.metrics import own, total
from infra.stages import StageSettings
from ocpi_bridge.runtime import metric_catalogue as catalogue

A_DAY: Final = Duration.days(1)

PERCENTILES: Final = ("p50", "p95", "p99")


class ServiceDashboard(Construct):
    """For whoever asks whether smart charging works. Further widgets come below its own: `show`."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: StageSettings, *, alarms: Sequence[cloudwatch.IAlarm]
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._dashboard = cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=f"{settings.prefix}-service", default_interval=A_DAY
        )
        self.show(alarm_status(alarms))
        self.show(heading("Results: every accepted request has one, delivered within its timeout"))
        self.show(*self._objective())
        self.show(heading("Requests of partners, by kind and answer"))
        self.show(*(self._requests(kind) for kind in catalogue.REQUESTS.dimensions["kind"]))
        self.show(heading("How long a request takes, from its acceptance"))
        self.show(*self._times())
        self.show(heading("Sessions and the profiles that they follow"))
        self.show(*self._sessions())
        self.show(heading("Where it fails"))
        self.show(*self._failures())
        self.show(*self._refusals())

    def show(self, *widgets: cloudwatch.IWidget) -> None:
        """Add a row of widgets."""
        self._dashboard.add_widgets(*widgets)

    def _objective(self) -> tuple[cloudwatch.IWidget, ...]:
        counted = {
            "good": self._own(catalogue.DELIVERED_RESULTS, label="delivered"),
            "ended": self._own(catalogue.DELIVERED_RESULTS, "SampleCount", label="ended"),
        }

        def calculated(expression: str, label: str) -> cloudwatch.MathExpression:
            return cloudwatch.MathExpression(expression=expression, using_metrics=counted, label=label)

        budget = 100 - OBJECTIVE_PERCENT
        delivered = calculated("100 * good / ended", "delivered, %")
        left = calculated(f"100 - 100 * (100 * (ended - good) / ended) / {budget}", "error budget left, %")
        accepted = total(
            [
                self._own(catalogue.REQUESTS, kind=kind, result=catalogue.RequestResult.ACCEPTED)
                for kind in catalogue.REQUESTS.dimensions["kind"]
            ],
            label="accepted",
        )
        return (
            figure(f"Objective: {OBJECTIVE_PERCENT} % of results delivered", [delivered, left]),
            graph(
                "Results delivered",
                [delivered],
                unit="percent",
                limit=Limit(OBJECTIVE_PERCENT, "objective"),
                most=100,
            ),
            graph(
                "From accepted to delivered",
                [
                    accepted,
                    counted["good"],
                    calculated("ended - good", "given up"),
                    self._own(catalogue.EXPIRED_REQUESTS, label="expired (answered REJECTED)"),
                ],
                unit="requests",
            ),
        )

    def _requests(self, kind: str) -> cloudwatch.IWidget:
        results = [
            self._own(catalogue.REQUESTS, kind=kind, result=result, label=result)
            for result in catalogue.REQUESTS.dimensions["result"]
        ]
        return graph(f"{kind} requests", results, unit="requests", stacked=True)

    def _times(self) -> tuple[cloudwatch.IWidget, ...]:
        told = Limit(self._settings.result_timeout_seconds * 1000, "timeout told to partners")
        return (
            graph("To the charge point's answer", self._percentiles(catalogue.CHARGER_ANSWER_TIME), unit="ms", parts=2),
            graph(
                "To the delivered result",
                self._percentiles(catalogue.RESULT_DELIVERY_TIME),
                unit="ms",
                parts=2,
                limit=told,
            ),
        )

    def _percentiles(self, metric: catalogue.Metric) -> list[cloudwatch.IMetric]:
        return [self._own(metric, percentile, label=percentile) for percentile in PERCENTILES]

    def _sessions(self) -> tuple[cloudwatch.IWidget, ...]:
        return (
            graph(
                "Sessions that run and that a partner sees",
                [self._own(catalogue.LIVE_SESSIONS, "Maximum", label="sessions")],
                unit="sessions",
            ),
            self._by_value("Pushes of sessions", catalogue.SESSION_PUSHES, "outcome", unit="pushes"),
            self._by_value("Active charging profiles", catalogue.ACTIVE_PROFILES, "outcome", unit="steps"),
        )

    def _failures(self) -> tuple[cloudwatch.IWidget, ...]:
        return (
            self._by_value("Calls of partners", catalogue.PARTNER_CALLS, "outcome", unit="calls"),
            self._by_value("Results given up, by last error", catalogue.UNDELIVERED_RESULTS, "error", unit="results"),
            self._by_value("Turns at charge points", catalogue.COMMANDS, "outcome", unit="turns"),
        )

    def _refusals(self) -> tuple[cloudwatch.IWidget, ...]:
        return (
            self._by_value("Events of CSMSs", catalogue.EVENTS, "outcome", unit="events"),
            graph(
                "Addresses of partners refused, partners silent",
                [
                    self._own(catalogue.REFUSED_URLS, label="refused addresses"),
                    self._own(catalogue.SILENT_PARTNERS, "Maximum", label="silent partners"),
                ],
                unit="count",
            ),
            graph(
                "Errors that functions caught, messages given up",
                [
                    self._own(catalogue.INTERNAL_ERRORS, label="internal errors"),
                    self._own(catalogue.GIVEN_UP_MESSAGES, label="messages given up"),
                ],
                unit="count",
            ),
        )

    def _by_value(self, title: str, metric: catalogue.Metric, dimension: str, *, unit: str) -> cloudwatch.IWidget:
        values = metric.dimensions[dimension]
        return graph(title, [self._own(metric, **{dimension: value}) for value in values], unit=unit, stacked=True)

    def _own(
        self, metric: catalogue.Metric, statistic: str = "Sum", *, label: str | None = None, **dimensions: str
    ) -> cloudwatch.Metric:
        return own(self._settings, metric, dimensions, statistic=statistic, label=label)
