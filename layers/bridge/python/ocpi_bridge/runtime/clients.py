"""AWS clients, made once and on first use."""

from functools import cache
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

SERVICES: Final = ("dynamodb", "events", "secretsmanager", "sqs")

# A healthy call takes milliseconds; a lost connection must not eat the function's time.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})


class OurServices(Loader):
    """The SDK's descriptions of services, without a look through the folders of all 400 (docs/decisions/0025)."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - the SDK's
        """Those that a client is made for here."""
        return list(SERVICES)


@cache
def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client."""
    return aws_session().client("dynamodb", config=_CONFIG)


@cache
def sqs() -> "SQSClient":
    """The SQS client."""
    return aws_session().client("sqs", config=_CONFIG)


@cache
def secrets_manager() -> "SecretsManagerClient":
    """The Secrets Manager client."""
    return aws_session().client("secretsmanager", config=_CONFIG)


@cache
def events() -> "EventBridgeClient":
    """The EventBridge client."""
    return aws_session().client("events", config=_CONFIG)


@cache
def aws_session() -> boto3.Session:
    """The session behind them all."""
    session = Session()
    session.register_component("data_loader", OurServices())
    return boto3.Session(botocore_session=session)
