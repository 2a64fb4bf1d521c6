"""What the events of one transaction make of its session.

Events come twice, late and in any order. So nothing here counts on order: energy is the register's highest reading less
its lowest, and an event older than the newest one only adds what cannot be wrong. Ended is final, at partners too, so an
end waits a while for what should have come before it (docs/decisions/0015).
"""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.charging_periods import with_period
from ocpi_bridge.domain.events import ChargingState, EventType, SessionStatus, StationEvent
from ocpi_bridge.domain.followed_profiles import TOLERANCES
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.profile_ids import places_at, profile_id
from ocpi_bridge.domain.sessions import OVER, ChargingPeriod, Session, bounded
from ocpi_bridge.domain.stations import Csms, Outlet

# Currents below are the noise of a phase that the car does not use.
PHASE_IN_USE_A = Decimal(1)
# The namespace of our session ids: the same transaction gets the same id, however often its start is reported.
SESSION_NAMESPACE = uuid.UUID("5f0c1c7e-2a5b-4f6e-9f43-0c7c5b0a6d11")
# So long an end waits for a beginning that was not seen, and a session whose place another car took for its end: longer
# than queues and stations that were offline for a moment keep events back, shorter than anybody settles accounts.
GRACE = timedelta(minutes=15)
# Stations' clocks differ, and jump when they are set: less than this proves nothing.
CLOCK_TOLERANCE = timedelta(minutes=5)
# The CSMS's own word for an authorisation that was refused (OCPP 2.0.1 ReasonEnumType, 1.6 Reason).
DEAUTHORIZED = "DeAuthorized"

_BEFORE_ACTIVE = frozenset({SessionStatus.PENDING, SessionStatus.RESERVATION})
_UNAUTHORIZED_STATES = frozenset({ChargingState.IDLE, ChargingState.EV_CONNECTED})


def new_session(event: StationEvent, csms: Csms, outlet: Outlet, rights: Rights, now: datetime) -> Session:
    """The session that the first event seen of a transaction opens; the start itself may have been lost.

    Raises ValueError for an event that names no transaction.
    """
    if event.transaction_id is None:
        raise ValueError("only an event of a transaction opens a session")
    identity = "/".join((event.csms_id, event.station_id, event.transaction_id, event.time.isoformat()))
    session_id = event.session_id or str(uuid.uuid5(SESSION_NAMESPACE, identity))
    told = event.told_status if event.told_status in _BEFORE_ACTIVE else None
    reading = event.reading
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
        transaction_known=event.transaction_known,
        profile_id=profile_id(
            csms.profile_ids, session_id, outlet.number_at_station, places=places_at(outlet.station.evses)
        ),
        status=told or (SessionStatus.PENDING if _waits(event) else SessionStatus.ACTIVE),
        start=event.time,
        last_event_at=event.time,
        last_updated=now,
        opened_at=now,
        rights=rights,
        known_to=rights.seen_by,
        period_start=event.time,
        power_w=reading.power_w,
        current_a=_total(reading.current_a),
        soc=reading.soc,
        offered_a=reading.offered_a,
        offered_w=reading.offered_w,
        total_cost=event.total_cost,
    )
    return _with_reading(_with_identity(opened, event), event)


def advance(session: Session, event: StationEvent, now: datetime) -> tuple[Session, ChargingPeriod | None] | None:
    """The session after an event, with the charging period that it closes; None when the event changes nothing.

    `now` becomes `last_updated` (never going backwards). An end whose beginning is missing is kept (`ended_at`); the
    session is COMPLETED when that comes, or by the end's repetition at `closes_at`.
    """
    if session.over:
        return None
    changed = _with_reading(_with_identity(session, event), event)
    newest, ends = event.time >= session.last_event_at, tells_end(event)
    if newest or ends:
        changed = _with_newest(session, changed, event)
    if newest:
        changed = _still_there(_with_hints(session, changed, event, now), event)
    changed = _with_status(changed, event)
    if ends:
        changed = replace(
            changed,
            ended_at=session.ended_at or event.time,
            deauthorized=session.deauthorized or event.stop_reason == DEAUTHORIZED,
        )
    period: ChargingPeriod | None = None
    if changed.ended_at is not None:
        if event.told_status in OVER or not _misses(changed, now):
            changed, period = _completed(session, changed, invalid=event.told_status is SessionStatus.INVALID)
        else:
            changed = _held(changed, changed.ended_at or event.time, now + GRACE)
    elif newest:
        changed, period = with_period(session, changed, event.time)
    if changed == session:
        return None
    return replace(changed, version=session.version + 1, last_updated=max(now, session.last_updated)), period


def begins_anew(known: Session, event: StationEvent) -> bool:
    """Whether the event belongs to another transaction with the same id, a later one (OCPP 1.6 counts them anew).

    So does a start after the end, or later than anything that was seen (whose end then was lost), and whatever else
    happens long after the end.
    """
    if event.session_id is not None:
        return known.over and known.session_id.casefold() != event.session_id.casefold()
    started = event.type is EventType.TRANSACTION_STARTED
    ended = known.end if known.over else known.ended_at
    if ended is not None:
        return event.time > (ended if started else ended + GRACE)
    return started and event.time > known.last_event_at + CLOCK_TOLERANCE and not _repeats_start(known, event)


