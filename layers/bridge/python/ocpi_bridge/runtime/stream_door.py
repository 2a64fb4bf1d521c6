"""The door for table streams: changed items as domain objects, the whole batch at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ocpi_bridge.adapters.dynamodb import preferences, request_items, session_items, tables
from ocpi_bridge.runtime.start import started
from ocpi_bridge.usecases.relay_outbox import Change

Handler = Callable[[Mapping[str, Any], object], None]


def stream_worker(work: Callable[[Sequence[Change]], None]) -> Handler:
    """Makes a Lambda handler for a stream. Raises for the whole batch; the mapping halves it and tries again."""

    def handle(event: Mapping[str, Any], _context: object) -> None:
        images = [record["dynamodb"].get("NewImage") for record in event["Records"]]
        changes = [change for image in images if image for change in _changes(tables.from_item(image))]
        work(changes)

    return started(handle)


def _changes(item: Mapping[str, Any]) -> list[Change]:
    match item.get("entity"):
        case "request":
            return [request_items.request_of(item)]
        case "session":
            return [session_items.session_of(item)]
        case "preferences":
            return [preferences.preferences_of(item)]
        case _:
            return []
