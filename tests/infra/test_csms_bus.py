"""The bus for CSMSs: one a stage, with a name that rules can count on, and open to nobody who was not let in."""

import pytest

from tests.infra.stack_template import FUNCTIONS, StackTemplate

pytestmark = pytest.mark.integration

BUS = "CsmsBus/Bus"


@pytest.mark.parametrize("stage", ["production", "local"])
def test_the_bus_is_named_by_the_stage_so_that_rules_of_another_stack_can_name_it(
    request: pytest.FixtureRequest, stage: str
) -> None:
    template: StackTemplate = request.getfixturevalue(stage)
    ((path, properties),) = template.of_type("AWS::Events::EventBus")

    assert (path, properties["Name"]) == (BUS, f"ocpi-bridge-{stage}-csms")


def test_only_the_relay_may_publish_on_it_and_knows_its_name(production: StackTemplate) -> None:
    allowed = {
        (function, action, resource)
        for function in FUNCTIONS
        for action, resource in production.policy(function)
        if action.startswith("events:")
    }
    told = {
        name: production.name(properties["Environment"]["Variables"]["CSMS_BUS_NAME"])
        for name, properties in production.functions()
        if "CSMS_BUS_NAME" in properties["Environment"]["Variables"]
    }

    assert allowed == {("relay_outbox", "events:PutEvents", BUS)}
    assert told == {"relay_outbox": BUS}


def test_no_other_account_is_given_a_way_onto_it(production: StackTemplate) -> None:
    assert list(production.of_type("AWS::Events::EventBusPolicy")) == []
