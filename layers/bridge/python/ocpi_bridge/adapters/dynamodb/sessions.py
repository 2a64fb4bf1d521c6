"""Sessions as events build them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import persons, registry_items, session_items, tables, writes
from ocpi_bridge.domain.assignments import Rights, rights, scopes_of
from ocpi_bridge.domain.events import IdToken, StationEvent
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ports import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


@dataclass(frozen=True, slots=True)
class DynamoSessionStore:
    """SessionStore on the sessions and registry tables."""

    client: "DynamoDBClient"
    sessions: str
    registry: str

    def place(self, csms_id: str, station_id: str) -> Place:
        """See SessionStore."""
        csms = (self.registry, *registry_items.csms_key(csms_id))
        station = (self.registry, *registry_items.station_key(csms_id, station_id))
        state = (self.registry, *registry_items.station_state_key(csms_id, station_id))
        found = tables.get_many(self.client, [csms, station, state])
        return Place(
            state=registry_items.station_state_of(found.get(state)),
            csms=registry_items.csms_of(found[csms]) if csms in found else None,
            station=registry_items.station_of(found[station]) if station in found else None,
        )

    def rights(self, evse_uid: str, location_id: str, token: IdToken | None, at: datetime) -> Rights:
        """See SessionStore: one call for all scopes that touch the session."""
        scopes = scopes_of(evse_uid, location_id, token)
        keys = [(self.registry, *registry_items.assignments_key(scope, key)) for scope, key in scopes]
        found = tables.get_many(self.client, keys)
        given = [assignment for key in keys for assignment in registry_items.assignments_of(found.get(key))]
        return rights(tuple(given), at)

    def session_of(self, event: StationEvent) -> Session | None:
        """See SessionStore: two calls, by way of the transaction."""
        pointer = (
            self.sessions,
            *session_items.transaction_key(event.csms_id, event.station_id, event.transaction_id or ""),
        )
        found = tables.get_many(self.client, [pointer]).get(pointer)
        if found is None:
            return None
        sessions = self._sessions([str(found["session_id"])])
        return sessions[0] if sessions else None

    def live_at(self, csms_id: str, station_id: str) -> Sequence[Session]:
        """See SessionStore: one query of the station's transactions, one call for those that are not over."""
        answer = self.client.query(
            TableName=self.sessions,
            KeyConditionExpression="pk = :pk",
            FilterExpression="attribute_exists(ongoing)",
            ExpressionAttributeValues=tables.values(pk=session_items.transactions_at(csms_id, station_id)),
            ConsistentRead=True,
        )
        pointers = [tables.from_item(item) for item in answer["Items"]]
        return [session for session in self._sessions([one["session_id"] for one in pointers]) if not session.over]

    def create(self, session: Session, replaces: Session | None) -> bool:
        """See SessionStore."""
        item = session_items.session_item(session)
        pointer = writes.update(
            self.sessions,
            session_items.transaction_key(session.csms_id, session.station_id, session.transaction_id),
            {
                "entity": "transaction",
                "session_id": session.session_id,
                "expires_at": item["expires_at"],
                **({} if session.over else {"ongoing": True}),
            },
            "attribute_not_exists(pk)" if replaces is None else "#session_id = :replaced",
            {} if replaces is None else {"replaced": replaces.session_id},
        )
        found_by = self._puts(persons.person_items(session))
        return writes.write(self.client, [writes.put(self.sessions, item), pointer, *self._views(session), *found_by])

    def update(self, before: Session, after: Session, period: ChargingPeriod | None) -> bool:
        """See SessionStore: one write without a transaction where no more than one partner sees it and no period closes.

        A transaction takes 100 items: with session, period and what its person finds it by, 96 partners that come or go
        at once.
        """
        put = writes.put(self.sessions, session_items.session_item(after), "version = :before")
        put["Put"]["ExpressionAttributeValues"] = tables.values(before=before.version)
        entries = [put]
        if period is not None:
            entries.append(writes.put(self.sessions, session_items.period_item(after, period)))
        entries += [*self._views(after), *self._views_gone(before, after)]
        entries += self._puts(persons.newly_known(before, after))
        written = writes.write(self.client, entries)
        if written and after.over:
            # Apart from the session's own write: it only spares those who look for live sessions a reading.
            writes.write(self.client, [self._transaction_over(after)])
        return written

    def _transaction_over(self, session: Session) -> "TransactWriteItemTypeDef":
        return writes.update(
            self.sessions,
            session_items.transaction_key(session.csms_id, session.station_id, session.transaction_id),
            {},
            "session_id = :session_id",
            {"session_id": session.session_id},
            remove=("ongoing",),
        )

    def _views(self, session: Session) -> list["TransactWriteItemTypeDef"]:
        """The session's views, whatever stood there: the condition on the session's own item speaks for them too."""
        partners = session_items.view_partners(session)
        return self._puts([session_items.view_item(session, partner) for partner in partners])

    def _puts(self, items: Sequence[tables.Item]) -> list["TransactWriteItemTypeDef"]:
        return [{"Put": {"TableName": self.sessions, "Item": tables.to_item(item)}} for item in items]

    def _views_gone(self, before: Session, after: Session) -> list["TransactWriteItemTypeDef"]:
        gone = set(session_items.view_partners(before)) - set(session_items.view_partners(after))
        keys = [session_items.view_key(before.session_id, partner_id) for partner_id in sorted(gone)]
        return [{"Delete": {"TableName": self.sessions, "Key": tables.key(*key)}} for key in keys]

    def _sessions(self, session_ids: Sequence[str]) -> list[Session]:
        keys = [(self.sessions, *session_items.session_key(session_id)) for session_id in session_ids]
        found = tables.get_many(self.client, keys)
        return [session_items.session_of(found[key]) for key in keys if key in found]
