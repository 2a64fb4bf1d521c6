"""What partners last acknowledged of sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import partner_items, pushed_items, session_items, tables
from ocpi_bridge.adapters.dynamodb.watch_items import watch_key, watch_of
from ocpi_bridge.domain.sessions import ChargingPeriod
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.pushes import PushContext, Pushed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Charging periods come four an hour and at changes of power: a page is days of charging.
PERIODS_PAGE = 500


@dataclass(frozen=True, slots=True)
class DynamoPushStore:
    """PushStore on the sessions and registry tables."""

    client: "DynamoDBClient"
    sessions: str
    registry: str
    clock: Clock

    def push_context(self, session_id: str, partner_id: str) -> PushContext:
        """See PushStore: one call."""
        session = (self.sessions, *session_items.session_key(session_id))
        pushed = (self.sessions, *pushed_items.pushed_key(session_id, partner_id))
        control = (self.sessions, *session_items.control_key(session_id))
        watch = (self.sessions, *watch_key(session_id, partner_id))
        partner = (self.registry, *partner_items.partner_key(partner_id))
        found = tables.get_many(self.client, [session, pushed, control, watch, partner])
        return PushContext(
            session=session_items.session_of(found[session]) if session in found else None,
            partner=partner_items.partner_of(found[partner]) if partner in found else None,
            pushed=pushed_items.pushed_of(session_id, partner_id, found.get(pushed)),
            control=session_items.control_of(session_id, found.get(control)),
            watch=watch_of(found.get(watch)),
            push_due_at=pushed_items.due_of(found.get(pushed)),
            silence=partner_items.silence_of(found[partner]) if partner in found else None,
        )

    def periods(self, session_id: str, after: int) -> Sequence[ChargingPeriod]:
        """See PushStore: one query, and one more for each further page."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.sessions,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=tables.values(
                pk=session_items.session_key(session_id)[0],
                first=session_items.period_key(session_id, after + 1)[1],
                last=session_items.period_key(session_id, 999_999)[1],
            ),
            ConsistentRead=True,
            PaginationConfig={"PageSize": PERIODS_PAGE},
        )
        return [session_items.period_of(tables.from_item(item)) for page in pages for item in page["Items"]]

    def save_pushed(self, pushed: Pushed, due_at: datetime | None) -> None:
        """See PushStore."""
        item = pushed_items.pushed_item(pushed, due_at, self.clock.now())
        self.client.put_item(TableName=self.sessions, Item=tables.to_item(item))
