"""What a stage costs while nothing happens is written down, and reckoned with, as it is deployed."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from ocpi_bridge.runtime.metric_catalogue import CATALOGUE
from tests.infra.stack_template import StackTemplate
from tools.bridge.cost_fixed import EDGE, OTHERS, POLLERS, QUEUES, WATCHING
from tools.bridge.cost_prices import FIFO_REQUEST, STANDARD_REQUEST

pytestmark = pytest.mark.integration

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


def _count(template: StackTemplate, kind: str) -> int:
    return len(list(template.of_type(kind)))


def _watching(template: StackTemplate) -> dict[str, int]:
    alarms = [alarm for _, alarm in template.of_type("AWS::CloudWatch::Alarm")]
    return {
        "custom metrics": sum(metric.size for metric in CATALOGUE),
        "metrics in alarms": sum(
            sum("MetricStat" in part for part in alarm["Metrics"]) if "Metrics" in alarm else 1 for alarm in alarms
        ),
        "composite alarms": _count(template, "AWS::CloudWatch::CompositeAlarm"),
        "dashboards": _count(template, "AWS::CloudWatch::Dashboard"),
    }


def test_what_watching_is_reckoned_with_is_what_is_deployed(production: StackTemplate) -> None:
    assert {one.name: one.number for one in WATCHING} == _watching(production)


def test_what_else_is_paid_by_the_month_is_what_is_deployed(production: StackTemplate) -> None:
    edge = production.edge
    assert edge is not None
    acls = [acl for _, acl in edge.of_type("AWS::WAFv2::WebACL")]
    assert {one.name: one.number for one in EDGE} == {
        "web ACLs": len(acls),
        "rules of web ACLs": sum(len(acl["Rules"]) for acl in acls),
    }
    # One secret each for the first partner and the first CSMS come with them.
    assert {one.name: one.number for one in OTHERS} == {
        "secrets": _count(production, "AWS::SecretsManager::Secret") + 2,
        "keys": _count(production, "AWS::KMS::Key"),
    }


def test_the_queues_that_are_polled_are_those_that_functions_take_from(production: StackTemplate) -> None:
    sources = [
        production.name(mapping["EventSourceArn"])
        for _, mapping in production.of_type("AWS::Lambda::EventSourceMapping")
        if "ScalingConfig" in mapping
    ]
    names = [source.split(".")[0] for source in sources]
    fifo = [name for name in names if production.resource(name)["Properties"].get("FifoQueue")]
    assert {price: number for number, price in QUEUES} == {
        STANDARD_REQUEST: POLLERS * (len(names) - len(fifo)),
        FIFO_REQUEST: POLLERS * len(fifo),
    }


def test_the_written_cost_is_that_of_what_is_deployed() -> None:
    rows = re.findall(
        r"^\| ([a-z ]+?)(?: \(.*\))? \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", RUNBOOK.read_text(), re.MULTILINE
    )
    assert [(name, int(number), Decimal(price), Decimal(cost)) for name, number, price, cost in rows] == [
        (one.name, one.number, one.price.usd, one.usd) for one in WATCHING
    ]
    (together,) = re.findall(r"^\| together \| \| \| ([\d.]+) \|$", RUNBOOK.read_text(), re.MULTILINE)
    assert Decimal(together) == sum(one.usd for one in WATCHING)
