"""AWS clients, made once and on first use: botocore's own, which boto3 only hands on (docs/decisions/0025)."""

import gzip
import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.config import Config
from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

SERVICES: Final = ("dynamodb", "events", "secretsmanager", "sqs")

# A healthy call takes milliseconds; a lost connection must not eat the function's time.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "max_attempts": 3})


class PlainFiles(JSONFileLoader):
    """Reads descriptions as plain dicts: they keep their order too, and are made in half the time of an OrderedDict.

    In half of that again by pydantic's parser, in a function that has it.
    """

    def load_file(self, file_path: str) -> Any:  # noqa: ANN401 - whatever a description holds
        """What the file of this name without its ending holds, None where there is none."""
        for ending, opened in ((".json", open), (".json.gz", gzip.open)):
            try:
                with opened(f"{file_path}{ending}", "rb") as file:
                    text = file.read()
            except FileNotFoundError:
                continue
            core = sys.modules.get("pydantic_core")
            return json.loads(text) if core is None else core.from_json(text)
        return None


class OurServices(Loader):
    """The SDK's descriptions of services, without a look through the folders of all 400 (docs/decisions/0025)."""

    FILE_LOADER_CLASS = PlainFiles

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - the SDK's
        """Those that a client is made for here."""
        return list(SERVICES)


@cache
def dynamodb() -> "DynamoDBClient":
    """The DynamoDB client."""
    return cast("DynamoDBClient", aws_session().create_client("dynamodb", config=_CONFIG))


@cache
def sqs() -> "SQSClient":
    """The SQS client."""
    return cast("SQSClient", aws_session().create_client("sqs", config=_CONFIG))


@cache
def secrets_manager() -> "SecretsManagerClient":
    """The Secrets Manager client."""
    return cast("SecretsManagerClient", aws_session().create_client("secretsmanager", config=_CONFIG))


@cache
def events() -> "EventBridgeClient":
    """The EventBridge client."""
    return cast("EventBridgeClient", aws_session().create_client("events", config=_CONFIG))


@cache
def aws_session() -> Session:
    """The session behind them all."""
    session = Session()
    session.register_component("data_loader", OurServices())
    return session
