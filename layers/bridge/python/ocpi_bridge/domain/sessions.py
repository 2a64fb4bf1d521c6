"""Sessions: what the events of one transaction add up to (OCPI 9.3.1).

Events come twice, late and in any order. So nothing here counts on order: energy is the register's highest reading less
its lowest, ended is final, and an event older than the newest one only adds what cannot be wrong.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zlib import crc32

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import (
    ChargingState,
    EventType,
    IdToken,
    Reading,
    ReportedLimit,
    SessionStatus,
    StationEvent,
)
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.stations import Csms, Outlet, ProfileIdRange

# OCPI 9.3.1 advises against a charging period a minute; quarters of an hour are what tariffs and SCSPs use.
PERIOD_LENGTH = timedelta(minutes=15)
# A change of power by this share (and at least this many W) is worth a charging period of its own.
POWER_CHANGE_SHARE = Decimal("0.1")
POWER_CHANGE_W = Decimal(500)
# Currents below are the noise of a phase that the car does not use.
PHASE_IN_USE_A = Decimal(1)
# The namespace of our session ids: the same transaction gets the same id, however often its start is reported.
SESSION_NAMESPACE = uuid.UUID("5f0c1c7e-2a5b-4f6e-9f43-0c7c5b0a6d11")
# Energy is told in kWh to the Wh, power in kW to the W.
TO_THE_WH = Decimal("0.001")
# Places to charge at one station never share a profile id, whatever the hash.
PLACES_PER_STATION = 64


@dataclass(frozen=True, slots=True)
class ChargingPeriod:
    """A closed stretch of a session (OCPI 10.4.6): `index` counts from 1; energy in kWh, power in kW, current in A.

    `current` is the sum over the phases. It is appended to the session at the partner exactly once.
    """

    index: int
    start: datetime
    end: datetime
    energy: Decimal
    power: Decimal
    current: Decimal | None = None
    soc: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One charging session. Energy registers are in Wh; `phases` is the most phases seen in use, never recomputed.

    `transaction_known`: `transaction_id` is OCPP's, so charging profiles can name it; without it nothing can be steered.
    `superseded_at` is when another car was seen at the connector though this transaction's end never came;
    `steering_suspended` and `released_at` are the CPO's own word on this session (design decision 19).

    `version` counts writes. `period_start` and `period_meter_wh` are where the open charging period began; `periods`
    counts the closed ones. `rights` were decided from the CPO's assignments; `known_to` are all partners that ever had
    the right to see it. `profile_doubt_at` is when something last happened that may have changed the profile that the
    charge point follows, other than a partner's own request; `rate_hint_at` is when the charge point last showed that it
    charges otherwise than before (offered current, its own pause), which the plan may well explain. `reported_limit` is
    the CPO's or the site's limit as the CSMS told it last, for stations that give no composite schedule.
    """

    session_id: str
    csms_id: str
    station_id: str
    country_code: str
    party_id: str
    location_id: str
    evse_uid: str
    connector_id: str
    currency: str
    transaction_id: str
    profile_id: int
    status: SessionStatus
    start: datetime
    last_event_at: datetime
    last_updated: datetime
    rights: Rights
    token: IdToken | None = None
    auth_method: str = "WHITELIST"
    end: datetime | None = None
    meter_start_wh: Decimal | None = None
    meter_wh: Decimal | None = None
    power_w: Decimal | None = None
    current_a: Decimal | None = None
    soc: Decimal | None = None
    offered_a: Decimal | None = None
    offered_w: Decimal | None = None
    phases: int | None = None
    charging_state: ChargingState | None = None
    period_start: datetime | None = None
    period_meter_wh: Decimal | None = None
    periods: int = 0
    version: int = 1
    total_cost: Price | None = None
    known_to: frozenset[str] = frozenset()
    profile_doubt_at: datetime | None = None
    rate_hint_at: datetime | None = None
    reported_limit: ReportedLimit | None = None
    transaction_known: bool = True
    superseded_at: datetime | None = None
    steering_suspended: bool = False
    released_at: datetime | None = None

    @property
    def steerable(self) -> bool:
        """Whether a charging profile could be set at all: it is ACTIVE, its transaction known, no other car there."""
        active = self.status is SessionStatus.ACTIVE and self.superseded_at is None
        return active and self.transaction_known and bool(self.transaction_id)

    @property
    def kwh(self) -> Decimal:
        """Energy charged so far, in kWh, to the Wh."""
        if self.meter_wh is None or self.meter_start_wh is None:
            return Decimal(0)
        return _kwh(self.meter_wh - self.meter_start_wh)

    @property
    def over(self) -> bool:
        """Nothing may change at the partner any more, and no command may go to the charge point."""
        return self.status in {SessionStatus.COMPLETED, SessionStatus.INVALID}


