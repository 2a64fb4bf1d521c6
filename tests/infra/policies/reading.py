"""What the policies have in common: a policy reads a template and says what in it breaks the rule."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.infra.stack_template import Properties, StackTemplate

Policy = Callable[[StackTemplate], list[str]]
"""Gives the violations, each with the path of its resource; none where the template keeps the rule."""

Statement = dict[str, Any]


def several(value: Any) -> list[Any]:  # noqa: ANN401 - IAM writes one or a list of anything
    """A value that may stand alone or in a list."""
    return value if isinstance(value, list) else [value]


def statements(template: StackTemplate, kind: str, document: str = "PolicyDocument") -> Iterator[tuple[str, Statement]]:
    """Each statement of each policy of a type, with the path of its resource."""
    for path, properties in template.of_type(kind):
        for statement in properties[document]["Statement"]:
            yield path, statement


def queue_of(template: StackTemplate, mapping: Properties) -> str | None:
    """The path of the queue that an event source mapping reads; None where it reads something else."""
    source = template.name(mapping["EventSourceArn"])
    return source if source in dict(template.of_type("AWS::SQS::Queue")) else None


def function_of(path: str) -> str:
    """The function that a construct belongs to: `Workers/push_updates/...`."""
    return path.split("/")[1]


def alarmed(template: StackTemplate, namespace: str, metric: str, dimension: str) -> set[str]:
    """The paths of the resources whose metric has an alarm that reaches somebody."""
    found: set[str] = set()
    for _, alarm in template.of_type("AWS::CloudWatch::Alarm"):
        if not alarm.get("AlarmActions"):
            continue
        parts = [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part]
        for watched in [alarm, *parts]:
            if (watched.get("Namespace"), watched.get("MetricName")) != (namespace, metric):
                continue
            values = (one["Value"] for one in watched.get("Dimensions", []) if one["Name"] == dimension)
            found |= {template.name(value).split(".")[0] for value in values}
    return found
