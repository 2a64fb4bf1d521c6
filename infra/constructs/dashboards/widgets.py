"""Widgets as both dashboards use them: a row of equal parts, each with a title, a unit and a legend below."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.constructs.metrics import FIVE_MINUTES

COLUMNS: Final = 24
"""Width of a CloudWatch dashboard."""
HEIGHT: Final = 6
ALARMS_IN_A_ROW: Final = 6
"""As many names of alarms as CloudWatch shows side by side on the whole width."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A line at a value, such as an objective or a timeout."""

    value: float
    label: str


def graph(
    title: str,
    metrics: Sequence[cloudwatch.IMetric],
    *,
    unit: str,
    parts: int = 3,
    stacked: bool = False,
    limit: Limit | None = None,
    most: float | None = None,
) -> cloudwatch.GraphWidget:
    """Return a graph, one of `parts` beside each other. `most`: where the axis ends."""
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        # The unit is the axis's label; CloudWatch's own is that of the metric, wrong for what was calculated.
        left_y_axis=cloudwatch.YAxisProps(label=unit, min=0, max=most, show_units=False),
        left_annotations=[cloudwatch.HorizontalAnnotation(value=limit.value, label=limit.label)] if limit else None,
        stacked=stacked,
        period=FIVE_MINUTES,
        legend_position=cloudwatch.LegendPosition.BOTTOM,
        width=COLUMNS // parts,
        height=HEIGHT,
    )


def figure(title: str, metrics: Sequence[cloudwatch.IMetric], *, parts: int = 3) -> cloudwatch.SingleValueWidget:
    """Return figures over the whole time that the dashboard shows."""
    return cloudwatch.SingleValueWidget(
        title=title,
        metrics=list(metrics),
        set_period_to_time_range=True,
        full_precision=False,
        width=COLUMNS // parts,
        height=HEIGHT,
    )


def heading(text: str) -> cloudwatch.TextWidget:
    """Return the heading of the rows below it."""
    return cloudwatch.TextWidget(
        markdown=f"## {text}", width=COLUMNS, height=1, background=cloudwatch.TextWidgetBackground.TRANSPARENT
    )


def alarm_status(alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.AlarmStatusWidget:
    """Return the state of all alarms, those that are raised first."""
    return cloudwatch.AlarmStatusWidget(
        title="Alarms",
        alarms=list(alarms),
        sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
        width=COLUMNS,
        height=2 + -(-len(alarms) // ALARMS_IN_A_ROW),
    )