def belongs_before(newest: Session, former: Session | None, event: StationEvent) -> bool:
    """Whether the event, older than all that is known of the newest session, belongs to a former one with the same id.

    Where the former one is not known (any more), only the register tells: it cannot have been lower within the session.
    """
    began = newest.first_event_at or newest.start
    if former is None:
        meter, first = event.reading.meter_wh, newest.meter_start_wh
        known = newest.start_known and event.time < began
        return (
            known and began - event.time > CLOCK_TOLERANCE and meter is not None and first is not None and meter < first
        )
    ended = former.last_moment
    if event.time >= began:
        # The end that is taken for granted stands at the very instant when the next one began.
        return event.time == began == ended and not former.over and tells_end(event)
    return (ended is not None and event.time <= ended) or (newest.start_known and began - event.time > CLOCK_TOLERANCE)


def superseded(session: Session, by: datetime, now: datetime) -> Session:
    """The session after another car was seen at its place, since an instant; the same one where that is no news.

    It cannot be steered any more from now on, and is over when its end comes, or after a grace.
    """
    if session.over or session.ended_at is not None:
        return session
    if session.superseded_at is not None and session.superseded_at <= by:
        return session
    return replace(_held(session, by, now + GRACE), superseded_at=by, version=session.version + 1)


# --- When it began -----------------------------------------------------------------------------------------------------


def _with_identity(session: Session, event: StationEvent) -> Session:
    """What only the start tells: when, with which token. It may come after the first updates."""
    started = event.type is EventType.TRANSACTION_STARTED
    waited = session.waited or _waits(event)
    active_since = min(filter(None, (session.active_since, event.time if _activates(event) else None)), default=None)
    start = session.start
    if waited and active_since is not None:
        start = active_since
    elif started and not session.start_known:
        start = event.time
    elif started or not session.start_known:
        start = min(start, event.time)
    learned = not session.transaction_known and event.transaction_known and event.transaction_id is not None
    return replace(
        session,
        start=start,
        start_known=session.start_known or started,
        waited=waited,
        active_since=active_since,
        first_event_at=min(session.first_event_at or event.time, event.time),
        period_start=session.period_start if session.periods else start,
        token=session.token or event.id_token,
        auth_method=event.auth_method or session.auth_method,
        charging_state=session.charging_state or event.charging_state,
        transaction_id=(event.transaction_id or session.transaction_id) if learned else session.transaction_id,
        transaction_known=session.transaction_known or learned,
    )


def _waits(event: StationEvent) -> bool:
    """Whether a start shows that nobody has authorised it yet: the cable came first, as OCPP 2.0.1 can have it."""
    if event.told_status is not None:
        return event.told_status in _BEFORE_ACTIVE
    unauthorized = event.id_token is None and event.charging_state in _UNAUTHORIZED_STATES
    return event.type is EventType.TRANSACTION_STARTED and event.evse_id is not None and unauthorized


def _activates(event: StationEvent) -> bool:
    """Whether an event shows that the session is ACTIVE (9.4.4): authorised, with energy or without."""
    if event.told_status is not None:
        return event.told_status not in _BEFORE_ACTIVE
    state = event.charging_state
    shown = event.id_token is not None or (event.reading.power_w or 0) > 0
    if shown or (state is not None and state not in _UNAUTHORIZED_STATES):
        return True
    if event.evse_id is None and event.session_id is None:
        return True  # A transaction of OCPP 1.6 begins when it is authorised.
    return event.type is EventType.TRANSACTION_STARTED and state is None


def _with_status(session: Session, event: StationEvent) -> Session:
    """PENDING and RESERVATION become ACTIVE; nothing goes back."""
    if session.status not in _BEFORE_ACTIVE or event.told_status in _BEFORE_ACTIVE:
        return session
    if session.active_since is not None:
        return replace(session, status=SessionStatus.ACTIVE)
    if not session.kwh:
        return session
    if tells_end(event):
        return replace(session, status=SessionStatus.ACTIVE)  # Somewhere between its start and now.
    return replace(session, status=SessionStatus.ACTIVE, active_since=event.time, start=event.time)


def _repeats_start(known: Session, event: StationEvent) -> bool:
    """A start that is told again, with the time of its telling: the same card, and the register where it began."""
    same_meter = event.reading.meter_wh in {None, known.meter_start_wh}
    return known.start_known and same_meter and event.id_token in {None, known.token}


# --- What the meter and the charge point say ---------------------------------------------------------------------------


