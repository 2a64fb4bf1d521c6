"""Metrics as dashboards and alarms use them: the bridge's own, by its catalogue, and those that AWS writes."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.constructs.function import BridgeFunction
from infra.constructs.tables import BridgeTable
from infra.stages import StageSettings
from ocpi_bridge.runtime.metric_catalogue import Metric

EACH_MINUTE: Final = Duration.minutes(1)
FIVE_MINUTES: Final = Duration.minutes(5)
"""What people look at: fine enough to see when something began, coarse enough for a day on one screen."""


def own(
    settings: StageSettings,
    metric: Metric,
    dimensions: Mapping[str, str],
    *,
    statistic: str = "Sum",
    period: Duration = FIVE_MINUTES,
    label: str | None = None,
) -> cloudwatch.Metric:
    """Return one of the bridge's own metrics. Raises ValueError for dimensions that it is not written with."""
    if dict(dimensions) not in list(metric.series()):
        raise ValueError(f"nothing writes {metric.name} with {dimensions}")
    return cloudwatch.Metric(
        namespace=settings.metrics_namespace,
        metric_name=metric.name,
        dimensions_map=dimensions or None,
        statistic=statistic,
        period=period,
        label=label or " ".join(dimensions.values()) or metric.name,
    )


def of_function(
    function: BridgeFunction,
    name: str,
    *,
    statistic: str = "Sum",
    period: Duration = FIVE_MINUTES,
    label: str | None = None,
) -> cloudwatch.Metric:
    """Return a metric of Lambda about a function, by whatever version or alias it was called."""
    return cloudwatch.Metric(
        namespace="AWS/Lambda",
        metric_name=name,
        dimensions_map={"FunctionName": function.function.function_name},
        statistic=statistic,
        period=period,
        label=label or function.name,
    )


def of_queue(
    queue: sqs.Queue, name: str, *, period: Duration = FIVE_MINUTES, label: str | None = None
) -> cloudwatch.Metric:
    """Return a metric of SQS about a queue: the most within each period, since both depth and age are levels."""
    return cloudwatch.Metric(
        namespace="AWS/SQS",
        metric_name=name,
        dimensions_map={"QueueName": queue.queue_name},
        statistic="Maximum",
        period=period,
        label=label or queue.node.id,
    )


def of_table(
    table: BridgeTable,
    name: str,
    *,
    index: str | None = None,
    period: Duration = FIVE_MINUTES,
    label: str | None = None,
) -> cloudwatch.Metric:
    """Return a metric of DynamoDB about a table, or about one of its indexes."""
    place = {"TableName": table.table.table_name}
    return cloudwatch.Metric(
        namespace="AWS/DynamoDB",
        metric_name=name,
        dimensions_map=place if index is None else {**place, "GlobalSecondaryIndexName": index},
        statistic="Sum",
        period=period,
        label=label or table.table.node.id,
    )


def unlabelled(metric: cloudwatch.Metric) -> cloudwatch.Metric:
    """Return the metric without its label, which an alarm does not show.

    The CDK writes an alarm on a metric with a label as metric math, which the embedded AWS does not take.
    """
    return cloudwatch.Metric(
        namespace=metric.namespace,
        metric_name=metric.metric_name,
        dimensions_map=dict(metric.dimensions or {}) or None,
        statistic=metric.statistic,
        period=metric.period,
    )


def total(
    metrics: list[cloudwatch.Metric], *, label: str, period: Duration = FIVE_MINUTES
) -> cloudwatch.MathExpression:
    """Return the sum of metrics; one that has no data counts as nothing."""
    names = {f"m{number}": metric for number, metric in enumerate(metrics)}
    return cloudwatch.MathExpression(
        expression=" + ".join(f"FILL({name}, 0)" for name in names), using_metrics=names, label=label, period=period
    )
