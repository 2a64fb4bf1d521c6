"""What a survey reads: the registry's partners and the index of live sessions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import partner_items, pushed_items, session_items, tables
from ocpi_bridge.adapters.dynamodb.sweep import LIVE_INDEX
from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.survey import LiveSessions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Of each shard of the index; eight shards make a sample that one call can read.
SOME = 4


@dataclass(frozen=True, slots=True)
class DynamoSurveyStore:
    """SurveyStore on the registry and sessions tables."""

    client: "DynamoDBClient"
    sessions: str
    registry: str

    def connected_partners(self) -> Mapping[str, Silence | None]:
        """See SurveyStore: one query."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.registry,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=tables.values(pk=partner_items.PARTNERS),
        )
        items = [tables.from_item(item) for page in pages for item in page["Items"]]
        found = [(partner_items.partner_of(item), partner_items.silence_of(item)) for item in items]
        return {partner.partner_id: silence for partner, silence in found if partner.connected}

    def live_sessions(self, partner_id: str) -> LiveSessions:
        """See SurveyStore: one query a shard, and one more for each megabyte of a shard that has many."""
        shards = [self._shard(partner_id, shard) for shard in range(session_items.FEED_SHARDS)]
        return LiveSessions(sum(one.count for one in shards), [name for one in shards for name in one.some])

    def pushed(self, partner_id: str, session_ids: Sequence[str]) -> Sequence[Pushed]:
        """See SurveyStore: one call."""
        keys = {one: (self.sessions, *pushed_items.pushed_key(one, partner_id)) for one in session_ids}
        found = tables.get_many(self.client, keys.values())
        return [pushed_items.pushed_of(one, partner_id, found[key]) for one, key in keys.items() if key in found]

    def _shard(self, partner_id: str, shard: int) -> LiveSessions:
        place = tables.values(live=session_items.feed_partition(partner_id, shard))
        answer = self.client.query(
            TableName=self.sessions,
            IndexName=LIVE_INDEX,
            KeyConditionExpression="live = :live",
            ExpressionAttributeValues=place,
            Limit=SOME,
        )
        some = [str(tables.from_item(item)["session_id"]) for item in answer["Items"]]
        count = len(some)
        while "LastEvaluatedKey" in answer:
            answer = self.client.query(
                TableName=self.sessions,
                IndexName=LIVE_INDEX,
                KeyConditionExpression="live = :live",
                ExpressionAttributeValues=place,
                ExclusiveStartKey=answer["LastEvaluatedKey"],
                Select="COUNT",
            )
            count += answer["Count"]
        return LiveSessions(count, some)
