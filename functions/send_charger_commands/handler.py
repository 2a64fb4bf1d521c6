"""charger-commands.fifo: the next command of a station goes to its CSMS."""

from ocpi_bridge.adapters.sqs.messages import about_of
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.queue_door import QueueMessage, SourceQueue, queue_worker
from ocpi_bridge.runtime.wiring.commands import send_command
from ocpi_bridge.runtime.worker_logs import log_turn

send = send_command()


def _send(message: QueueMessage) -> float | None:
    turn = send(message.body["request_id"], message.body["step"], about_of(message.body))
    log_turn(turn)
    return turn.again_in


lambda_handler = queue_worker(_send, clients.sqs, SourceQueue.named("CHARGER_COMMANDS"))
