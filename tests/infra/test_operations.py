"""What operators see: topics, outputs, and secrets that nobody has to invent."""

import pytest

from tests.infra.stack_template import FUNCTIONS, StackTemplate

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("severity", ["Pages", "Tickets"])
def test_cloudwatch_may_publish_to_the_encrypted_topics(production: StackTemplate, severity: str) -> None:
    topic = production.resource(f"Alarms/Bell/{severity}")["Properties"]
    key = production.resource("Alarms/Bell/Key")["Properties"]

    assert production.name(topic["KmsMasterKeyId"]) == "Alarms/Bell/Key"
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
        {"OcpiApiUrl", "CsmsApiUrl", "CountryCode", "PartyId", "BusinessName", "SecretsPrefix"}
        | {"CsmsBusName", "PageTopicArn", "TicketTopicArn"}
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
