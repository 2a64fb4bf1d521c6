"""What the callback door is made of."""

from ocpi_bridge.adapters.csms.answers import CallbackReader
from ocpi_bridge.adapters.csms.signing import command_of, verify
from ocpi_bridge.adapters.dynamodb.commands import DynamoCommandStore
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.secrets.secrets_manager import SecretsManagerStore
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject
from ocpi_bridge.ports.secrets import SecretStore
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.csms_door import Refused
from ocpi_bridge.runtime.gateway import HttpRequest
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.worker_logs import log_result
from ocpi_bridge.usecases.record_answer import RecordAnswer
from ocpi_bridge.usecases.record_result import RecordResult

# A composite schedule of 1,024 periods is some 60 KB.
MAX_BODY_BYTES = 131_072


@dataclass(frozen=True, slots=True)
class CallbackIntake:
    """Takes the answers that a CSMS posts to signed one-time URLs."""

    secrets: SecretStore
    record: RecordResult

    def take(self, request: HttpRequest) -> tuple[int, JsonObject]:
        """200 whether the answer was recorded or came too late; a URL that is not ours is 403 whatever it names."""
        name = request.path_parameters.get("command_id", "")
        signature = request.path_parameters.get("signature", "")
        if not verify(name, signature, self.secrets.callback_signing_key()):
            raise Refused(403, "not a callback URL of ours")
        if len(request.body) > MAX_BODY_BYTES:
            raise Refused(400, "the body is too long")
        # The URL proves that it is about this command: whoever has it was given it.
        command_id, csms_id = command_of(name)
        reported = self.record(command_id, request.body, csms_id)
        log_result(reported)
        return 200, {"recorded": reported.outcome.recorded}


def callback_intake() -> CallbackIntake:
    """The callback door."""
    clock = SystemClock()
    store = DynamoCommandStore(
        client=clients.dynamodb(),
        sessions=variable("SESSIONS_TABLE"),
        requests=variable("REQUESTS_TABLE"),
        registry=variable("REGISTRY_TABLE"),
        clock=clock,
    )
    record = RecordAnswer(store, DynamoStationStates(clients.dynamodb(), variable("REGISTRY_TABLE")), clock)
    return CallbackIntake(
        secrets=SecretsManagerStore(clients.secrets_manager, variable("SECRETS_PREFIX"), clock),
        record=RecordResult(store, CallbackReader(), record, clock),
    )
