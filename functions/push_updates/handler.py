"""partner-updates.fifo: a session changed, and a partner that sees it is told what is new."""

from uuid import uuid4

from ocpi_bridge.runtime.queue_door import QueueMessage, queue_worker
from ocpi_bridge.runtime.wiring.partners import push_session
from ocpi_bridge.runtime.worker_logs import log_push

push = push_session()


def _push(message: QueueMessage) -> None:
    session_id, partner_id = message.body["session_id"], message.body["partner_id"]
    correlation_id = str(uuid4())
    log_push(session_id, partner_id, correlation_id, push(session_id, partner_id, correlation_id))


lambda_handler = queue_worker(_push)
