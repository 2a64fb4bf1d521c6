"""What watching costs is written down as it is."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from ocpi_bridge.runtime.metric_catalogue import CATALOGUE
from tests.infra.stack_template import StackTemplate

pytestmark = pytest.mark.integration

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
# Public list prices of eu-west-1, USD a month; the page says when they were read.
PRICES = {
    "custom metrics": Decimal("0.30"),
    "metrics in alarms": Decimal("0.10"),
    "composite alarms": Decimal("0.50"),
    "dashboards": Decimal("3.00"),
}


def _numbers(template: StackTemplate) -> dict[str, int]:
    alarms = [alarm for _, alarm in template.of_type("AWS::CloudWatch::Alarm")]
    return {
        "custom metrics": sum(metric.size for metric in CATALOGUE),
        "metrics in alarms": sum(
            sum("MetricStat" in part for part in alarm["Metrics"]) if "Metrics" in alarm else 1 for alarm in alarms
        ),
        "composite alarms": len(list(template.of_type("AWS::CloudWatch::CompositeAlarm"))),
        "dashboards": len(list(template.of_type("AWS::CloudWatch::Dashboard"))),
    }


def test_the_written_cost_is_that_of_what_is_deployed(production: StackTemplate) -> None:
    rows = re.findall(
        r"^\| ([a-z ]+?)(?: \(.*\))? \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", RUNBOOK.read_text(), re.MULTILINE
    )
    numbers = _numbers(production)

    assert {name: (int(number), Decimal(price)) for name, number, price, _ in rows} == {
        name: (numbers[name], PRICES[name]) for name in PRICES
    }
    assert all(int(number) * Decimal(price) == Decimal(cost) for _, number, price, cost in rows)
    (together,) = re.findall(r"^\| together \| \| \| ([\d.]+) \|$", RUNBOOK.read_text(), re.MULTILINE)
    assert Decimal(together) == sum(Decimal(cost) for *_, cost in rows)
