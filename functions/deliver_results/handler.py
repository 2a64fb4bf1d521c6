"""result-callbacks and request-deadlines: results leave for `response_url`, and what nobody answered expires."""

from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.queue_door import QueueMessage, SourceQueue, queue_worker
from ocpi_bridge.runtime.wiring.deliveries import deliver_result
from ocpi_bridge.runtime.worker_logs import log_outcome

delivery = deliver_result()


def _deliver(message: QueueMessage) -> float | None:
    body = message.body
    if "deadline" in body:
        outcome = delivery.expire(body["request_id"])
    else:
        outcome = delivery.deliver(body["request_id"], body.get("partner_id"))
    log_outcome(outcome)
    return None if outcome.again_at is None else (outcome.again_at - delivery.clock.now()).total_seconds()


# Between a request's deadline and its timeout lie ten seconds.
lambda_handler = queue_worker(
    _deliver,
    clients.sqs,
    SourceQueue.named("RESULT_CALLBACKS", hurried=True),
    SourceQueue.named("REQUEST_DEADLINES", hurried=True),
)