def _with_reading(session: Session, event: StationEvent) -> Session:
    """Energy never goes backwards, and phases once seen in use stay (a pause shows none).

    A register below the first is believed if it was read before that, or by the start itself; else it is a bad reading,
    or the meter was reset, and it would add the whole register to the energy.
    """
    seen = sum(1 for current in event.reading.current_a if current > PHASE_IN_USE_A) or None
    session = replace(session, phases=max(filter(None, (session.phases, seen)), default=None))
    meter, at = event.reading.meter_wh, event.time
    if meter is None:
        return session
    first, last = session.meter_start_wh, session.meter_wh
    if first is None or last is None:
        return replace(
            session, meter_start_wh=meter, meter_wh=meter, period_meter_wh=meter, meter_start_at=at, meter_at=at
        )
    if meter >= last:
        return replace(session, meter_wh=meter, meter_at=max(at, session.meter_at or at))
    started = event.type is EventType.TRANSACTION_STARTED
    if meter < first and (started or session.meter_start_at is None or at < session.meter_start_at):
        # Its energy belongs to the open period, the closed ones are told already.
        opened = (first if session.period_meter_wh is None else session.period_meter_wh) - (first - meter)
        return replace(session, meter_start_wh=meter, meter_start_at=at, period_meter_wh=opened)
    return session


def _with_newest(before: Session, session: Session, event: StationEvent) -> Session:
    """What counts only as of now. An end's own state is what came after the session."""
    reading = event.reading
    return replace(
        session,
        last_event_at=max(event.time, before.last_event_at),
        power_w=_newest(reading.power_w, before.power_w),
        current_a=_newest(_total(reading.current_a), before.current_a),
        soc=_newest(reading.soc, before.soc),
        offered_a=_newest(reading.offered_a, before.offered_a),
        offered_w=_newest(reading.offered_w, before.offered_w),
        charging_state=before.charging_state if tells_end(event) else event.charging_state or before.charging_state,
        total_cost=event.total_cost or before.total_cost,
    )


def _with_hints(before: Session, after: Session, event: StationEvent, now: datetime) -> Session:
    """Marks what hints at another profile being followed; whether the plan explains it is for who watches."""
    if event.limit is not None:
        # Without a course it tells only that the rate changed from outside (ChargingRateChanged).
        limit = before.reported_limit if event.limit.plan is None else bounded(event.limit)
        after = replace(after, profile_doubt_at=now, reported_limit=limit)
    paused = ChargingState.SUSPENDED_EVSE
    moved = (
        (before.charging_state is paused) != (after.charging_state is paused)
        or _moved(before.offered_a, after.offered_a, TOLERANCES[RateUnit.AMPERE])
        or _moved(before.offered_w, after.offered_w, TOLERANCES[RateUnit.WATT])
    )
    return replace(after, rate_hint_at=now) if moved else after


def _moved(before: Decimal | None, after: Decimal | None, tolerance: Decimal) -> bool:
    """A rate that is offered for the first time is news too: the limit may have been there before the session."""
    if after is None:
        return False
    return before is None or abs(after - before) > tolerance


# --- How it ends -------------------------------------------------------------------------------------------------------


def tells_end(event: StationEvent) -> bool:
    """Whether the event ends its session: by what it is, or by what the CSMS itself says of the session."""
    return event.type is EventType.TRANSACTION_ENDED or event.told_status in OVER


def _misses(session: Session, now: datetime) -> bool:
    """Whether something that should have come before the end may still come, and would change what the session is."""
    if session.opened_at is None or now >= session.opened_at + GRACE:
        return False
    if not session.start_known or session.waited:
        return True
    # The register at the end is all that matters of the energy.
    return session.meter_at is None or session.ended_at is None or session.meter_at < session.ended_at


def _held(session: Session, since: datetime, closes_at: datetime) -> Session:
    return replace(
        session,
        superseded_at=session.superseded_at or since,
        closes_at=session.closes_at or closes_at,
    )


def _still_there(session: Session, event: StationEvent) -> Session:
    """A session that goes on after another car was seen at its place was not left: one of the clocks was wrong then."""
    by = session.superseded_at
    goes_on = event.type is EventType.TRANSACTION_UPDATED and not tells_end(event)
    if by is None or session.ended_at is not None or not goes_on or event.time <= by + CLOCK_TOLERANCE:
        return session
    return replace(session, superseded_at=None, closes_at=None)


def _completed(before: Session, session: Session, *, invalid: bool) -> tuple[Session, ChargingPeriod | None]:
    """The session at its end. Refused by the CSMS, or never authorised, and without energy it is INVALID (9.4.4)."""
    never_active = session.waited and session.active_since is None
    refused = session.kwh == 0 and (session.deauthorized or never_active)
    end = max(session.ended_at or session.start, session.start)
    closed, period = with_period(before, session, end, ended=True)
    status = SessionStatus.INVALID if invalid or refused else SessionStatus.COMPLETED
    return replace(closed, status=status, end=end, closes_at=None), period


def _newest(value: Decimal | None, known: Decimal | None) -> Decimal | None:
    return known if value is None else value


def _total(currents: tuple[Decimal, ...]) -> Decimal | None:
    return sum(currents, Decimal(0)) if currents else None
