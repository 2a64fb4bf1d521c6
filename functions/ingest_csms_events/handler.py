"""csms-events: what CSMSs report becomes sessions, station states, and answers to commands."""

from ocpi_bridge.runtime import clients
from ocpi_bridge.runtime.queue_door import SourceQueue, queue_worker
from ocpi_bridge.runtime.wiring.ingestion import event_ingestion

lambda_handler = queue_worker(event_ingestion().take, clients.sqs, SourceQueue.named("CSMS_EVENTS"))
