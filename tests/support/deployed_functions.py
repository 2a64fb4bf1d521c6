"""The functions as they are deployed: their handlers with the real wiring on moto, in this process.

What lies beyond our own network is played: the servers of partners and CSMSs. A test may replace each of them.
"""

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from tests.support.queues import Queues
from tests.support.tables import ACCOUNT, REGION
from tests.support.world import World

FUNCTIONS = Path(__file__).parents[2] / "functions"
PREFIX = "ocpi-bridge/test"
CSMS_API = "https://csms-api.example/prod"
OCPI_API = "https://ocpi.example/prod"
# The key of the events of the world's CSMS, and that of the callback URLs.
EVENT_KEY = "key-of-the-events"
SIGNING_KEY = "key of the callback URLs"

Handler = Callable[[Mapping[str, Any], object], Any]


def handler_of(name: str) -> Handler:
    """The handler of a function, freshly imported as a cold start does."""
    spec = importlib.util.spec_from_file_location(f"handler_of_{name}", FUNCTIONS / name / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Handler = module.lambda_handler
    return handler


@contextmanager
def deployed(world: World, queues: Queues) -> Iterator[pytest.MonkeyPatch]:
    """The environment that the functions find: the world's tables and clock, queues, and secrets in moto.

    Gives the patch with which a test puts counterparts in their place; all of it ends with the context.
    """
    environment = {
        "AWS_DEFAULT_REGION": REGION,
        "STAGE": "test",
        "ACCOUNT_ID": ACCOUNT,
        "SESSIONS_TABLE": world.tables.sessions,
        "REQUESTS_TABLE": world.tables.requests,
        "REGISTRY_TABLE": world.tables.registry,
        **queues.environment,
        "CSMS_BUS_NAME": "csms",
        "SECRETS_PREFIX": PREFIX,
        "CSMS_API_URL": CSMS_API,
        "OCPI_API_URL": OCPI_API,
        "OCPI_BUSINESS_NAME": "Example CPO",
        "OCPI_COUNTRY_CODE": "NL",
        "OCPI_PARTY_ID": "CPO",
        "RESULT_TIMEOUT_SECONDS": "60",
    }
    vault = boto3.client("secretsmanager", region_name=REGION)
    secrets = {"callback-signing": SIGNING_KEY, "csms/acme": json.dumps({"event_key": EVENT_KEY})}
    made = (clients.dynamodb, clients.sqs, clients.secrets_manager)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(SystemClock, "now", lambda _: world.clock.now())
        for name, value in secrets.items():
            vault.create_secret(Name=f"{PREFIX}/{name}", SecretString=value)
        for make in made:
            make.cache_clear()
        try:
            yield patch
        finally:
            for make in made:
                make.cache_clear()
            for name in secrets:
                vault.delete_secret(SecretId=f"{PREFIX}/{name}", ForceDeleteWithoutRecovery=True)
