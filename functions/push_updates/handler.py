"""partner-updates.fifo: a session changed, and a partner that knows it is told what is new."""

from uuid import uuid4

from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.queue_door import QueueMessage, SourceQueue, queue_worker
from ocpi_bridge.runtime.wiring.updates import update_partner
from ocpi_bridge.runtime.worker_logs import log_update

update = update_partner()


def _push(message: QueueMessage) -> float | None:
    session_id, partner_id = message.body["session_id"], message.body["partner_id"]
    correlation_id = str(uuid4())
    reassess = bool(message.body.get("reassess"))
    # A message that came back once has waited long enough: newer hints must not put it off for ever.
    updated = update(session_id, partner_id, correlation_id, reassess=reassess, settle=message.receipts < 2)
    log_update(session_id, partner_id, correlation_id, updated)
    return updated.again_in


lambda_handler = queue_worker(_push, clients.sqs, SourceQueue.named("PARTNER_UPDATES"))
