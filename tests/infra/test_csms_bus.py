"""The bus for CSMSs: one a stage, with a name that rules can count on, and open to nobody who was not let in."""

from pathlib import Path

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk.assertions import Template

from infra.bundling import SourceTree, lambda_target
from infra.constructs.csms_bus import CsmsBus
from infra.constructs.function import BridgeFunction, FunctionDefaults
from infra.stages import StageSettings
from tests.infra.stack_template import StackTemplate

pytestmark = pytest.mark.integration

BUS = "CsmsBus/Bus"


@pytest.fixture(scope="module")
def template(source_root: Path) -> StackTemplate:
    """A stack with the bus and two functions, one of which was let in."""
    app = App(context={"aws:cdk:bundling-stacks": [], "aws:cdk:enable-path-metadata": True})
    stack = Stack(app, "Site")
    settings = StageSettings(name="production", country_code="NL", party_id="ABC")
    defaults = FunctionDefaults(settings, SourceTree(source_root), lambda_target(), ())
    relay, sweep = (
        BridgeFunction(stack, name, defaults, description=name, timeout=Duration.seconds(30), memory_mb=512)
        for name in ("relay_outbox", "sweep")
    )
    CsmsBus(stack, "CsmsBus", settings).let_publish(relay)
    assert sweep.name == "sweep"
    return StackTemplate(dict(Template.from_stack(stack).to_json()), [])


def publishing(template: StackTemplate) -> set[tuple[str, str, str]]:
    """Who is allowed which action of EventBridge, on what."""
    return {
        (path.split("/")[0], statement["Action"], template.name(statement["Resource"]))
        for path, properties in template.of_type("AWS::IAM::Policy")
        for statement in properties["PolicyDocument"]["Statement"]
        if str(statement["Action"]).startswith("events:")
    }


def test_the_bus_is_named_by_the_stage(template: StackTemplate) -> None:
    assert template.resource(BUS)["Properties"]["Name"] == "ocpi-bridge-production-csms"


def test_a_function_that_was_let_in_may_publish_on_it_and_knows_its_name(template: StackTemplate) -> None:
    functions = {path.split("/")[0]: properties for path, properties in template.of_type("AWS::Lambda::Function")}

    assert publishing(template) == {("relay_outbox", "events:PutEvents", BUS)}
    assert template.name(functions["relay_outbox"]["Environment"]["Variables"]["CSMS_BUS_NAME"]) == BUS
    assert "CSMS_BUS_NAME" not in functions["sweep"]["Environment"]["Variables"]


def test_nobody_else_is_given_a_way_onto_it(template: StackTemplate) -> None:
    assert list(template.of_type("AWS::Events::EventBusPolicy")) == []
