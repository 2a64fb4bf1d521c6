"""The bus for CSMSs: one a stage, with a name that rules can count on, and open to nobody who was not let in."""

import pytest

from tests.infra.stack_template import FUNCTIONS, StackTemplate, make_source_tree, synthesise

pytestmark = pytest.mark.integration

BUS = "CsmsBus/Bus"
EVENTS = "Queues/csms-events"


@pytest.mark.parametrize("stage", ["production", "local"])
def test_the_bus_is_named_by_the_stage_so_that_rules_of_another_stack_can_name_it(
    request: pytest.FixtureRequest, stage: str
) -> None:
    template: StackTemplate = request.getfixturevalue(stage)
    ((path, properties),) = template.of_type("AWS::Events::EventBus")

    assert (path, properties["Name"]) == (BUS, f"ocpi-bridge-{stage}-csms")


def test_only_the_relay_and_the_sender_may_publish_on_it_and_know_its_name(production: StackTemplate) -> None:
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

    assert allowed == {(function, "events:PutEvents", BUS) for function in ("relay_outbox", "send_charger_commands")}
    assert told == {"relay_outbox": BUS, "send_charger_commands": BUS}


# --- What CSMSs report -------------------------------------------------------------------------------------------------


def test_what_csmss_report_goes_to_the_queue_of_events_and_if_that_fails_to_its_dead_letters(
    production: StackTemplate,
) -> None:
    rule = production.resource("CsmsBus/Reports")["Properties"]
    (target,) = rule["Targets"]

    assert production.name(rule["EventBusName"]) == BUS
    assert rule["EventPattern"] == {"detail-type": ["csms.events"]}
    assert (rule["State"], production.name(target["Arn"])) == ("ENABLED", EVENTS)
    assert production.name(target["DeadLetterConfig"]["Arn"]) == f"{EVENTS}-dlq"
    # The whole envelope, in which EventBridge says which account it is from.
    assert not {"Input", "InputPath", "InputTransformer"} & target.keys()


def test_eventbridge_may_fill_those_two_queues_by_that_rule_and_no_other(production: StackTemplate) -> None:
    allowed = {
        (queue, production.name(statement["Condition"]["ArnEquals"]["aws:SourceArn"]))
        for _, properties in production.of_type("AWS::SQS::QueuePolicy")
        for queue in map(production.name, properties["Queues"])
        for statement in properties["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Principal"] == {"Service": "events.amazonaws.com"}
    }

    assert allowed == {(EVENTS, "CsmsBus/Reports"), (f"{EVENTS}-dlq", "CsmsBus/Reports")}


def test_the_worker_knows_the_account_that_may_report_for_every_csms(production: StackTemplate) -> None:
    (told,) = (
        properties["Environment"]["Variables"]["ACCOUNT_ID"]
        for _, properties in production.functions()
        if "ACCOUNT_ID" in properties["Environment"]["Variables"]
    )

    assert production.name(told) == "<AWS::AccountId>"


def test_no_other_account_is_given_a_way_onto_it(production: StackTemplate) -> None:
    assert list(production.of_type("AWS::Events::EventBusPolicy")) == []


def test_accounts_that_the_operator_names_may_report_and_not_pass_for_the_bridge(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    template = synthesise(
        make_source_tree(tmp_path_factory.mktemp("source")),
        tmp_path_factory.mktemp("out"),
        stage="production",
        country_code="NL",
        party_id="ABC",
        csms_bus_accounts="111111111111,222222222222",
    )
    statements = [properties["Statement"] for _, properties in template.of_type("AWS::Events::EventBusPolicy")]

    assert [statement["Sid"] for statement in statements] == ["cdk-Reports111111111111", "cdk-Reports222222222222"]
    for statement in statements:
        assert (statement["Effect"], statement["Action"]) == ("Allow", "events:PutEvents")
        assert statement["Condition"] == {"StringEquals": {"events:detail-type": "csms.events"}}
        assert template.name(statement["Resource"]) == BUS
        account = statement["Sid"].removeprefix("cdk-Reports")
        assert account in template.name(statement["Principal"]["AWS"])
    assert template.findings == []
