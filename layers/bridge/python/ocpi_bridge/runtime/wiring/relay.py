"""What the relay is made of."""

from ocpi_bridge.adapters.eventbridge.bus import EventBridgeBus
from ocpi_bridge.adapters.sqs.outbox import QueueUrls, SqsOutbox
from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.runtime.settings import optional, variable


def outbox() -> SqsOutbox:
    """The outbox with all queues that items call for."""
    queues = QueueUrls(
        charger_commands=variable("CHARGER_COMMANDS_QUEUE_URL"),
        request_deadlines=variable("REQUEST_DEADLINES_QUEUE_URL"),
        result_callbacks=variable("RESULT_CALLBACKS_QUEUE_URL"),
        partner_updates=variable("PARTNER_UPDATES_QUEUE_URL"),
        csms_events=optional("CSMS_EVENTS_QUEUE_URL"),
    )
    return SqsOutbox(clients.sqs(), queues, SystemClock())


def csms_bus() -> EventBridgeBus:
    """The bus on which CSMSs are told; its client is made when something is to be told."""
    return EventBridgeBus(clients.events, variable("CSMS_BUS_NAME"))
