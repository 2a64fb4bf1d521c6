"""What the delivery of results is made of."""

from ocpi_bridge.adapters.dynamodb.deliveries import DynamoDeliveryStore
from ocpi_bridge.adapters.sqs.outbox import QueueUrls, SqsOutbox
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import variable
from ocpi_bridge.runtime.wiring.partners import partner_client, partner_secrets
from ocpi_bridge.usecases.deliver_result import DeliverResult


def deliver_result() -> DeliverResult:
    """The delivery of results, and the expiry of requests."""
    clock = SystemClock()
    store = DynamoDeliveryStore(
        clients.dynamodb(), variable("SESSIONS_TABLE"), variable("REQUESTS_TABLE"), variable("REGISTRY_TABLE"), clock
    )
    given_up = SqsOutbox(clients.sqs(), QueueUrls(failed_deliveries=variable("RESULT_CALLBACKS_DLQ_URL")), clock)
    return DeliverResult(
        store=store, partners=store, client=partner_client(partner_secrets()), outbox=given_up, clock=clock
    )
