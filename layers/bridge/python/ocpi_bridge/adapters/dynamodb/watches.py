"""Watches: one item for each partner that is owed the active profile of a session."""

from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import instants, request_items, session_items, tables, watch_items
from ocpi_bridge.adapters.dynamodb.documents import dump
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.sessions import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoWatchStore:
    """WatchStore on the sessions and requests tables."""

    client: "DynamoDBClient"
    sessions: str
    requests: str
    registry: str
    clock: Clock

    def request(self, request_id: str) -> Request | None:
        """See WatchStore."""
        item = self._of_request(request_items.request_key(request_id))
        return None if item is None else request_items.request_of(item)

    def plan(self, request_id: str) -> Plan | None:
        """See WatchStore: one call, or two where the plan stands apart."""
        item = self._of_request(request_items.request_key(request_id))
        if item is not None and request_items.plan_stands_apart(request_items.request_of(item), item):
            item = self._of_request(request_items.plan_key(request_id))
        return request_items.plan_of(item)

    def active_profile(self, request_id: str) -> Plan | None:
        """See WatchStore."""
        return request_items.plan_of(self._of_request(request_items.profile_key(request_id)))

    def save_active_profile(self, request_id: str, profile: Plan) -> None:
        """See WatchStore."""
        key = request_items.profile_key(request_id)
        expires_at = instants.expiry(self.clock.now(), request_items.REQUEST_RETENTION)
        item = request_items.plan_item(key, "profile", profile, expires_at)
        self.client.put_item(TableName=self.requests, Item=tables.to_item(item))

    def place(self, session: Session) -> Place:
        """See WatchStore."""
        return DynamoSessionStore(self.client, self.sessions, self.registry).place(session.csms_id, session.station_id)

    def save_watch(self, watch: Watch) -> None:
        """See WatchStore."""
        pk, sk = watch_items.watch_key(watch.session_id, watch.partner_id)
        item = {
            "pk": pk,
            "sk": sk,
            "entity": "watch",
            "session_id": watch.session_id,
            "partner_id": watch.partner_id,
            "document": dump(watch),
            "due_shard": session_items.due_shard(watch.session_id) if watch.due_at else None,
            "due_at": instants.epoch_ms(watch.due_at) if watch.due_at else None,
            "expires_at": instants.expiry(self.clock.now(), session_items.RETENTION.sessions),
        }
        self.client.put_item(TableName=self.sessions, Item=tables.to_item(item))

    def _of_request(self, key: tuple[str, str]) -> dict[str, Any] | None:
        place = (self.requests, *key)
        return tables.get_many(self.client, [place]).get(place)
