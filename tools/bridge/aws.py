"""The AWS services of one deployment beyond those that every command needs: clients made when they are first used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.config import Config

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# Who looks at a deployment wants to know soon that something does not answer; all of it is asked again at no cost.
LOOKING = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})


class AlarmsClient(Protocol):
    """What is needed of CloudWatch."""

    def describe_alarms(self, **wanted: object) -> Mapping[str, Any]:
        """See CloudWatch's DescribeAlarms."""


class IdentityClient(Protocol):
    """What is needed of STS."""

    def get_caller_identity(self) -> Mapping[str, str]:
        """See STS's GetCallerIdentity."""


@dataclass(frozen=True, slots=True)
class Aws:
    """The account and region of a deployment, by the operator's credentials, and the outputs of its stack.

    `endpoint` and `ca_file` lead to the embedded AWS; None on AWS itself.
    """

    session: "boto3.Session"
    outputs: Mapping[str, str]
    endpoint: str | None = None
    ca_file: str | None = None

    def dynamodb(self) -> "DynamoDBClient":
        """The tables."""
        return cast("DynamoDBClient", self._client("dynamodb"))

    def secrets_manager(self) -> "SecretsManagerClient":
        """The secrets."""
        return cast("SecretsManagerClient", self._client("secretsmanager"))

    def sqs(self) -> "SQSClient":
        """The queues."""
        return cast("SQSClient", self._client("sqs"))

    def functions(self) -> "LambdaClient":
        """The functions."""
        return cast("LambdaClient", self._client("lambda"))

    def logs(self) -> "CloudWatchLogsClient":
        """The functions' logs."""
        return cast("CloudWatchLogsClient", self._client("logs"))

    def alarms(self) -> AlarmsClient:
        """The alarms."""
        return cast(AlarmsClient, self._client("cloudwatch"))

    def identity(self) -> IdentityClient:
        """Who the operator is."""
        return cast(IdentityClient, self._client("sts"))

    def function_names(self) -> Iterator[str]:
        """The names of all functions of the stack."""
        return (name for output, name in sorted(self.outputs.items()) if output.endswith("FunctionName"))

    def _client(self, service: str) -> object:
        # The stubs know a service by its literal name only.
        make = cast(Any, self.session).client
        return cast(object, make(service, endpoint_url=self.endpoint, verify=self.ca_file or None, config=LOOKING))
