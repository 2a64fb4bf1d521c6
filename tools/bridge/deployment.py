"""Which deployment a command is for: a stage on AWS, or the stack that runs on this machine."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3

from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.domain.errors import BridgeError
from tools.bridge.secrets import OperatorSecrets

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

# What `make up` writes (docs/local-stack.md).
STACK_FILE = Path(".local/stack.json")
# The one stage that may name this machine in its entries.
LOCAL_STAGE = "local"


class DeploymentNotFound(BridgeError):
    """There is no such deployment, or it is not one of this bridge. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployed bridge, as far as its operator needs it. URLs have no trailing slash."""

    stage: str
    registry: DynamoRegistry
    secrets: OperatorSecrets
    ocpi_api_url: str
    csms_api_url: str

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, with counterparts on this machine."""
        return self.stage == LOCAL_STAGE

    @classmethod
    def on_aws(cls, stage: str) -> Self:
        """The stage's stack in the account and region of the operator's own credentials.

        Raises DeploymentNotFound; errors of AWS itself (no credentials, no rights) are passed on.
        """
        # Other AWS tools, the CDK among them, know AWS_REGION; boto3 does not.
        session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
        if session.region_name is None:
            raise DeploymentNotFound("which region? set AWS_REGION, or the region of your AWS profile")
        outputs = _stack_outputs(session.client("cloudformation"), f"ocpi-bridge-{stage}")
        return cls._of(
            stage,
            outputs,
            registry=DynamoRegistry(session.client("dynamodb"), _output(outputs, "RegistryTableName")),
            secrets=OperatorSecrets(session.client("secretsmanager"), _output(outputs, "SecretsPrefix")),
        )

    @classmethod
    def on_this_machine(cls, stack_file: Path = STACK_FILE) -> Self:
        """The stack that a file of the local stack describes. Raises DeploymentNotFound."""
        try:
            described = json.loads(stack_file.read_text("utf-8"))
            endpoint, ca_file = str(described["endpoint"]), str(described["ca_file"])
            stage, outputs = str(described["stage"]), dict(described["outputs"])
            session = boto3.Session(
                aws_access_key_id=str(described["access_key_id"]),
                aws_secret_access_key=str(described["secret_access_key"]),
                region_name=str(described["region"]),
            )
        except OSError as error:
            raise DeploymentNotFound(f"{stack_file}: {error.strerror}; `make up` starts the local stack") from error
        except (ValueError, KeyError, TypeError) as error:
            raise DeploymentNotFound(f"{stack_file} does not describe a stack; `make up` writes it") from error
        return cls._of(
            stage,
            outputs,
            registry=DynamoRegistry(
                session.client("dynamodb", endpoint_url=endpoint, verify=ca_file), _output(outputs, "RegistryTableName")
            ),
            secrets=OperatorSecrets(
                session.client("secretsmanager", endpoint_url=endpoint, verify=ca_file),
                _output(outputs, "SecretsPrefix"),
            ),
        )

    @classmethod
    def _of(cls, stage: str, outputs: Mapping[str, str], registry: DynamoRegistry, secrets: OperatorSecrets) -> Self:
        return cls(stage, registry, secrets, _output(outputs, "OcpiApiUrl"), _output(outputs, "CsmsApiUrl"))


def _stack_outputs(client: "CloudFormationClient", stack: str) -> dict[str, str]:
    try:
        [described] = client.describe_stacks(StackName=stack)["Stacks"]
    except client.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ValidationError":
            raise
        problem = f"there is no stack {stack!r} in {client.meta.region_name}; `make deploy STAGE=...` deploys one"
        raise DeploymentNotFound(problem) from error
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def _output(outputs: Mapping[str, str], name: str) -> str:
    if name not in outputs:
        raise DeploymentNotFound(f"the stack has no output {name}; deploy it again with this version")
    return str(outputs[name]).rstrip("/")
