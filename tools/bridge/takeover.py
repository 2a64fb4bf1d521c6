"""The CPO takes over (design decision 19): steering off and on, plans released, caps, and ends that nobody told.

All of it goes the way of a CSMS's own events, so that it does not matter who says it: the same use case writes the same
items, and whoever watches the sessions concerned is woken by them.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from ocpi_bridge.adapters.dynamodb.live_sessions import DynamoLiveSessions
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.sessions import DynamoSessionStore
from ocpi_bridge.adapters.dynamodb.station_states import DynamoStationStates
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.errors import BridgeError, UnknownEntity
from ocpi_bridge.domain.events import EventType, SessionStatus, StationEvent
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.runtime.clock import SystemClock
from ocpi_bridge.usecases.ingest_event import IngestEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class NewerWordStands(BridgeError):
    """What was told is older than what is known: it came from a clock that is ahead of this machine's."""

    def __init__(self, target: "Target") -> None:
        place = f"{target.csms_id}/{target.station_id}"
        super().__init__(
            f"{place}: something newer was told already, by a clock that is ahead of this machine's; compare the clocks, "
            "or try again in a few minutes"
        )


# A CLEAR takes a second or two on its way through stream, queue and CSMS; asking more often helps nobody.
POLL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Target:
    """What an operator means: a whole station, one of its EVSEs (by uid), or one session there."""

    csms_id: str
    station_id: str
    evse_uid: str | None = None
    session: Session | None = None

    def concerns(self, session: Session) -> bool:
        """Whether a session of the station is meant."""
        if self.session is not None:
            return session.session_id.casefold() == self.session.session_id.casefold()
        return self.evse_uid is None or session.evse_uid.casefold() == self.evse_uid.casefold()


@dataclass(frozen=True, slots=True)
class Concerned:
    """A live session that an operator's word concerns; `steered`: a plan is, or may be, at its charge point."""

    session: Session
    steered: bool


@dataclass(frozen=True, slots=True)
class Off:
    """What the CPO took back and did not give again: a whole station, or one of its EVSEs (its uid, folded)."""

    csms_id: str
    station_id: str
    evse_uid: str | None


