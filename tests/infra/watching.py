"""What a template's dashboards, alarms and saved queries look at."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.infra.stack_template import Properties, StackTemplate

NAMESPACE = "OcpiBridge/production"

# Metrics with the dimensions that AWS documents for them, as they are used here (read in November 2026):
# docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
# docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
# docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
_LAMBDA = ({"FunctionName"}, {"FunctionName", "Resource"})
_QUEUE = ({"QueueName"},)
_TABLE = ({"TableName"}, {"TableName", "GlobalSecondaryIndexName"})
_API = ({"ApiName", "Stage"},)
DOCUMENTED: dict[tuple[str, str], tuple[set[str], ...]] = {
    ("AWS/Lambda", "Errors"): _LAMBDA,
    ("AWS/Lambda", "Throttles"): _LAMBDA,
    ("AWS/Lambda", "Duration"): _LAMBDA,
    ("AWS/Lambda", "ConcurrentExecutions"): _LAMBDA,
    ("AWS/Lambda", "IteratorAge"): _LAMBDA,
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): _QUEUE,
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): _QUEUE,
    ("AWS/DynamoDB", "ReadThrottleEvents"): _TABLE,
    ("AWS/DynamoDB", "WriteThrottleEvents"): _TABLE,
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits"): _TABLE,
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): _TABLE,
    ("AWS/ApiGateway", "Count"): _API,
    ("AWS/ApiGateway", "Latency"): _API,
    ("AWS/ApiGateway", "4XXError"): _API,
    ("AWS/ApiGateway", "5XXError"): _API,
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A metric that somebody looks at; names of resources are their constructs' paths."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @property
    def keys(self) -> set[str]:
        return {name for name, _ in self.dimensions}


def dashboards(template: StackTemplate) -> dict[str, list[Properties]]:
    """The widgets of each dashboard by its name."""
    return {
        properties["DashboardName"]: json.loads(template.name(properties["DashboardBody"]))["widgets"]
        for _, properties in template.of_type("AWS::CloudWatch::Dashboard")
    }


def shown(template: StackTemplate) -> set[Watched]:
    """Every metric on a dashboard."""
    widgets = [widget for listed in dashboards(template).values() for widget in listed]
    return {found for widget in widgets for found in _of_widget(widget)}


def alarmed(alarm: Properties, template: StackTemplate) -> set[Watched]:
    """Every metric that an alarm rests on."""
    if "Metrics" not in alarm:
        return {_of_alarm(alarm, template)}
    parts = [part["MetricStat"]["Metric"] for part in alarm["Metrics"] if "MetricStat" in part]
    return {_of_alarm(part, template) for part in parts}


def alarms(template: StackTemplate) -> dict[str, Properties]:
    """Every alarm on a metric, by its name."""
    return {alarm["AlarmName"]: alarm for _, alarm in template.of_type("AWS::CloudWatch::Alarm")}


def composites(template: StackTemplate) -> dict[str, Properties]:
    """Every composite alarm, by its name."""
    return {alarm["AlarmName"]: alarm for _, alarm in template.of_type("AWS::CloudWatch::CompositeAlarm")}


def expressions(metrics: list[Any]) -> Iterator[tuple[str, set[str]]]:
    """The expressions among a widget's metrics, each with the ids that it uses."""
    for line in metrics:
        if isinstance(line[0], dict):
            text = line[0]["expression"]
            yield text, set(re.findall(r"\b[a-z][a-z0-9]*\b", text))


def _of_widget(widget: Properties) -> Iterator[Watched]:
    for line in widget["properties"].get("metrics", []):
        texts = [part for part in line if isinstance(part, str)]
        if texts:
            namespace, name, *dimensions = texts
            yield Watched(namespace, name, frozenset(zip(dimensions[::2], dimensions[1::2], strict=True)))


def _of_alarm(metric: Properties, template: StackTemplate) -> Watched:
    dimensions = [(one["Name"], template.name(one["Value"])) for one in metric.get("Dimensions", [])]
    return Watched(metric["Namespace"], metric["MetricName"], frozenset(dimensions))
