"""Sessions as events build them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import instants, persons, registry_items, session_items, tables, writes
from ocpi_bridge.domain.assignments import Rights, rights, scopes_of
from ocpi_bridge.domain.events import IdToken, SessionStatus, StationEvent
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.sessions import Neighbours, Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# DynamoDB's limit for one BatchGetItem.
READ_AT_ONCE = 100
# No station has so many places and cars; whatever fills it with more is not to be read for ever.
MOST_LISTED = 1000


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
        """See SessionStore: one call by its id, else two by way of the transaction."""
        pointer = self._pointer(event)
        named = (self.sessions, *session_items.session_key(event.session_id or ""))
        found = tables.get_many(self.client, [pointer, named] if event.session_id else [pointer])
        if named in found:
            return session_items.session_of(found[named])
        return self._session(found.get(pointer, {}).get("session_id"))

    def former_session_of(self, event: StationEvent) -> Session | None:
        """See SessionStore: two calls."""
        pointer = self._pointer(event)
        return self._session(tables.get_many(self.client, [pointer]).get(pointer, {}).get("former"))

    def live_at(self, csms_id: str, station_id: str) -> Sequence[Session]:
        """See SessionStore: a query of the station's live sessions and one call for them, for every 100."""
        return self._live(self._listed(csms_id, station_id, session_items.LIVE))

    def neighbours(self, csms_id: str, station_id: str) -> Neighbours:
        """See SessionStore: as live_at."""
        listed = self._listed(csms_id, station_id, session_items.CAR)
        cars = [item for item in listed if item["entity"] == "car"]
        return Neighbours(
            live=self._live([item for item in listed if item["entity"] == "live"]),
            newest={item["sk"].removeprefix(session_items.CAR): instants.from_epoch_ms(item["since"]) for item in cars},
        )

    def _listed(self, csms_id: str, station_id: str, first: str) -> list[dict[str, Any]]:
        """A station's entries from those with this beginning to those of live sessions."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.sessions,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=tables.values(
                pk=session_items.transactions_at(csms_id, station_id), first=first, last=f"{session_items.LIVE}\uffff"
            ),
            ConsistentRead=True,
            PaginationConfig={"MaxItems": MOST_LISTED, "PageSize": READ_AT_ONCE},
        )
        return [tables.from_item(item) for page in pages for item in page["Items"]]

    def _live(self, listed: Sequence[Mapping[str, Any]]) -> list[Session]:
        ids = [str(item["session_id"]) for item in listed]
        parts = [ids[first : first + READ_AT_ONCE] for first in range(0, len(ids), READ_AT_ONCE)]
        return [session for part in parts for session in self._sessions(part) if not session.over]

    def create(self, session: Session, replaces: Session | None) -> bool:
        """See SessionStore."""
        item = session_items.session_item(session)
        pointer = writes.update(
            self.sessions,
            self._transaction_key(session),
            {
                "entity": "transaction",
                "session_id": session.session_id,
                "expires_at": item["expires_at"],
                **({} if replaces is None else {"former": replaces.session_id}),
            },
            "attribute_not_exists(pk)" if replaces is None else "#session_id = :replaced",
            {} if replaces is None else {"replaced": replaces.session_id},
        )
        found_by = self._puts(persons.person_items(session))
        live = [] if session.over else self._puts([self._named(session, "live", session_items.live_key(session))])
        entries = [writes.put(self.sessions, item), pointer, *live, *self._views(session), *found_by]
        written = writes.write(self.client, entries)
        if written and session.status is not SessionStatus.RESERVATION:
            self._car_came(session)
        return written

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
        if after.transaction_id != before.transaction_id:
            pointer = self._named(after, "transaction", self._transaction_key(after))
            entries += self._puts([pointer])
            entries.append({"Delete": {"TableName": self.sessions, "Key": tables.key(*self._transaction_key(before))}})
        written = writes.write(self.client, entries)
        if written and after.over:
            # Apart from the session's own write: it only spares those who look for live sessions a reading.
            self.client.delete_item(TableName=self.sessions, Key=tables.key(*session_items.live_key(after)))
        return written

    def _car_came(self, session: Session) -> None:
        """Apart from the session's own write: only a session that is heard of after the next one is over needs it."""
        item = self._named(session, "car", session_items.car_key(session))
        item["since"] = instants.epoch_ms(session.start)
        put = writes.put(self.sessions, item, "attribute_not_exists(since) OR since < :since")
        put["Put"]["ExpressionAttributeValues"] = tables.values(since=item["since"])
        writes.write(self.client, [put])

    def _named(self, session: Session, entity: str, key: tuple[str, str]) -> dict[str, Any]:
        """An item that names the session and expires with it."""
        return {
            "pk": key[0],
            "sk": key[1],
            "entity": entity,
            "session_id": session.session_id,
            "expires_at": instants.expiry(session.last_updated, session_items.RETENTION.sessions),
        }

    def _transaction_key(self, session: Session) -> tuple[str, str]:
        return session_items.transaction_key(session.csms_id, session.station_id, session.transaction_id)

    def _pointer(self, event: StationEvent) -> tables.Key:
        key = session_items.transaction_key(event.csms_id, event.station_id, event.transaction_id or "")
        return (self.sessions, *key)

    def _session(self, session_id: str | None) -> Session | None:
        sessions = self._sessions([session_id]) if session_id is not None else []
        return sessions[0] if sessions else None

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
