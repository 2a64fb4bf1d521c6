"""What the sweep reads: two indexes, in bounded pages, never a scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import session_items, tables
from ocpi_bridge.ports import DuePush, OpenRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What one sweep wakes at the most; the next one, a minute later, takes what is left.
SWEEP_PAGE = 500
DUE_INDEX = "due"


@dataclass(frozen=True, slots=True)
class DynamoSweepStore:
    """SweepStore on the `due` indexes of the requests and sessions tables."""

    client: "DynamoDBClient"
    sessions: str
    requests: str

    def open_requests(self, due_before: datetime) -> Sequence[OpenRequest]:
        """See SweepStore."""
        return [
            OpenRequest(
                request_id=item["request_id"],
                state=item["state"],
                step=int(item["step"]),
                attempts=int(item["attempts"]),
                station_key=item["station_key"],
                partner_id=item.get("partner_id"),
                created_at=session_items.from_epoch_ms(item["created_at"]),
                deadline=session_items.from_epoch_ms(item["deadline"]),
                due_at=session_items.from_epoch_ms(item["due_at"]),
            )
            for item in self._due(self.requests, due_before)
        ]

    def due_pushes(self, due_before: datetime) -> Sequence[DuePush]:
        """See SweepStore."""
        return [DuePush(item["session_id"], item["partner_id"]) for item in self._due(self.sessions, due_before)]

    def _due(self, table: str, before: datetime) -> list[dict[str, Any]]:
        answer = self.client.query(
            TableName=table,
            IndexName=DUE_INDEX,
            KeyConditionExpression="due_shard = :shard AND due_at <= :before",
            ExpressionAttributeValues=tables.values(
                shard=session_items.DUE_SHARD, before=session_items.epoch_ms(before)
            ),
            Limit=SWEEP_PAGE,
        )
        return [tables.from_item(item) for item in answer["Items"]]
