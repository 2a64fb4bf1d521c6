"""A small world on the real stores: one partner, one CSMS, one station, and what a test makes happen there."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from ocpi_bridge.adapters.dynamodb import (
    instants,
    partner_items,
    reassessments,
    registry_items,
    request_items,
    session_items,
    token_items,
)
from ocpi_bridge.adapters.dynamodb import tables as dynamo
from ocpi_bridge.adapters.dynamodb.commands import DynamoCommandStore
from ocpi_bridge.adapters.dynamodb.deliveries import DynamoDeliveryStore
from ocpi_bridge.adapters.dynamodb.intake import DynamoIntakeStore
from ocpi_bridge.adapters.dynamodb.pushes import DynamoPushStore
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.silences import DynamoSilences
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.adapters.dynamodb.sweep import DynamoSweepStore
from ocpi_bridge.adapters.dynamodb.watch_items import watch_key
from ocpi_bridge.adapters.dynamodb.watches import DynamoWatchStore
from ocpi_bridge.domain.assignments import Assignment, Right, Rights, Scope
from ocpi_bridge.domain.controls import Control, NewestRequest, admit
from ocpi_bridge.domain.events import EventType, IdToken, Reading, StationEvent
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Callback, Origin, Request, RequestKind, RequestState
from ocpi_bridge.domain.session_course import new_session
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Csms, Station, find_outlet
from ocpi_bridge.domain.tokens import AcceptedToken, token_hash
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.commands import CommandContext
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.usecases.record_answer import RecordAnswer
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock
from tests.support.tables import AwsTables

TOKEN = "partner-token"
RESPONSE_URL = "https://www.jedlix.com/ocpi/2.2.1/chargingprofiles/response?request_id=123456"
TIMEOUT = timedelta(seconds=60)
DEADLINE = timedelta(seconds=50)
CARD = IdToken(uid="04AA-BB-CC", contract_id="NL-TNM-C12345678-X")
PAUSE_BETWEEN = Plan(
    RateUnit.WATT,
    tuple(PlanPeriod(start, Decimal(limit)) for start, limit in ((0, "10000.0"), (1800, "0.0"), (3600, "8000.0"))),
    START,
)


def event(
    kind: EventType,
    seconds: float = 0,
    *,
    meter: str | None = None,
    power: str | None = None,
    current: tuple[str, ...] = (),
    soc: str | None = None,
    token: IdToken | None = None,
    transaction_id: str | None = "778",
    connector_id: int | None = 1,
    evse_id: int | None = None,
    station_id: str = "CP-001",
    auth_method: str | None = None,
) -> StationEvent:
    """An event of the world's station, some seconds after the clock's start. Readings in Wh, W, A per phase."""
    return StationEvent(
        event_id=f"{kind}-{seconds}",
        type=kind,
        time=START + timedelta(seconds=seconds),
        csms_id="acme",
        station_id=station_id,
        connector_id=connector_id,
        evse_id=evse_id,
        transaction_id=transaction_id if kind.about_a_transaction else None,
        id_token=token,
        auth_method=auth_method,
        reading=Reading(
            meter_wh=None if meter is None else Decimal(meter),
            power_w=None if power is None else Decimal(power),
            current_a=tuple(Decimal(value) for value in current),
            soc=None if soc is None else Decimal(soc),
        ),
    )


def session_of(first: StationEvent, csms: Csms | None = None, station: Station | None = None) -> Session:
    """The session that an event opens, seen and steered by the world's partner."""
    outlet = find_outlet(station or registry_entries.station(), first.connector_id, first.evse_id)
    assert outlet is not None
    rights = Rights(frozenset({"jedlix"}), "jedlix")
    return new_session(first, csms or registry_entries.csms(), outlet, rights, now=first.time)


def _token_item(partner: Partner, token: str = TOKEN) -> Mapping[str, Any]:
    accepted = AcceptedToken(token_hash(token), partner.partner_id, partner.party, START)
    return token_items.token_item(accepted)


