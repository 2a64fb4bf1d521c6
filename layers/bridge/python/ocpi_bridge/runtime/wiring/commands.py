"""What the sender of charger commands is made of."""

from ocpi_bridge.adapters.csms.connect import charge_point_drivers
from ocpi_bridge.adapters.csms.signing import callback_url
from ocpi_bridge.adapters.dynamodb.commands import DynamoCommandStore
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.eventbridge.bus import EventBridgeBus
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import Settings, variable
from ocpi_bridge.usecases.record_answer import RecordAnswer
from ocpi_bridge.usecases.send_command import SendCommand


def send_command() -> SendCommand:
    """The sender."""
    clock = SystemClock()
    secrets = SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock)
    base_url = variable("CSMS_API_URL")
    store = DynamoCommandStore(
        client=clients.dynamodb(),
        sessions=variable("SESSIONS_TABLE"),
        requests=variable("REQUESTS_TABLE"),
        registry=variable("REGISTRY_TABLE"),
        clock=clock,
    )
    states = DynamoStationStates(clients.dynamodb(), variable("REGISTRY_TABLE"))
    return SendCommand(
        store=store,
        record=RecordAnswer(store, states, clock),
        driver=charge_point_drivers(
            secrets,
            clock,
            EventBridgeBus(clients.events, variable("CSMS_BUS_NAME")),
            allow_loopback=Settings().is_local,
        ),
        callback_url=lambda command_id, csms_id: callback_url(
            base_url, command_id, secrets.callback_signing_key(), csms_id
        ),
        clock=clock,
    )