@dataclass(frozen=True, slots=True)
class Takeover:
    """What operators do to stations and sessions of one deployment. `pause` waits some seconds."""

    registry: DynamoRegistry
    states: DynamoStationStates
    live: DynamoLiveSessions
    ingest: IngestEvent
    clock: Clock = field(default_factory=SystemClock)
    pause: Callable[[float], None] = time.sleep

    @classmethod
    def on_aws(cls, dynamodb: "DynamoDBClient", *, registry: str, sessions: str) -> Self:
        """Takeover on the tables of a deployment."""
        clock = SystemClock()
        store = DynamoSessionStore(dynamodb, sessions, registry)
        states = DynamoStationStates(dynamodb, registry)
        return cls(
            DynamoRegistry(dynamodb, registry),
            states,
            DynamoLiveSessions(dynamodb, sessions, registry),
            IngestEvent(store=store, states=states, clock=clock),
            clock,
        )

    # --- Targets -----------------------------------------------------------------------------------------------------

    def station(self, named: Target) -> Target:
        """A station as an operator named it, if there is one. Raises UnknownEntity."""
        if self.registry.get_station(named.csms_id, named.station_id) is None:
            raise UnknownEntity("station", f"{named.csms_id}/{named.station_id}")
        return named

    def evse(self, evse_uid: str) -> Target:
        """An EVSE by its uid. Raises UnknownEntity."""
        owner = self.registry.owner(evse_uid)
        if owner is None:
            raise UnknownEntity("EVSE", evse_uid)
        return Target(owner.csms_id, owner.station_id, evse_uid)

    def session(self, session_id: str) -> Target:
        """A session that is not over. Raises UnknownEntity."""
        session = self.live.session(session_id)
        if session is None or session.over:
            raise UnknownEntity("live session", session_id)
        return Target(session.csms_id, session.station_id, session.evse_uid, session)

    def all_of(self, csms_id: str) -> tuple[Target, ...]:
        """All stations of a CSMS. Raises UnknownEntity."""
        if self.registry.get_csms(csms_id) is None:
            raise UnknownEntity("CSMS", csms_id)
        return tuple(Target(csms_id, station.station_id) for station in self.registry.list_stations(csms_id))

    def everything(self) -> tuple[Target, ...]:
        """All stations of all CSMSs."""
        return tuple(target for csms in self.registry.list_csmss() for target in self.all_of(csms.csms_id))

    def sessions_of(self, partner_id: str) -> tuple[Target, ...]:
        """The live sessions that a partner sees. Raises UnknownEntity."""
        if self.registry.get_partner(partner_id) is None:
            raise UnknownEntity("partner", partner_id)
        return tuple(Target(one.csms_id, one.station_id, one.evse_uid, one) for one in self.live.of_partner(partner_id))

    # --- Taking over -------------------------------------------------------------------------------------------------

    def steer(self, targets: Iterable[Target], *, suspended: bool) -> tuple[Concerned, ...]:
        """Takes targets back from the partners, or gives them again; returns the live sessions that are concerned.

        Raises NewerWordStands, Contended, or UnknownEntity for a session that ended meanwhile; doing the same again is
        harmless.
        """
        kind = EventType.STEERING_SUSPENDED if suspended else EventType.STEERING_RESUMED
        concerned: list[Concerned] = []
        for target in targets:
            self._tell(kind, target)
            if self._is_off(target) is not suspended:
                raise NewerWordStands(target)
            concerned += self.concerned(target)
        return tuple(concerned)

    def cap(self, evse_uid: str, cap_w: Decimal | None) -> tuple[Concerned, ...]:
        """Sets the most that is allowed at an EVSE in W, or lifts what was set so; returns the live sessions there.

        The registry's own cap stays as it is; the lower one counts. Raises UnknownEntity, NewerWordStands or Contended.
        """
        target = self.evse(evse_uid)
        self._tell(EventType.CAP_CHANGED, target, cap_w)
        state = self.states.state(target.csms_id, target.station_id)
        if state.caps_w.get(evse_uid.casefold()) != cap_w:
            raise NewerWordStands(target)
        return self.concerned(target)

    def release(self, targets: Iterable[Target]) -> tuple[Session, ...]:
        """Has the plans at the targets' charge points cleared; returns the sessions that have, or may have, one.

        Whether they are gone tells `remaining`. Raises Contended; doing the same again is harmless.
        """
        released: list[Session] = []
        for target in targets:
            steered = [one.session for one in self.concerned(target) if one.steered]
            if steered:
                # A session that ended meanwhile has its plan cleared anyway.
                with suppress(UnknownEntity):
                    self._tell(EventType.STEERING_RELEASED, target)
            released += steered
        return tuple(released)

    def close(self, target: Target) -> Session:
        """Ends the target's session by the CPO's word, as its CSMS would; returns it as it is then.

        Raises UnknownEntity where it is gone meanwhile, or Contended.
        """
        assert target.session is not None
        self._tell(EventType.TRANSACTION_ENDED, target, told_status=SessionStatus.COMPLETED)
        closed = self.live.session(target.session.session_id)
        if closed is None or not closed.over:
            raise UnknownEntity("live session", target.session.session_id)
        return closed

    def remaining(
        self, sessions: Sequence[Session], within: timedelta, tell: Callable[[int], None]
    ) -> tuple[Session, ...]:
        """Waits until none of the sessions has a plan any more; returns those that still have one when time is over."""
        ends = self.clock.now() + within
        left = tuple(sessions)
        while left := self._steered(left):
            tell(len(left))
            if self.clock.now() >= ends:
                break
            self.pause(POLL_SECONDS)
        return left

    # --- Looking -----------------------------------------------------------------------------------------------------

    def concerned(self, target: Target) -> tuple[Concerned, ...]:
        """The live sessions of a target."""
        at_station = self.live.at_station(target.csms_id, target.station_id)
        sessions = [one for one in at_station if target.concerns(one)]
        steered = self._steered(sessions)
        return tuple(Concerned(one, one in steered) for one in sessions)

    def seen_by(self, partner_ids: Sequence[str] | None, most: int) -> tuple[Concerned, ...]:
        """The live sessions that partners see (None: all partners), `most` of each partner, the newest first.

        Raises UnknownEntity.
        """
        known = [partner.partner_id for partner in self.registry.list_partners()]
        for partner_id in partner_ids or ():
            if partner_id not in known:
                raise UnknownEntity("partner", partner_id)
        wanted = known if partner_ids is None else partner_ids
        sessions = {one.session_id: one for each in wanted for one in self.live.of_partner(each, most)}
        newest = sorted(sessions.values(), key=lambda one: one.start, reverse=True)
        steered = {one.session_id for one in self._steered(newest)}
        return tuple(Concerned(one, one.session_id in steered) for one in newest)

    def taken_back(self) -> tuple[Off, ...]:
        """All stations and EVSEs that partners may not steer by the CPO's word. Sessions are not among them."""
        return tuple(
            Off(csms.csms_id, station_id, uid)
            for csms in self.registry.list_csmss()
            for station_id, state in self.registry.station_states(csms.csms_id).items()
            for uid in [*([None] if state.steering_suspended else []), *sorted(state.suspended_evses)]
        )

    def _steered(self, sessions: Sequence[Session]) -> tuple[Session, ...]:
        """Those with a plan that is in force, or of whose charge point nobody knows what it was left with."""
        controls = self.live.controls(one.session_id for one in sessions)
        return tuple(one for one in sessions if self._has_plan(controls, one))

    def _has_plan(self, controls: Mapping[str, Control], session: Session) -> bool:
        control = controls[session.session_id]
        installed = control.installed is not None and control.installed.in_force(self.clock.now())
        return installed or control.in_the_dark

    def _is_off(self, target: Target) -> bool:
        """Whether the target itself was taken back, whatever else was."""
        if target.session is not None:
            session = self.live.session(target.session.session_id)
            return session is not None and session.steering_suspended
        state = self.states.state(target.csms_id, target.station_id)
        if target.evse_uid is None:
            return state.steering_suspended
        return target.evse_uid.casefold() in state.suspended_evses

    def _tell(
        self,
        kind: EventType,
        target: Target,
        cap_w: Decimal | None = None,
        *,
        told_status: SessionStatus | None = None,
    ) -> None:
        if self.ingest(replace(self._event(kind, target, cap_w), told_status=told_status)).lost:
            session = target.session
            raise UnknownEntity(
                "place" if session is None else "live session",
                f"{target.csms_id}/{target.station_id}" if session is None else session.session_id,
            )

    def _event(self, kind: EventType, target: Target, cap_w: Decimal | None = None) -> StationEvent:
        return StationEvent(
            event_id=f"operator-{uuid4()}",
            type=kind,
            time=self.clock.now(),
            csms_id=target.csms_id,
            station_id=target.station_id,
            evse_uid=target.evse_uid,
            session_id=target.session.session_id if target.session is not None else None,
            transaction_id=target.session.transaction_id if target.session is not None else None,
            cap_w=cap_w,
        )
