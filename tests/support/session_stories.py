"""Stories of sessions as the store gives them: a usual one, and what a test makes of it."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.events import EventType
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan, PlanPeriod, RateUnit
from ocpi_bridge.domain.requests import Callback, Delivery, Fit, Origin, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.stories import Milestones, PartnerStory, RequestStory, SessionStory
from tests.support.clocks import START
from tests.support.world import CARD, RESPONSE_URL, event, session_of


def at(minutes: float) -> datetime:
    """So many minutes after the session's start."""
    return START + timedelta(minutes=minutes)


def plan_of(*steps: tuple[float, str], unit: RateUnit = RateUnit.WATT, start: datetime | None = START) -> Plan:
    """A plan of steps: the minute, and the limit from then on."""
    return Plan(unit, tuple(PlanPeriod(int(minute * 60), Decimal(limit)) for minute, limit in steps), start)


def a_session(**changes: object) -> Session:
    """A session that goes on, with a card that nobody must see."""
    opened = session_of(event(EventType.TRANSACTION_STARTED, meter="1000", token=CARD))
    return replace(opened, **changes)  # type: ignore[arg-type]


def asked(
    minute: float,
    kind: RequestKind = RequestKind.SET,
    *,
    plan: Plan | None = None,
    profile: Plan | None = None,
    result: Result | None = Result.ACCEPTED,
    sent: bool = True,
    origin: Origin = Origin.PARTNER,
    fitted_to: Fit | None = None,
    **changes: object,
) -> RequestStory:
    """A request that was sent after 1 s, answered after 2 s and whose result was delivered after 3 s; or not."""
    made, by_partner = at(minute), origin is Origin.PARTNER
    request = Request(
        request_id=f"r{minute:g}",
        origin=origin,
        kind=kind,
        session_id="s1",
        csms_id="acme",
        station_id="CP-001",
        state=RequestState.PENDING,
        created_at=made,
        deadline=made + timedelta(seconds=50),
        timeout_at=made + timedelta(seconds=60),
        steps=(kind,),
        attempts=1 if sent else 0,
        number=None if kind in {RequestKind.GET, RequestKind.LEARN} else int(minute),
        partner_id="jedlix" if by_partner else None,
        callback=Callback(RESPONSE_URL, "corr-1", Party("NL", "ACM"), Party("NL", "JED")) if by_partner else None,
        fitted_to=fitted_to,
    )
    milestones = Milestones()
    if sent:
        second = made + timedelta(seconds=1)
        milestones = replace(milestones, first_sent_at=second, sent_at=second)
        request = replace(request, state=RequestState.SENT)
    if result is not None:
        milestones = replace(milestones, answered_at=made + timedelta(seconds=2))
        request = replace(request, state=RequestState.ANSWERED, result=result, reason="Accepted")
        if by_partner:
            third = made + timedelta(seconds=3)
            milestones = replace(milestones, first_delivery_at=third, closed_at=third)
            request = replace(request, state=RequestState.DELIVERED, delivery=Delivery(attempts=1))
    return RequestStory(replace(request, **changes), milestones, plan, profile)  # type: ignore[arg-type]


def a_story(
    *requests: RequestStory,
    session: Session | None = None,
    periods: tuple[ChargingPeriod, ...] = (),
    control: Control | None = None,
    partners: tuple[PartnerStory, ...] = (),
) -> SessionStory:
    """The story of a session with these requests."""
    known = session or a_session()
    return SessionStory(known, control or Control(known.session_id), requests, periods, partners)


def period(index: int, start: float, end: float, kw: str, amperes: str | None = None) -> ChargingPeriod:
    """A closed charging period between two minutes, at this power in kW and current in A over all phases."""
    current = None if amperes is None else Decimal(amperes)
    return ChargingPeriod(index, at(start), at(end), Decimal("0.1"), Decimal(kw), current)


def a_usual_story() -> SessionStory:
    """A car that got a plan, was read, measured, and told about: nothing went wrong."""
    plan = plan_of((1, "11000"), (31, "0"), (61, "7400"))
    composite = plan_of((2, "11000"), (31, "0"), (61, "7400"))
    session = a_session(phases=3, power_w=Decimal(0), status="ACTIVE")
    return a_story(
        asked(1, plan=plan),
        asked(2, RequestKind.GET, profile=replace(composite, start=at(2), duration=3600)),
        session=session,
        periods=(period(1, 0, 15, "10.9"), period(2, 15, 31, "11.0"), period(3, 31, 45, "0.0")),
        partners=(PartnerStory(Pushed("s1", "jedlix", version=3, at=at(32))),),
    )
