"""What is shown and watched is what the code writes, all of it and nothing else."""

import pytest

from tests.infra.stack_template import StackTemplate
from tests.infra.watching import DOCUMENTED, NAMESPACE, alarmed, alarms, shown
from tests.support.emissions import Emissions, Series

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def emitted(told: Emissions) -> set[Series]:
    return {point.series for point in told.datapoints}


def test_dashboards_show_every_metric_that_the_code_writes_and_no_other(
    production: StackTemplate, emitted: set[Series]
) -> None:
    own = {(one.name, one.dimensions) for one in shown(production) if one.namespace == NAMESPACE}

    assert own - emitted == set()
    assert emitted - own == set()


def test_alarms_rest_on_metrics_that_the_code_writes(production: StackTemplate, emitted: set[Series]) -> None:
    for name, alarm in alarms(production).items():
        for metric in alarmed(alarm, production):
            assert metric.namespace != NAMESPACE or (metric.name, metric.dimensions) in emitted, name


def test_what_is_looked_at_of_aws_is_documented_and_about_resources_of_the_stack(production: StackTemplate) -> None:
    watched = shown(production) | {
        metric for alarm in alarms(production).values() for metric in alarmed(alarm, production)
    }
    places = set(production.paths.values()) | {"ocpi-bridge-production-ocpi", "ocpi-bridge-production-csms"}
    for metric in watched:
        if metric.namespace == NAMESPACE:
            continue
        assert metric.keys in DOCUMENTED[metric.namespace, metric.name], metric
        named = dict(metric.dimensions)
        place = next(named[key] for key in ("FunctionName", "QueueName", "TableName", "ApiName") if key in named)
        assert place.split(".")[0] in places, metric


def test_functions_write_into_the_namespace_of_their_stage(production: StackTemplate, local: StackTemplate) -> None:
    for stage, template in (("production", production), ("local", local)):
        for name, function in template.functions():
            assert function["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] == f"OcpiBridge/{stage}", name
