"""Streams of sessions and requests: each new state is carried on by a message."""

from collections.abc import Sequence

from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.runtime.stream_door import stream_worker
from ocpi_bridge.runtime.wiring import relay
from ocpi_bridge.usecases.relay_outbox import relay_outbox

outbox = relay.outbox()


def _relay(changes: Sequence[Request | Session]) -> None:
    relay_outbox(outbox, changes)


lambda_handler = stream_worker(_relay)
