"""What the sender of charger commands is made of."""

from ocpi_bridge.adapters.bounded_http.client import bounded_client
from ocpi_bridge.adapters.csms.driver import HttpChargePointDriver
from ocpi_bridge.adapters.csms.signing import callback_url
from ocpi_bridge.adapters.dynamodb.commands import DynamoCommandStore
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import Settings, variable
from ocpi_bridge.usecases.send_command import SendCommand


def send_command() -> SendCommand:
    """The sender."""
    clock = SystemClock()
    secrets = SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock)
    base_url = variable("CSMS_API_URL")
    # The operator names the CSMS's address, which may well be a private one; partners never do.
    http = bounded_client(lambda _address: True, extra_ca_file=Settings().extra_ca_file)
    return SendCommand(
        store=DynamoCommandStore(
            client=clients.dynamodb(),
            sessions=variable("SESSIONS_TABLE"),
            requests=variable("REQUESTS_TABLE"),
            registry=variable("REGISTRY_TABLE"),
        ),
        driver=HttpChargePointDriver(secrets, clock, http),
        callback_url=lambda command_id: callback_url(base_url, command_id, secrets.callback_signing_key()),
        clock=clock,
    )
