"""Streams of sessions and requests: each new state is carried on by a message."""

from collections.abc import Sequence

from ocpi_bridge.runtime.stream_door import stream_worker
from ocpi_bridge.runtime.wiring import relay
from ocpi_bridge.runtime.worker_logs import log_relayed
from ocpi_bridge.usecases.relay_outbox import Change, relay_outbox

outbox, bus = relay.outbox(), relay.csms_bus()


def _relay(changes: Sequence[Change]) -> None:
    log_relayed(relay_outbox(outbox, bus, changes))


lambda_handler = stream_worker(_relay)