class World:
    """`tables` hold what the test put there; the stores are the real ones; `clock` moves when it is told to."""

    def __init__(self, tables: AwsTables) -> None:
        self.tables = tables
        self.clock = ManualClock()
        self.partner = registry_entries.partner()
        self.csms = registry_entries.csms()
        self.station = registry_entries.station()
        names = {"sessions": tables.sessions, "requests": tables.requests, "registry": tables.registry}
        self.intake = DynamoIntakeStore(tables.client, **names)
        self.commands = DynamoCommandStore(tables.client, **names, clock=self.clock)
        self.deliveries = DynamoDeliveryStore(tables.client, **names, clock=self.clock)
        self.sessions = DynamoSessionStore(tables.client, tables.sessions, tables.registry)
        self.pushes = DynamoPushStore(tables.client, tables.sessions, tables.registry, self.clock)
        self.silences = DynamoSilences(tables.client, tables.registry)
        self.watches = DynamoWatchStore(tables.client, **names, clock=self.clock)
        self.states = DynamoStationStates(tables.client, tables.registry)
        self.sweeps = DynamoSweepStore(tables.client, tables.sessions, tables.requests, tables.registry)
        self._put(
            tables.registry,
            partner_items.partner_item(self.partner, 1),
            _token_item(self.partner),
            registry_items.csms_item(self.csms, 1),
            registry_items.station_item(self.station, 1),
        )

    def record(self) -> RecordAnswer:
        """The recording of charge points' answers."""
        return RecordAnswer(self.commands, self.states, self.clock)

    # --- Registry ------------------------------------------------------------------------------------------------

    def put_partner(self, partner: Partner, token: str | None = TOKEN) -> None:
        self._put(self.tables.registry, partner_items.partner_item(partner, 1))
        if token is not None:
            self._put(self.tables.registry, _token_item(partner, token))
        if partner.partner_id == self.partner.partner_id:
            self.partner = partner

    def put_csms(self, csms: Csms) -> None:
        self._put(self.tables.registry, registry_items.csms_item(csms, 1))
        self.csms = csms

    def put_station(self, station: Station) -> None:
        self._put(self.tables.registry, registry_items.station_item(station, 1))
        self.station = station

    def put_assignment(self, assignment: Assignment) -> None:
        item = registry_items.assignments_item(assignment.scope, assignment.key, [assignment], 1)
        self._put(self.tables.registry, item)

    def reassess(self, partner_id: str) -> None:
        """Whoever changes what a partner may see or steer leaves this note."""
        self._put(self.tables.registry, reassessments.reassessment_item(partner_id))

    def set_state(self, *, online: bool | None = None, steering_suspended: bool | None = None) -> None:
        """What is known of the station."""
        place, now = (self.station.csms_id, self.station.station_id), self.clock.now()
        if online is not None:
            self.states.set_online(*place, online=online, at=now)
        if steering_suspended is not None:
            self.states.set_steering(*place, None, suspended=steering_suspended, at=now)

    def remove(self, key: dynamo.ItemKey) -> None:
        self.tables.client.delete_item(TableName=self.tables.registry, Key=dynamo.key(*key))

    # --- Sessions and requests -----------------------------------------------------------------------------------

    def open_session(
        self,
        first: StationEvent | None = None,
        **changes: Any,  # noqa: ANN401 - any field of a session
    ) -> Session:
        """A stored session of the partner, as the event opens it and with what differs from that."""
        opening = first or event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD)
        session = replace(session_of(opening, self.csms, self.station), **changes)
        self.put_session(session)
        self.assign(session)
        return session

    def assign(self, session: Session) -> None:
        """Assignments on the session's EVSE that give the rights it has."""
        rights = session.rights
        given = [
            replace(
                registry_entries.assignment(),
                partner_id=partner_id,
                scope=Scope.EVSE,
                key=session.evse_uid,
                right=Right.STEER if partner_id == rights.steered_by else Right.SEE,
                valid_from=START - timedelta(days=1),
            )
            for partner_id in sorted(rights.seen_by)
        ]
        self._put(self.tables.registry, registry_items.assignments_item(Scope.EVSE, session.evse_uid, given, 1))

    def put_session(self, session: Session) -> None:
        views = (session_items.view_item(session, one) for one in session_items.view_partners(session))
        self._put(self.tables.sessions, session_items.session_item(session), *views)

    def accept_put(
        self, session: Session, request_id: str = "r1", plan: Plan | None = None, *, by: Partner | None = None
    ) -> Request:
        """A PUT of the partner, or of another one, accepted as the intake does it."""
        partner = by or self.partner
        before = self.control(session)
        timeout_at = self.clock.now() + TIMEOUT
        newest = NewestRequest(request_id, request_id, timeout_at, int(TIMEOUT.total_seconds()))
        admitted = admit(before, partner, RequestKind.SET, newest, self.clock.now())
        assert admitted is not None
        after, number = admitted
        wanted = plan or PAUSE_BETWEEN
        request = self._request(
            session, RequestKind.SET, wanted, request_id=request_id, number=number, partner_id=partner.partner_id
        )
        assert self.intake.accept(request, wanted, before, replace(after, unit=wanted.unit))
        return request

    def put_request(
        self,
        session: Session,
        kind: RequestKind = RequestKind.SET,
        **changes: Any,  # noqa: ANN401 - any field of a request, and its plan
    ) -> Request:
        """A stored request of the partner on the session, just accepted, and what differs from that."""
        plan: Plan | None = changes.pop("plan", PAUSE_BETWEEN if kind is RequestKind.SET else None)
        request = self._request(session, kind, plan, **changes)
        item, *apart = request_items.request_items(request, plan)
        if request.result is not None:
            item |= {"result": request.result.value, "reason": request.reason}
        self._put(self.tables.requests, item, *apart)
        return request

    def _request(
        self,
        session: Session,
        kind: RequestKind,
        plan: Plan | None,
        **changes: Any,  # noqa: ANN401 - any field of a request
    ) -> Request:
        now = self.clock.now()
        accepted = Request(
            request_id="r1",
            origin=Origin.PARTNER,
            kind=kind,
            session_id=session.session_id,
            csms_id=session.csms_id,
            station_id=session.station_id,
            state=RequestState.PENDING,
            created_at=now,
            deadline=now + DEADLINE,
            timeout_at=now + TIMEOUT,
            steps=(kind,),
            number=None if kind is RequestKind.GET else 1,
            partner_id=self.partner.partner_id,
            callback=Callback(RESPONSE_URL, "corr-1", Party("NL", "ACM"), self.partner.party),
            unit=plan.unit if plan is not None else None,
            duration=900 if kind is RequestKind.GET else None,
        )
        return replace(accepted, **changes)

    def set_control(self, session: Session, **attributes: object) -> None:
        """Attributes of the session's control item, as the table has them (`sent`, `accepted`, `version` ...)."""
        pk, sk = session_items.control_key(session.session_id)
        self._put(self.tables.sessions, {"pk": pk, "sk": sk, "entity": "control", "version": 1, **attributes})

    # --- What is there now ---------------------------------------------------------------------------------------

    def request(self, request_id: str = "r1") -> Request:
        found = self.deliveries.request(request_id)
        assert found is not None
        return found

    def requests(self) -> list[Request]:
        """All requests, the oldest number first."""
        items = [dynamo.from_item(item) for item in self.tables.items(self.tables.requests)]
        found = [request_items.request_of(item) for item in items if item["entity"] == "request"]
        return sorted(found, key=lambda request: request.number or 0)

    def request_item(self, request_id: str = "r1") -> Mapping[str, Any]:
        key = (self.tables.requests, *request_items.request_key(request_id))
        return dynamo.get_many(self.tables.client, [key])[key]

    def control(self, session: Session) -> Control:
        return self.intake.control(session.session_id)

    def session(self, session_id: str) -> Session:
        found = self.pushes.push_context(session_id, "jedlix").session
        assert found is not None
        return found

    def stored_sessions(self) -> list[Session]:
        items = [dynamo.from_item(item) for item in self.tables.items(self.tables.sessions)]
        return [session_items.session_of(item) for item in items if item["entity"] == "session"]

    def pushed(self, session: Session, partner_id: str = "jedlix") -> Pushed:
        return self.pushes.push_context(session.session_id, partner_id).pushed

    def watch(self, session: Session, partner_id: str = "jedlix") -> Watch | None:
        return self.pushes.push_context(session.session_id, partner_id).watch

    def watch_due(self, session: Session, partner_id: str = "jedlix") -> datetime:
        """When the sweep wakes the watch."""
        key = (self.tables.sessions, *watch_key(session.session_id, partner_id))
        return instants.from_epoch_ms(dynamo.get_many(self.tables.client, [key])[key]["due_at"])

    def context(self, request_id: str = "r1") -> CommandContext:
        found = self.commands.command_context(request_id)
        assert found is not None
        return found

    def due_pushes(self, at: datetime | None = None) -> list[tuple[str, str]]:
        due = self.sweeps.due_in_sessions(at or self.clock.now()).pushes
        return [(push.session_id, push.partner_id) for push in due]

    def _put(self, table: str, *items: Mapping[str, Any]) -> None:
        self.tables.put(table, *(dynamo.to_item(item) for item in items))
