"""The CSMS bus on EventBridge."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ocpi_bridge.domain.errors import BridgeError
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.bus import BusEvent

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

SOURCE = "ocpi-bridge"
# EventBridge takes at most so many events in one call, and 256 KB; ours are below 1 KB.
BATCH = 10


class EventsNotTaken(BridgeError):
    """The bus did not take some events; publish all of them again."""


@dataclass(frozen=True, slots=True)
class EventBridgeBus:
    """CsmsBus on an EventBridge bus. `client` makes the client when there is something to publish."""

    client: "Callable[[], EventBridgeClient]"
    bus_name: str

    def publish(self, events: Sequence[BusEvent]) -> None:
        """See CsmsBus. Raises EventsNotTaken after all batches were tried."""
        failed: list[str] = []
        for first in range(0, len(events), BATCH):
            entries = [self._entry(event) for event in events[first : first + BATCH]]
            answer = self.client().put_events(Entries=entries)
            failed += [entry["ErrorCode"] for entry in answer["Entries"] if "ErrorCode" in entry]
        if failed:
            raise EventsNotTaken(f"{len(failed)} events were not taken: {', '.join(sorted(set(failed)))}")

    def _entry(self, event: BusEvent) -> "PutEventsRequestEntryTypeDef":
        return {
            "EventBusName": self.bus_name,
            "Source": SOURCE,
            "DetailType": event.detail_type,
            "Time": event.time,
            "Detail": dumps(event.detail),
        }
