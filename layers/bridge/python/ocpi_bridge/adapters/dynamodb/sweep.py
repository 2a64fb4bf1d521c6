"""What the sweep reads: two indexes, in bounded pages, never a scan."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import (
    instants,
    partner_items,
    reassessments,
    session_items,
    tables,
    writes,
)
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.messages import OverdueSession
from ocpi_bridge.ports.sweep import DueInSessions, DuePush, EndedSession, OpenRequest, Reassessment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What one sweep wakes at the most; the next one, a minute later, takes what is left.
SWEEP_PAGE = 500
# As many as one call reads.
READ_PAGE = 100
OVERDUE_PAGE = READ_PAGE
DUE_INDEX = "due"
# That of requests has nothing of what changes on their way: each change would be a write of its own.
OPEN_INDEX = "open"
LIVE_INDEX = "live"
# Partners are few; what does not fit waits for the next sweep.
REASSESSMENTS_PAGE = 20


@dataclass(frozen=True, slots=True)
class DynamoSweepStore:
    """SweepStore on the indexes `open` of requests, `due` and `live` of sessions, and on the registry."""

    client: "DynamoDBClient"
    sessions: str
    requests: str
    registry: str

    def open_requests(self, due_before: datetime) -> Sequence[OpenRequest]:
        """See SweepStore: a query for each shard, and a call for every 100 requests that it finds, as they are now."""
        keys = [(self.requests, item["pk"], item["sk"]) for item in self._due(self.requests, OPEN_INDEX, due_before)]
        parts = [keys[first : first + READ_PAGE] for first in range(0, len(keys), READ_PAGE)]
        found = {key: item for part in parts for key, item in tables.get_many(self.client, part).items()}
        return [
            OpenRequest(
                request_id=item["pk"].partition("#")[2],
                state=item["state"],
                step=int(item["step"]),
                attempts=int(item["attempts"]),
                station_key=item["station_key"],
                partner_id=item.get("partner_id"),
                created_at=instants.from_epoch_ms(item["created_at"]),
                deadline=instants.from_epoch_ms(item["deadline"]),
                due_at=instants.from_epoch_ms(item["due_at"]),
            )
            # The index may lag behind: one that is at its end has left it.
            for item in (found[key] for key in keys if "due_at" in found.get(key, {}))
        ]

    def due_in_sessions(self, due_before: datetime) -> DueInSessions:
        """See SweepStore: a query for each shard, and a call for the sessions that are overdue, if there are any."""
        due = self._due(self.sessions, DUE_INDEX, due_before)
        overdue = [item["session_id"] for item in due if item["entity"] == "session"]
        return DueInSessions(
            pushes=[DuePush(item["session_id"], item["partner_id"]) for item in due if item["entity"] != "session"],
            overdue=self._overdue(overdue[:OVERDUE_PAGE]),
        )

    def ended(self, due_before: datetime, most: int) -> Sequence[EndedSession]:
        """See SweepStore: one query, and a call for every 100 sessions that it finds."""
        found = [
            item["session_id"]
            for item in self._shard(self.sessions, DUE_INDEX, session_items.ENDED_SHARD, due_before, most)
        ]
        parts = [found[first : first + READ_PAGE] for first in range(0, len(found), READ_PAGE)]
        sessions = [session for part in parts for session in self._sessions(part)]
        return [EndedSession(one.session_id, one.concerns) for one in sessions if one.over]

    def end_told(self, session_id: str) -> None:
        """See SweepStore: one write."""
        with suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.update_item(
                TableName=self.sessions,
                Key=tables.key(*session_items.session_key(session_id)),
                UpdateExpression="REMOVE due_shard, due_at",
                # One that was erased meanwhile does not come back.
                ConditionExpression="attribute_exists(pk)",
            )

    def _sessions(self, session_ids: Sequence[str]) -> Sequence[Session]:
        """As they are now: the index may lag behind."""
        keys = [(self.sessions, *session_items.session_key(session_id)) for session_id in session_ids]
        found = tables.get_many(self.client, keys)
        return [session_items.session_of(found[key]) for key in keys if key in found]

    def _overdue(self, session_ids: Sequence[str]) -> Sequence[OverdueSession]:
        return [
            OverdueSession(one.csms_id, one.station_id, one.transaction_id, one.session_id, ended_at=one.last_moment)
            for one in self._sessions(session_ids)
            if one.last_moment is not None and not one.over
        ]

    def reassessments(self) -> Sequence[Reassessment]:
        """See SweepStore: one query."""
        notes = self._registry(reassessments.REASSESSMENTS, REASSESSMENTS_PAGE)
        found = [reassessments.reassessment_of(note) for note in notes]
        everybody = next((note for note in found if note.partner_id == reassessments.EVERYBODY), None)
        if everybody is None:
            return found
        for partner in self._registry(partner_items.PARTNERS):
            note = reassessments.reassessment_item(partner_items.partner_of(partner).partner_id)
            self.client.put_item(TableName=self.registry, Item=tables.to_item(note))
        # After all are noted, so that a crash leaves nobody out.
        self.reassessed(everybody, None)
        return self.reassessments()

    def live_sessions(self, reassessment: Reassessment) -> tuple[Sequence[str], Reassessment | None]:
        """See SweepStore: one query of one shard."""
        place = session_items.feed_partition(reassessment.partner_id, reassessment.shard)
        answer = self.client.query(
            TableName=self.sessions,
            IndexName=LIVE_INDEX,
            KeyConditionExpression="live = :live AND session_id > :after",
            ExpressionAttributeValues=tables.values(live=place, after=reassessment.after or " "),
            Limit=SWEEP_PAGE,
        )
        found = [str(tables.from_item(item)["session_id"]) for item in answer["Items"]]
        if "LastEvaluatedKey" in answer and found:
            return found, replace(reassessment, after=found[-1])
        if reassessment.shard + 1 < session_items.FEED_SHARDS:
            return found, replace(reassessment, shard=reassessment.shard + 1, after="")
        return found, None

    def reassessed(self, before: Reassessment, after: Reassessment | None) -> None:
        """See SweepStore."""
        key = reassessments.reassessment_key(before.partner_id)
        same_walk = {"begun_before": before.begun, "shard_before": before.shard, "after_before": before.after}
        stands = "begun = :begun_before AND #shard = :shard_before AND #after = :after_before"
        if after is not None:
            moved = {"shard": after.shard, "after": after.after}
            writes.write(self.client, [writes.update(self.registry, key, moved, stands, same_walk)])
            return
        with suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.delete_item(
                TableName=self.registry,
                Key=tables.key(*key),
                ConditionExpression=stands,
                ExpressionAttributeNames={"#shard": "shard", "#after": "after"},
                ExpressionAttributeValues=tables.values(**same_walk),
            )

    def _registry(self, partition: str, limit: int | None = None) -> list[dict[str, Any]]:
        """A partition of the registry, or the first so many of it; partners are a few."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.registry,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=tables.values(pk=partition),
            ConsistentRead=True,
            PaginationConfig={"MaxItems": limit} if limit else {},
        )
        return [tables.from_item(item) for page in pages for item in page["Items"]]

    def _due(self, table: str, index: str, before: datetime) -> list[dict[str, Any]]:
        """The most overdue of all shards."""
        shards = map(str, range(session_items.DUE_SHARDS))
        found = [item for shard in shards for item in self._shard(table, index, shard, before, SWEEP_PAGE)]
        return sorted(found, key=itemgetter("due_at"))[:SWEEP_PAGE]

    def _shard(self, table: str, index: str, shard: str, before: datetime, most: int) -> list[dict[str, Any]]:
        answer = self.client.query(
            TableName=table,
            IndexName=index,
            KeyConditionExpression="due_shard = :shard AND due_at <= :before",
            ExpressionAttributeValues=tables.values(shard=shard, before=instants.epoch_ms(before)),
            Limit=most,
        )
        return [tables.from_item(item) for item in answer["Items"]]
