import json
from collections.abc import Callable
from pathlib import Path
from typing import cast

import boto3
import pytest
from botocore.stub import Stubber

from tools.bridge import deployment as deployments
from tools.bridge.deployment import Deployment, DeploymentNotFound

OUTPUTS = {
    "RegistryTableName": "ocpi-bridge-prod-registry",
    "SessionsTableName": "ocpi-bridge-prod-sessions",
    "SecretsPrefix": "ocpi-bridge/prod",
    "OcpiApiUrl": "https://ocpi.example/prod/",
    "CsmsApiUrl": "https://csms-api.example/prod",
    "CountryCode": "NL",
    "PartyId": "CPO",
    "BusinessName": "Example CPO",
    "RequestsTableName": "ocpi-bridge-prod-requests",
    "RelayFailuresQueueUrl": "https://sqs.example/relay-failures",
    **{
        f"{queue}{kind}QueueUrl": f"https://sqs.example/{queue}{kind}"
        for queue in ("ChargerCommands", "RequestDeadlines", "ResultCallbacks", "PartnerUpdates", "CsmsEvents")
        for kind in ("", "DeadLetter")
    },
}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_CONFIG_FILE", "no-such-file")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stack_file(tmp_path: Path) -> Path:
    certificate = tmp_path / "ca.pem"
    certificate.write_text("")
    file = tmp_path / "stack.json"
    file.write_text(
        json.dumps(
            {
                "endpoint": "https://localhost:4566",
                "region": "eu-west-1",
                "access_key_id": "test",
                "secret_access_key": "test",
                "ca_file": str(certificate),
                "stage": "local",
                "outputs": OUTPUTS,
            }
        )
    )
    return file


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    """CloudFormation's answers; the session gives this client for it."""
    client = boto3.client("cloudformation", region_name="eu-west-1")
    other_client = cast(Callable[..., object], boto3.Session.client)

    def give(session: boto3.Session, service: str) -> object:
        return client if service == "cloudformation" else other_client(session, service)

    monkeypatch.setattr(boto3.Session, "client", give)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    stubber = Stubber(client)
    stubber.activate()
    return stubber


def described(outputs: dict[str, str]) -> dict[str, object]:
    return {
        "Stacks": [
            {
                "StackName": "ocpi-bridge-prod",
                "CreationTime": "2026-01-01T00:00:00Z",
                "StackStatus": "CREATE_COMPLETE",
                "Outputs": [{"OutputKey": name, "OutputValue": value} for name, value in outputs.items()],
            }
        ]
    }


def test_the_stack_on_this_machine_is_found_by_its_file(stack_file: Path) -> None:
    found = Deployment.on_this_machine(stack_file)
    assert found.local
    assert (found.ocpi_api_url, found.csms_api_url) == ("https://ocpi.example/prod", "https://csms-api.example/prod")


def test_all_dead_letter_queues_are_found_and_where_their_letters_came_from(stack_file: Path) -> None:
    found = Deployment.on_this_machine(stack_file).dead_letters.queues
    assert {queue.name: (queue.url, queue.source_url) for queue in found} == {
        "charger-commands": (OUTPUTS["ChargerCommandsDeadLetterQueueUrl"], OUTPUTS["ChargerCommandsQueueUrl"]),
        "request-deadlines": (OUTPUTS["RequestDeadlinesDeadLetterQueueUrl"], OUTPUTS["RequestDeadlinesQueueUrl"]),
        "result-callbacks": (OUTPUTS["ResultCallbacksDeadLetterQueueUrl"], OUTPUTS["ResultCallbacksQueueUrl"]),
        "partner-updates": (OUTPUTS["PartnerUpdatesDeadLetterQueueUrl"], OUTPUTS["PartnerUpdatesQueueUrl"]),
        "csms-events": (OUTPUTS["CsmsEventsDeadLetterQueueUrl"], OUTPUTS["CsmsEventsQueueUrl"]),
        "relay-failures": (OUTPUTS["RelayFailuresQueueUrl"], None),
    }


def test_a_missing_file_says_how_to_start_the_stack(tmp_path: Path) -> None:
    with pytest.raises(DeploymentNotFound, match="make up"):
        Deployment.on_this_machine(tmp_path / "none.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"endpoint": "https://localhost"}', '"text"'])
def test_a_file_that_describes_no_stack_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(content)
    with pytest.raises(DeploymentNotFound):
        Deployment.on_this_machine(tmp_path / "stack.json")


def test_a_stage_is_found_by_the_outputs_of_its_stack(cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", described(OUTPUTS), {"StackName": "ocpi-bridge-prod"})
    found = Deployment.on_aws("prod")
    assert not found.local
    assert found.csms_api_url == "https://csms-api.example/prod"


def test_a_stage_that_is_not_deployed_is_told(cloudformation: Stubber) -> None:
    cloudformation.add_client_error(
        "describe_stacks", "ValidationError", "Stack with id ocpi-bridge-prod does not exist"
    )
    with pytest.raises(DeploymentNotFound, match="ocpi-bridge-prod"):
        Deployment.on_aws("prod")


def test_a_stack_of_an_older_version_is_told(cloudformation: Stubber) -> None:
    older = {name: value for name, value in OUTPUTS.items() if name != "RegistryTableName"}
    cloudformation.add_response("describe_stacks", described(older))
    with pytest.raises(DeploymentNotFound, match="RegistryTableName"):
        Deployment.on_aws("prod")


def test_missing_rights_are_not_taken_for_a_missing_stack(cloudformation: Stubber) -> None:
    cloudformation.add_client_error("describe_stacks", "AccessDenied", "no")
    with pytest.raises(cloudformation.client.exceptions.ClientError):
        Deployment.on_aws("prod")


def test_the_region_must_be_known() -> None:
    with pytest.raises(DeploymentNotFound, match="AWS_REGION"):
        Deployment.on_aws("prod")


def test_the_default_file_is_where_the_local_stack_writes_it() -> None:
    assert Path(".local/stack.json") == deployments.STACK_FILE
