"""What operators see: alarms, outputs, and secrets that nobody has to invent."""

import pytest

from tests.infra.stack_template import FUNCTIONS, StackTemplate

pytestmark = pytest.mark.integration


def test_every_dead_letter_queue_and_every_function_has_an_alarm_that_reaches_the_topic(
    production: StackTemplate,
) -> None:
    watched = set()
    for path, alarm in production.of_type("AWS::CloudWatch::Alarm"):
        assert [production.name(action) for action in alarm["AlarmActions"]] == ["Alarms/Topic"], path
        assert alarm["AlarmName"].startswith("ocpi-bridge-production: ")
        assert (alarm["Threshold"], alarm["TreatMissingData"]) == (1, "notBreaching")
        names = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
        target = names.get("QueueName", names.get("FunctionName"))
        watched.add((alarm["MetricName"], production.name(target).split(".")[0]))

    dead = {path for path, _ in production.of_type("AWS::SQS::Queue") if path.endswith(("-dlq", "relay-failures"))}
    assert {path for metric, path in watched if metric == "ApproximateNumberOfMessagesVisible"} == dead
    raised = {path.split("/")[1] for metric, path in watched if metric == "Errors"}
    assert raised == set(FUNCTIONS)


def test_no_two_alarms_say_the_same(production: StackTemplate) -> None:
    names = [alarm["AlarmName"] for _, alarm in production.of_type("AWS::CloudWatch::Alarm")]

    assert len(names) == len(set(names))


def test_cloudwatch_may_publish_to_the_encrypted_topic(production: StackTemplate) -> None:
    topic = production.resource("Alarms/Topic")["Properties"]
    key = production.resource("Alarms/Key")["Properties"]

    assert production.name(topic["KmsMasterKeyId"]) == "Alarms/Key"
    assert key["EnableKeyRotation"] is True
    assert any(
        statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"} for statement in key["KeyPolicy"]["Statement"]
    )


def test_the_signing_key_is_made_by_the_stack_under_the_name_that_functions_look_for(production: StackTemplate) -> None:
    ((_, secret),) = production.of_type("AWS::SecretsManager::Secret")

    assert secret["Name"] == "ocpi-bridge/production/callback-signing"
    assert secret["GenerateSecretString"]["PasswordLength"] == 64


def test_the_outputs_name_what_tools_and_operators_need(production: StackTemplate) -> None:
    # What the edge stack reads of this one is an output, too.
    outputs = {name for name in production.document["Outputs"] if not name.startswith("PublishOutput")}
    queues = ("ChargerCommands", "RequestDeadlines", "ResultCallbacks", "PartnerUpdates", "CsmsEvents")

    assert outputs == (
        {"OcpiApiUrl", "CsmsApiUrl", "CountryCode", "PartyId", "BusinessName", "SecretsPrefix", "AlarmTopicArn"}
        | {"CsmsBusName"}
        | {"SessionsTableName", "RequestsTableName", "RegistryTableName", "RelayFailuresQueueUrl"}
        | {f"{queue}{kind}" for queue in queues for kind in ("QueueUrl", "DeadLetterQueueUrl")}
        | {"".join(part.capitalize() for part in name.split("_")) + "FunctionName" for name in FUNCTIONS}
    )


@pytest.mark.parametrize("stage", ["production", "dev", "local"])
def test_cdk_nag_finds_nothing_that_is_not_acknowledged_with_a_reason(
    request: pytest.FixtureRequest, stage: str
) -> None:
    template: StackTemplate = request.getfixturevalue(stage)

    assert template.findings == []


def test_the_stack_knows_no_account_and_no_region(production: StackTemplate) -> None:
    assert "Environment" not in production.document
    assert "000000000000" not in str(production.document)
