"""csms-events: what CSMSs report becomes sessions, station states, and answers to commands."""

from ocpi_bridge.runtime.queue_door import queue_worker
from ocpi_bridge.runtime.wiring.ingestion import event_ingestion

lambda_handler = queue_worker(event_ingestion().take)
