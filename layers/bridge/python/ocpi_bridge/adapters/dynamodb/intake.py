"""The intake of requests: who calls, and what is around the session; reads in batches."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ocpi_bridge.adapters.dynamodb import (
    partner_items,
    registry_items,
    session_items,
    tables,
)
from ocpi_bridge.adapters.dynamodb.callers import DynamoCallers, caller_of
from ocpi_bridge.adapters.dynamodb.requests import DynamoRequestStore
from ocpi_bridge.adapters.dynamodb.token_items import token_key
from ocpi_bridge.domain.assignments import Rights, rights, scopes_of
from ocpi_bridge.domain.sessions import Session, reassigned
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.requests import Surroundings


@dataclass(frozen=True, slots=True)
class DynamoIntakeStore(DynamoRequestStore):
    """IntakeStore on the three tables."""

    registry: str

    def caller(self, token_hashes: Sequence[str], session_id: str | None = None) -> Caller:
        """See CallerStore: one call, also for the session and its control."""
        tokens = [(self.registry, *token_key(token_hash)) for token_hash in token_hashes]
        keys = list(tokens)
        if session_id is not None:
            keys.append((self.sessions, *session_items.session_key(session_id)))
            keys.append((self.sessions, *session_items.control_key(session_id)))
        found = tables.get_many(self.client, keys)
        caller = caller_of(found.get(key) for key in tokens)
        session = found.get((self.sessions, *session_items.session_key(session_id))) if session_id else None
        if caller.token is None or session_id is None or session is None:
            return caller
        known = session_items.session_of(session)
        control = found.get((self.sessions, *session_items.control_key(session_id)))
        return replace(caller, session=known, control=session_items.control_of(known.session_id, control))

    def settle_token(self, token: AcceptedToken) -> None:
        """See CallerStore."""
        DynamoCallers(self.client, self.registry).settle_token(token)

    def surroundings(self, partner_id: str, session: Session | None, at: datetime) -> Surroundings:
        """See IntakeStore: one call, for the assignments too."""
        keys = [(self.registry, *partner_items.partner_key(partner_id))]
        if session is not None:
            station = (session.csms_id, session.station_id)
            keys.append((self.registry, *registry_items.csms_key(session.csms_id)))
            keys.append((self.registry, *registry_items.station_key(*station)))
            keys.append((self.registry, *registry_items.station_state_key(*station)))
            scopes = scopes_of(session.evse_uid, session.location_id, session.token)
            keys += [(self.registry, *registry_items.assignments_key(scope, key)) for scope, key in scopes]
        found = tables.get_many(self.client, keys)
        items = [found.get(key) for key in keys] + [None] * 3
        partner, csms, station_item, state = items[:4]
        assigned = [one for item in items[4:] for one in registry_items.assignments_of(item)]
        return Surroundings(
            rights=rights(tuple(assigned), at),
            partner=partner_items.partner_of(partner) if partner else None,
            csms=registry_items.csms_of(csms) if csms else None,
            station=registry_items.station_of(station_item) if station_item else None,
            state=registry_items.station_state_of(state),
        )

    def reassign(self, session: Session, rights: Rights, at: datetime) -> None:
        """See IntakeStore."""
        after = reassigned(session, rights, at)
        if after is not session:
            # Rights seldom change between two events of a session: no start waits for this.
            from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore  # noqa: PLC0415

            sessions = DynamoSessionStore(self.client, self.sessions, self.registry)
            sessions.update(session, replace(after, version=session.version + 1), None)

    def note_refused_host(self, partner_id: str, host: str, reason: str, at: datetime) -> None:
        """See RefusedHosts."""
        DynamoCallers(self.client, self.registry).note_refused_host(partner_id, host, reason, at)
