"""What CSMSs reported that belongs nowhere, counted in the registry table for operators to find.

| pk                 | sk                              | entity   |                                                      |
|--------------------|---------------------------------|----------|------------------------------------------------------|
| UNPLACED#{csms_id} | {station_id}#{place}#{reason}   | unplaced | count, first_at, last_at, event_id, event_type, detail |

One item for a station, place and reason, however often; it goes when nothing more came for RETENTION. Ids are a CSMS's
own words, so they are cut to MAX_ID_LENGTH. Instants are epoch milliseconds.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import tables
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, from_epoch_ms
from ocpi_bridge.adapters.dynamodb.registry_table import RegistryTable
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RETENTION = timedelta(days=30)
# Longer than any station's identity in use; three of them fit into a key whatever the alphabet.
MAX_ID_LENGTH = 100
MAX_DETAIL_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Events of one station (and place there) that were not taken for one reason.

    `count` is how often, a repeated message included; `event_id`, `event_type` and `detail` are the newest one's.
    """

    csms_id: str
    station_id: str
    place: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime
    event_id: str
    event_type: str
    detail: str


@dataclass(frozen=True, slots=True)
class DynamoUnplaced:
    """Counts with UpdateItem and lists with Query."""

    client: "DynamoDBClient"
    registry: str

    def note(
        self,
        csms_id: str,
        reason: str,
        at: datetime,
        *,
        station_id: str = "",
        place: str = "",
        event_id: str = "",
        event_type: str = "",
        detail: str = "",
    ) -> None:
        """Counts one event that was not taken; one write, whoever else counts at the same time."""
        told = {
            "entity": "unplaced",
            "station_id": station_id[:MAX_ID_LENGTH],
            "place": place[:MAX_ID_LENGTH],
            "reason": reason,
            "last_at": epoch_ms(at),
            "event_id": event_id[:MAX_ID_LENGTH],
            "event_type": event_type[:MAX_ID_LENGTH],
            "detail": detail[:MAX_DETAIL_LENGTH],
            "expires_at": int((at + RETENTION).timestamp()),
        }
        settings = ", ".join(f"#{name} = :{name}" for name in told)
        self.client.update_item(
            TableName=self.registry,
            Key=tables.key(*_key(csms_id, str(told["station_id"]), str(told["place"]), reason)),
            UpdateExpression=f"SET {settings}, #first_at = if_not_exists(#first_at, :last_at) ADD #count :one",
            ExpressionAttributeNames={f"#{name}": name for name in (*told, "first_at", "count")},
            ExpressionAttributeValues=tables.values(**told, one=1),
        )

    def of(self, csms_id: str) -> tuple[Unplaced, ...]:
        """All that is counted of a CSMS, by station, place and reason."""
        items = RegistryTable(self.client, self.registry).query(_partition(csms_id))
        return tuple(_unplaced(csms_id, item) for item in items)


def _partition(csms_id: str) -> str:
    return f"UNPLACED#{csms_id}"


def _key(csms_id: str, station_id: str, place: str, reason: str) -> ItemKey:
    return _partition(csms_id), f"{station_id}#{place}#{reason}"


def _unplaced(csms_id: str, item: PlainItem) -> Unplaced:
    return Unplaced(
        csms_id=csms_id,
        station_id=str(item["station_id"]),
        place=str(item["place"]),
        reason=str(item["reason"]),
        count=int(str(item["count"])),
        first_at=from_epoch_ms(item["first_at"]),
        last_at=from_epoch_ms(item["last_at"]),
        event_id=str(item["event_id"]),
        event_type=str(item["event_type"]),
        detail=str(item["detail"]),
    )
