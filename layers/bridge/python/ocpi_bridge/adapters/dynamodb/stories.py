"""Looking back at a session: a few queries and batches, however long it lasted. Nothing is written."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import instants, pushed_items, request_items, session_items, tables
from ocpi_bridge.adapters.dynamodb.watch_items import watch_key, watch_of
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.stories import Milestones, PartnerStory, RequestStory, SessionStory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SESSION_INDEX = "session"
# With plan and profile three items a request: all are read in one batch of 100.
MOST_REQUESTS = 32
# Four an hour, and at changes of power: some two days.
MOST_PERIODS = 200
# Acknowledgement and watch are two items a partner; a session that more partners ever saw is no usual one.
MOST_PARTNERS = 48
# A station's connectors are few; so are the sessions there that are not over.
MOST_AT_STATION = 20


@dataclass(frozen=True, slots=True)
class DynamoStories:
    """StoryStore on the sessions and requests tables."""

    client: "DynamoDBClient"
    sessions: str
    requests: str

    def story_of(self, session_id: str) -> SessionStory | None:
        """See StoryStore: two queries and three batches."""
        session_key = (self.sessions, *session_items.session_key(session_id))
        control_key = (self.sessions, *session_items.control_key(session_id))
        found = tables.get_many(self.client, [session_key, control_key])
        if session_key not in found:
            return None
        session = session_items.session_of(found[session_key])
        periods = self._newest_periods(session.session_id)
        request_ids = self._newest_requests(session.session_id)
        return SessionStory(
            session=session,
            control=session_items.control_of(session.session_id, found.get(control_key)),
            requests=self._requests(request_ids[:MOST_REQUESTS][::-1]),
            periods=periods[:MOST_PERIODS][::-1],
            partners=self._partners(session),
            earlier_requests=len(request_ids) > MOST_REQUESTS,
            earlier_periods=len(periods) > MOST_PERIODS,
        )

    def request(self, request_id: str) -> RequestStory | None:
        """See StoryStore: one batch."""
        return next(iter(self._requests([request_id])), None)

    def newest_at(self, csms_id: str, station_id: str) -> Sequence[Session]:
        """See StoryStore: a query and a batch."""
        answer = self.client.query(
            TableName=self.sessions,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=tables.values(
                pk=session_items.transactions_at(csms_id, station_id),
                first=session_items.CAR,
                last=f"{session_items.LIVE}\uffff",
            ),
            ConsistentRead=True,
            Limit=MOST_AT_STATION,
        )
        ids = dict.fromkeys(str(tables.from_item(item)["session_id"]) for item in answer["Items"])
        keys = [(self.sessions, *session_items.session_key(one)) for one in ids]
        sessions = map(session_items.session_of, tables.get_many(self.client, keys).values())
        return sorted(sessions, key=lambda session: session.start, reverse=True)

    def _newest_requests(self, session_id: str) -> list[str]:
        """One more than are shown, the newest first."""
        answer = self.client.query(
            TableName=self.requests,
            IndexName=SESSION_INDEX,
            KeyConditionExpression="session_id = :session_id",
            ExpressionAttributeValues=tables.values(session_id=session_id),
            ScanIndexForward=False,
            Limit=MOST_REQUESTS + 1,
        )
        return [str(tables.from_item(item)["pk"]).removeprefix(request_items.REQUEST) for item in answer["Items"]]

    def _requests(self, request_ids: Sequence[str]) -> list[RequestStory]:
        keys = {
            one: [
                (self.requests, *request_items.request_key(one)),
                (self.requests, *request_items.plan_key(one)),
                (self.requests, *request_items.profile_key(one)),
            ]
            for one in request_ids
        }
        found = tables.get_many(self.client, [key for three in keys.values() for key in three])
        return [
            RequestStory(
                request=request_items.request_of(found[request]),
                milestones=_milestones(found[request]),
                plan=request_items.plan_of(found.get(plan, found[request])),
                profile=request_items.plan_of(found.get(profile)),
            )
            for request, plan, profile in keys.values()
            if request in found
        ]

    def _newest_periods(self, session_id: str) -> list[ChargingPeriod]:
        """One more than are shown, the newest first."""
        answer = self.client.query(
            TableName=self.sessions,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :period)",
            ExpressionAttributeValues=tables.values(
                pk=session_items.session_key(session_id)[0], period=session_items.PERIOD
            ),
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=MOST_PERIODS + 1,
        )
        return [session_items.period_of(tables.from_item(item)) for item in answer["Items"]]

    def _partners(self, session: Session) -> list[PartnerStory]:
        partner_ids = sorted(session.known_to | session.rights.seen_by)[:MOST_PARTNERS]
        pushed = {one: (self.sessions, *pushed_items.pushed_key(session.session_id, one)) for one in partner_ids}
        watches = {one: (self.sessions, *watch_key(session.session_id, one)) for one in partner_ids}
        found = tables.get_many(self.client, [*pushed.values(), *watches.values()])
        return [
            PartnerStory(
                pushed=pushed_items.pushed_of(session.session_id, one, found.get(pushed[one])),
                watch=watch_of(found.get(watches[one])),
            )
            for one in partner_ids
        ]


def _milestones(item: Mapping[str, Any]) -> Milestones:
    def at(name: str) -> datetime | None:
        return instants.from_epoch_ms(item[name]) if name in item else None

    return Milestones(
        first_sent_at=at("first_sent_at"),
        sent_at=at("sent_at"),
        answered_at=at("answered_at"),
        first_delivery_at=at("first_delivery_at"),
        closed_at=at("closed_at"),
    )
