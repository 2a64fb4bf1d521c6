"""Sessions as events build them."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import registry_items, session_items, tables, writes
from ocpi_bridge.domain.events import IdToken, StationEvent
from ocpi_bridge.domain.partners import Rights, Scope, emsp_of, rights
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.stations import Outlet
from ocpi_bridge.ports import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
        found = tables.get_many(self.client, [csms, station])
        return Place(
            csms=registry_items.csms_of(found[csms]) if csms in found else None,
            station=registry_items.station_of(found[station]) if station in found else None,
        )

    def rights(self, outlet: Outlet, token: IdToken | None, at: datetime) -> Rights:
        """See SessionStore: one call for all scopes that touch the session."""
        scopes = [(Scope.EVSE, outlet.evse.uid), (Scope.LOCATION, outlet.station.location_id)]
        if token is not None:
            scopes.append((Scope.TOKEN, token.uid))
            if token.contract_id is not None:
                scopes.append((Scope.CONTRACT, token.contract_id))
                emsp = emsp_of(token.contract_id)
                if emsp is not None:
                    scopes.append((Scope.EMSP, f"{emsp.country_code}/{emsp.party_id}"))
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
        key = (self.sessions, *session_items.session_key(str(found["session_id"])))
        item = tables.get_many(self.client, [key]).get(key)
        return session_items.session_of(item) if item else None

    def create(self, session: Session, replaces: Session | None) -> bool:
        """See SessionStore."""
        item = session_items.session_item(session)
        pointer = writes.update(
            self.sessions,
            session_items.transaction_key(session.csms_id, session.station_id, session.transaction_id),
            {"entity": "transaction", "session_id": session.session_id, "expires_at": item["expires_at"]},
            "attribute_not_exists(pk)" if replaces is None else "#session_id = :replaced",
            {} if replaces is None else {"replaced": replaces.session_id},
        )
        return writes.write(self.client, [writes.put(self.sessions, item), pointer])

    def update(self, before: Session, after: Session, period: ChargingPeriod | None) -> bool:
        """See SessionStore."""
        put = writes.put(self.sessions, session_items.session_item(after), "version = :before")
        put["Put"]["ExpressionAttributeValues"] = tables.values(before=before.version)
        entries = [put]
        if period is not None:
            entries.append(writes.put(self.sessions, session_items.period_item(after, period)))
        return writes.write(self.client, entries)

    def station_online(self, csms_id: str, station_id: str, *, online: bool, at: datetime) -> None:
        """See SessionStore."""
        entry = writes.update(
            self.registry,
            registry_items.station_state_key(csms_id, station_id),
            {"entity": "station_state", "online": online, "online_at": session_items.epoch_ms(at)},
            "attribute_not_exists(#online_at) OR #online_at <= :online_at",
            {},
        )
        writes.write(self.client, [entry])
