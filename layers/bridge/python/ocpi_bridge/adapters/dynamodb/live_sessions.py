"""The sessions that are not over, and what is installed at their charge points: for operators, who ask seldom."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import session_items, tables
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.sweep import LIVE_INDEX
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB's limit for one BatchGetItem.
READ_LIMIT = 100


@dataclass(frozen=True, slots=True)
class DynamoLiveSessions:
    """Reads the sessions table."""

    client: "DynamoDBClient"
    sessions: str
    registry: str

    def session(self, session_id: str) -> Session | None:
        """The session, or None; ids are compared without case (CiString)."""
        return next(iter(self._sessions([session_id])), None)

    def at_station(self, csms_id: str, station_id: str) -> Sequence[Session]:
        """The sessions at a station that are not over."""
        return DynamoSessionStore(self.client, self.sessions, self.registry).live_at(csms_id, station_id)

    def of_partner(self, partner_id: str, most: int | None = None) -> Sequence[Session]:
        """The sessions that a partner sees and that are not over, `most` at the most. The index may be a moment behind."""
        ids = list(islice(self._live_ids(partner_id), most))
        return [session for session in self._sessions(ids) if not session.over]

    def controls(self, session_ids: Iterable[str]) -> Mapping[str, Control]:
        """The control of each session: what its charge point accepted last, and whether anybody knows."""
        keys = {one: session_items.control_key(one) for one in session_ids}
        found = self._items(keys.values())
        return {one: session_items.control_of(one, found.get(key)) for one, key in keys.items()}

    def _live_ids(self, partner_id: str) -> Iterator[str]:
        for shard in range(session_items.FEED_SHARDS):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.sessions,
                IndexName=LIVE_INDEX,
                KeyConditionExpression="live = :live",
                ExpressionAttributeValues=tables.values(live=session_items.feed_partition(partner_id, shard)),
            )
            for page in pages:
                yield from (str(tables.from_item(item)["session_id"]) for item in page["Items"])

    def _sessions(self, session_ids: Sequence[str]) -> list[Session]:
        keys = [session_items.session_key(session_id) for session_id in session_ids]
        found = self._items(keys)
        return [session_items.session_of(found[key]) for key in keys if key in found]

    def _items(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Mapping[str, Any]]:
        wanted = [(self.sessions, *key) for key in dict.fromkeys(keys)]
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for start in range(0, len(wanted), READ_LIMIT):
            answer = tables.get_many(self.client, wanted[start : start + READ_LIMIT])
            found |= {(pk, sk): item for (_, pk, sk), item in answer.items()}
        return found
