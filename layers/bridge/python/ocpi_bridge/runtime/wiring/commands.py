"""What the sender of charger commands is made of."""

from ocpi_bridge.adapters.csms.connect import http_charge_point_driver
from ocpi_bridge.adapters.csms.signing import callback_url
from ocpi_bridge.adapters.dynamodb.commands import DynamoCommandStore
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.usecases.send_command import SendCommand


def send_command() -> SendCommand:
    """The sender."""
    clock = SystemClock()
    secrets = SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock)
    base_url = variable("CSMS_API_URL")
    return SendCommand(
        store=DynamoCommandStore(
            client=clients.dynamodb(),
            sessions=variable("SESSIONS_TABLE"),
            requests=variable("REQUESTS_TABLE"),
            registry=variable("REGISTRY_TABLE"),
        ),
        driver=http_charge_point_driver(secrets, clock),
        callback_url=lambda command_id: callback_url(base_url, command_id, secrets.callback_signing_key()),
        clock=clock,
    )
