"""csms-events: what CSMSs report becomes sessions and station states."""

from ocpi_bridge.adapters.csms.events import parse_events
from ocpi_bridge.runtime.queue_door import QueueMessage, queue_worker
from ocpi_bridge.runtime.wiring.ingestion import ingest_event
from ocpi_bridge.runtime.worker_logs import log_ingested

ingest = ingest_event()


def _ingest(message: QueueMessage) -> None:
    for event in parse_events(message.attributes["csms_id"], message.text.encode()):
        log_ingested(event, ingest(event))


lambda_handler = queue_worker(_ingest)