def new_session(event: StationEvent, csms: Csms, outlet: Outlet, rights: Rights, now: datetime) -> Session:
    """The session that the first event seen of a transaction opens; the start itself may have been lost."""
    if event.transaction_id is None:
        raise ValueError("only an event of a transaction opens a session")
    identity = "/".join((event.csms_id, event.station_id, event.transaction_id, event.time.isoformat()))
    session_id = str(uuid.uuid5(SESSION_NAMESPACE, identity))
    opened = Session(
        session_id=session_id,
        csms_id=event.csms_id,
        station_id=event.station_id,
        country_code=csms.country_code,
        party_id=csms.party_id,
        location_id=outlet.station.location_id,
        evse_uid=outlet.evse.uid,
        connector_id=outlet.connector.connector_id,
        currency=outlet.station.currency,
        transaction_id=event.transaction_id,
        profile_id=profile_id(csms.profile_ids, session_id, outlet.number_at_station),
        status=SessionStatus.ACTIVE,
        start=event.time,
        last_event_at=event.time,
        last_updated=now,
        rights=rights,
        known_to=rights.seen_by,
        period_start=event.time,
        period_meter_wh=event.reading.meter_wh,
    )
    return _with_reading(_with_identity(opened, event), event.reading)


def profile_id(reserved: ProfileIdRange, session_id: str, number_at_station: int) -> int:
    """The chargingProfileId of a session, from the CSMS's reserved range.

    The same for every plan of the session, so that a new plan replaces the old one; another one for the next session,
    so that a late clear never hits the next car; never equal for two places to charge of a station.
    """
    slots = max(1, (reserved.last - reserved.first + 1) // PLACES_PER_STATION)
    slot = crc32(session_id.encode()) % slots
    return reserved.first + slot * PLACES_PER_STATION + number_at_station % PLACES_PER_STATION


def advance(session: Session, event: StationEvent, now: datetime) -> tuple[Session, ChargingPeriod | None] | None:
    """The session after an event, with the charging period that it closes; None when the event changes nothing.

    `now` becomes `last_updated` (never going backwards).
    """
    if session.over:
        return None
    changed = _with_reading(_with_identity(session, event), event.reading)
    period: ChargingPeriod | None = None
    if event.time >= session.last_event_at or event.type is EventType.TRANSACTION_ENDED:
        changed = replace(
            changed,
            last_event_at=max(event.time, session.last_event_at),
            power_w=_newest(event.reading.power_w, session.power_w),
            current_a=_newest(_total(event.reading.current_a), session.current_a),
            soc=_newest(event.reading.soc, session.soc),
            charging_state=event.charging_state or session.charging_state,
            total_cost=event.total_cost or session.total_cost,
        )
        changed, period = _with_period(session, changed, event)
    if event.type is EventType.TRANSACTION_ENDED:
        changed = replace(changed, status=SessionStatus.COMPLETED, end=max(event.time, changed.start))
    if changed == session:
        return None
    return replace(changed, version=session.version + 1, last_updated=max(now, session.last_updated)), period


def reassigned(session: Session, rights: Rights, now: datetime) -> Session:
    """The session with the rights that the CPO's assignments give now; the same one where they are the same.

    `last_updated` moves, so that whoever may see it from now on finds it among the new ones. `version` is the caller's.
    """
    if rights == session.rights:
        return session
    return replace(
        session,
        rights=rights,
        known_to=session.known_to | rights.seen_by,
        last_updated=max(now, session.last_updated),
    )


def doubted(session: Session, now: datetime) -> Session:
    """The session after something that may have changed the profile that its charge point follows."""
    return replace(session, profile_doubt_at=now, version=session.version + 1)


def _with_identity(session: Session, event: StationEvent) -> Session:
    """What only the start tells: when, with which token. It may come after the first updates."""
    started = event.type is EventType.TRANSACTION_STARTED
    start = min(session.start, event.time) if started else session.start
    return replace(
        session,
        start=start,
        period_start=session.period_start if session.periods else start,
        token=session.token or event.id_token,
        auth_method=event.auth_method or session.auth_method,
        charging_state=session.charging_state or event.charging_state,
    )


def _with_reading(session: Session, reading: Reading) -> Session:
    """Energy never goes backwards, and phases once seen in use stay (a pause shows none)."""
    seen = sum(1 for current in reading.current_a if current > PHASE_IN_USE_A) or None
    lowest = [value for value in (session.meter_start_wh, reading.meter_wh) if value is not None]
    highest = [value for value in (session.meter_wh, reading.meter_wh) if value is not None]
    first = min(lowest, default=None)
    period_meter = reading.meter_wh if session.period_meter_wh is None else session.period_meter_wh
    if period_meter is not None and session.meter_start_wh is not None and first is not None:
        # A lower reading that comes late: its energy belongs to the open period, the closed ones are told already.
        period_meter -= session.meter_start_wh - first
    return replace(
        session,
        meter_start_wh=first,
        meter_wh=max(highest, default=None),
        phases=max(filter(None, (session.phases, seen)), default=None),
        period_meter_wh=period_meter,
    )


def _with_period(before: Session, after: Session, event: StationEvent) -> tuple[Session, ChargingPeriod | None]:
    start, meter_at_start, meter = after.period_start, after.period_meter_wh, after.meter_wh
    if start is None or meter_at_start is None or meter is None or event.time <= start:
        return after, None
    ended = event.type is EventType.TRANSACTION_ENDED
    if not (ended or event.time - start >= PERIOD_LENGTH or _power_changed(before.power_w, after.power_w)):
        return after, None
    # As a difference of what the session told, so that the periods add up to it whatever was rounded.
    energy = max(Decimal(0), after.kwh - _kwh(meter_at_start - (after.meter_start_wh or Decimal(0))))
    hours = Decimal((event.time - start) / timedelta(hours=1))
    period = ChargingPeriod(
        index=after.periods + 1,
        start=start,
        end=event.time,
        energy=energy,
        power=(energy / hours).quantize(TO_THE_WH),
        # The new one belongs to the next period: it may be what ended this one.
        current=_newest(before.current_a, after.current_a),
        soc=after.soc,
    )
    return replace(after, period_start=event.time, period_meter_wh=meter, periods=period.index), period


def _power_changed(before: Decimal | None, after: Decimal | None) -> bool:
    if before is None or after is None:
        return False
    return abs(after - before) > max(POWER_CHANGE_W, before * POWER_CHANGE_SHARE)


def _kwh(wh: Decimal) -> Decimal:
    return (wh / 1000).quantize(TO_THE_WH)


def _newest(value: Decimal | None, known: Decimal | None) -> Decimal | None:
    return known if value is None else value


def _total(currents: tuple[Decimal, ...]) -> Decimal | None:
    return sum(currents, Decimal(0)) if currents else None
