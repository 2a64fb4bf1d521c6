"""Which deployment a command is for: a stage on AWS, or the stack that runs on this machine."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import boto3

from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.dynamodb.stories import DynamoStories
from ocpi_bridge.adapters.dynamodb.unplaced import DynamoUnplaced
from ocpi_bridge.domain.connections import OwnPlatform
from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.ocpi.versions import versions_url
from ocpi_bridge.runtime.clock import SystemClock
from tools.bridge.aws import Aws
from tools.bridge.csms_probe import CsmsProbe
from tools.bridge.dlq_redrive import DeadLetters
from tools.bridge.function_logs import FunctionLogs
from tools.bridge.network import Network
from tools.bridge.pairing import Pairings
from tools.bridge.privacy import Erasure
from tools.bridge.registration import Handshakes
from tools.bridge.secrets import OperatorSecrets
from tools.bridge.takeover import Takeover
from tools.bridge.tracing import Tracer

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

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
    handshakes: Handshakes
    pairings: Pairings
    erasure: Erasure
    states: DynamoStationStates
    unplaced: DynamoUnplaced
    refused_hosts: DynamoRefusedHosts
    takeover: Takeover
    probe: CsmsProbe
    dead_letters: DeadLetters
    aws: Aws
    network: Network

    @property
    def local(self) -> bool:
        """Whether it runs on this machine, with counterparts on this machine."""
        return self.stage == LOCAL_STAGE

    def tracer(self) -> Tracer:
        """What looks back: clients for it are made when somebody does."""
        outputs = self.aws.outputs
        stories = DynamoStories(
            self.aws.dynamodb(), _output(outputs, "SessionsTableName"), _output(outputs, "RequestsTableName")
        )
        return Tracer(stories, FunctionLogs(self.aws.logs(), tuple(self.aws.function_names())), SystemClock())

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
            Aws(session, outputs),
            session.client("dynamodb"),
            session.client("secretsmanager"),
            session.client("sqs"),
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
            Aws(session, outputs, endpoint, ca_file),
            session.client("dynamodb", endpoint_url=endpoint, verify=ca_file),
            session.client("secretsmanager", endpoint_url=endpoint, verify=ca_file),
            session.client("sqs", endpoint_url=endpoint, verify=ca_file),
            ca_file=Path(ca_file),
        )

    @classmethod
    def _of(
        cls,
        stage: str,
        aws: Aws,
        dynamodb: "DynamoDBClient",
        secrets_manager: "SecretsManagerClient",
        sqs: "SQSClient",
        *,
        ca_file: Path | None = None,
    ) -> Self:
        outputs = aws.outputs
        table, prefix = _output(outputs, "RegistryTableName"), _output(outputs, "SecretsPrefix")
        sessions = _output(outputs, "SessionsTableName")
        api_url = _output(outputs, "OcpiApiUrl")
        party = Party(_output(outputs, "CountryCode"), _output(outputs, "PartyId"))
        return cls(
            stage=stage,
            registry=DynamoRegistry(dynamodb, table),
            secrets=OperatorSecrets(secrets_manager, prefix),
            ocpi_api_url=api_url,
            csms_api_url=_output(outputs, "CsmsApiUrl"),
            handshakes=Handshakes.on_aws(
                dynamodb,
                table,
                secrets_manager,
                prefix,
                own=OwnPlatform(versions_url(api_url), party, _output(outputs, "BusinessName")),
                allow_loopback=stage == LOCAL_STAGE,
                ca_file=ca_file,
            ),
            pairings=Pairings.on_aws(
                dynamodb,
                table,
                secrets_manager,
                prefix,
                party=party,
                allow_loopback=stage == LOCAL_STAGE,
                ca_file=ca_file,
            ),
            erasure=Erasure.on_aws(dynamodb, registry=table, sessions=sessions),
            states=DynamoStationStates(dynamodb, table),
            unplaced=DynamoUnplaced(dynamodb, table),
            refused_hosts=DynamoRefusedHosts(dynamodb, table),
            takeover=Takeover.on_aws(dynamodb, registry=table, sessions=sessions),
            probe=CsmsProbe.on_aws(
                secrets_manager,
                prefix,
                csms_api_url=_output(outputs, "CsmsApiUrl"),
                allow_loopback=stage == LOCAL_STAGE,
                ca_file=ca_file,
            ),
            dead_letters=DeadLetters.on_aws(
                sqs,
                dynamodb,
                lambda name: _output(outputs, name),
                sessions=sessions,
                requests=_output(outputs, "RequestsTableName"),
                registry=table,
            ),
            aws=aws,
            network=Network.real(allow_loopback=stage == LOCAL_STAGE, ca_file=ca_file),
        )


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
