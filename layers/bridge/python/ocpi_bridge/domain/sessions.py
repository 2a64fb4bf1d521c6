"""Sessions, as partners see them and as the bridge steers them (OCPI 9.3.1). What events make of them: session_course."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.assignments import Rights
from ocpi_bridge.domain.events import ChargingState, EventType, IdToken, ReportedLimit, SessionStatus
from ocpi_bridge.domain.prices import Price
from ocpi_bridge.domain.values import dataclass

# Energy is told in kWh to the Wh, power in kW to the W.
TO_THE_WH = Decimal("0.001")
MICROSECONDS_PER_HOUR = 3_600_000_000
# What is kept of a limit's course: two days of hours, so that a session stays a small item.
REPORTED_PERIODS = 48

OVER = frozenset({SessionStatus.COMPLETED, SessionStatus.INVALID})


@dataclass(frozen=True, slots=True)
class ChargingPeriod:
    """A closed stretch of a session (OCPI 10.4.6): `index` counts from 1; energy in kWh, power in kW, current in A.

    `current` is the sum over the phases. `parking` are the hours in which the vehicle asked for no power (SuspendedEV; a
    pause of ours is none). It is appended to the session at the partner exactly once.
    """

    index: int
    start: datetime
    end: datetime
    energy: Decimal
    power: Decimal
    current: Decimal | None = None
    soc: Decimal | None = None
    parking: Decimal | None = None

    @property
    def time(self) -> Decimal:
        """Hours in which the vehicle could charge."""
        return hours(self.end - self.start) - (self.parking or Decimal(0))


@dataclass(frozen=True, slots=True)
class Session:
    """One charging session. Energy registers are in Wh; `phases` is the most phases seen in use, never recomputed.

    `transaction_known`: `transaction_id` is OCPP's, so charging profiles can name it; without it nothing can be steered.
    `superseded_at` is since when the place is not this session's any more though it is not over: another car was seen
    there, or the end was told (`ended_at`) but what came before it was not. `closes_at` is when it is over all the same.
    `steering_suspended` and `released_at` are the CPO's own word on this session (design decision 19), `steering_at` and
    `release_told_at` when it was said.

    `opened_at` is when the session was first heard of, `first_event_at` the earliest that is known to have happened in
    it; `start_known`: that is its start event's. `waited`: the start showed no authorisation, so the session began when
    it did, at `active_since`. `meter_start_at` and `meter_at` are when the lowest and the highest register were read.

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
    steering_at: datetime | None = None
    release_told_at: datetime | None = None
    opened_at: datetime | None = None
    first_event_at: datetime | None = None
    start_known: bool = False
    waited: bool = False
    active_since: datetime | None = None
    meter_start_at: datetime | None = None
    meter_at: datetime | None = None
    ended_at: datetime | None = None
    deauthorized: bool = False
    closes_at: datetime | None = None

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
        return in_kwh(self.meter_wh - self.meter_start_wh)

    @property
    def over(self) -> bool:
        """Nothing may change at the partner any more, and no command may go to the charge point."""
        return self.status in OVER

    @property
    def concerns(self) -> tuple[str, ...]:
        """All partners that ever saw it: who may not any more may still have a plan at its charge point."""
        return tuple(sorted(self.known_to | self.rights.seen_by))

    @property
    def place(self) -> str:
        """The connector at its station: sessions with one place are one after the other."""
        return place_of(self.evse_uid, self.connector_id)

    @property
    def last_moment(self) -> datetime | None:
        """When it ended, or was seen to have ended; None as long as it goes on."""
        return self.end or self.ended_at or self.superseded_at


def place_of(evse_uid: str, connector_id: str) -> str:
    """A connector at its station, by OCPI's ids, which are compared without case."""
    return f"{evse_uid}/{connector_id}".casefold()


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


def doubted(session: Session, now: datetime, limit: ReportedLimit | None = None) -> Session:
    """The session after something that may have changed the profile that its charge point follows.

    With the limit that the CSMS told of it, where it did.
    """
    return replace(
        session,
        profile_doubt_at=now,
        reported_limit=bounded(limit) if limit else session.reported_limit,
        version=session.version + 1,
    )


def told_steering(session: Session, kind: EventType, at: datetime, now: datetime) -> Session:
    """The session after the CPO's word on itself (design decision 19), at an instant by the CPO's clock.

    The same one where the CPO has said something newer, or just this, already.
    """
    if kind is EventType.STEERING_RELEASED:
        if session.release_told_at is not None and at <= session.release_told_at:
            return session
        return replace(doubted(session, now), released_at=now, release_told_at=at)
    if session.steering_at is not None and at <= session.steering_at:
        return session
    suspended = kind is EventType.STEERING_SUSPENDED
    return replace(doubted(session, now), steering_suspended=suspended, steering_at=at)


def bounded(limit: ReportedLimit) -> ReportedLimit:
    """The limit with no more of its course than a session keeps."""
    plan = limit.plan
    if plan is None or len(plan.periods) <= REPORTED_PERIODS:
        return limit
    cut = plan.periods[REPORTED_PERIODS].start
    duration = cut if plan.duration is None else min(cut, plan.duration)
    return replace(limit, plan=replace(plan, periods=plan.periods[:REPORTED_PERIODS], duration=duration))


def hours(length: timedelta) -> Decimal:
    """A length of time in hours."""
    return Decimal(length // timedelta(microseconds=1)) / MICROSECONDS_PER_HOUR


def in_kwh(wh: Decimal) -> Decimal:
    """Wh in kWh, to the Wh."""
    return (wh / 1000).quantize(TO_THE_WH)
