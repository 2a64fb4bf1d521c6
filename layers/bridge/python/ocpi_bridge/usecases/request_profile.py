"""A partner wants something of a session's charge point: check it, accept it, answer at once (OCPI 14.4.1).

The checks come in the order of the decisions (docs/architecture.md); whatever says no, says it before anything is
written. Accepting is one transaction: the request, its plan, and the session's control (number, rate, newest request).
"""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from ocpi_bridge.domain.controls import Control, NewestRequest, admit, repeated
from ocpi_bridge.domain.errors import Contended, InvalidInput, PlanRefused
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.fitting import fitted
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.plan_sending import fail_safe_of, steps_of
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Callback, Origin, Request, RequestKind, RequestState
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import (
    CHARGING_PROFILE_CAPABLE,
    Outlet,
    Quirk,
    maximum_power,
    outlet_as_it_is,
    replacement_at,
)
from ocpi_bridge.domain.url_guard.urls import check_callback_url, partner_hosts
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.charging_profiles import (
    ChargingProfileCall,
    ChargingProfileResponse,
    ClearProfile,
    ReadActiveProfile,
    ResponseType,
    SetProfile,
)
from ocpi_bridge.ocpi.transport import CallContext, TransportError
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.requests import IntakeStore, Surroundings

# Between our own deadline and the timeout that the partner was told: room to deliver the REJECTED of an expired
# request, with its first retries.
DELIVERY_MARGIN = timedelta(seconds=10)
# Accepting is optimistic; so many requests for one session in the same instant are a defect of the peer.
ACCEPT_ATTEMPTS = 12
# A second's pause between the first and the last attempt spreads them without keeping the partner waiting.
ACCEPT_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class RequestProfile:
    """Answers PUT, GET and DELETE of a charging profile.

    `result_timeout` is the stage's; a CSMS may have its own. `pause` waits some seconds before another attempt.
    """

    store: IntakeStore
    clock: Clock
    result_timeout: timedelta
    allow_loopback_http: bool
    pause: Callable[[float], None]

    def __call__(self, caller: Caller, call: ChargingProfileCall, context: CallContext) -> ChargingProfileResponse:
        """Gives the synchronous answer; ACCEPTED means that exactly one result follows within its timeout.

        Raises InvalidInput for a `response_url` that is not the partner's or a routing header that is not ours, and
        Contended when other requests for the session were faster again and again (nothing was written).
        """
        partner_id = caller.partner_id
        if partner_id is None:
            raise ValueError("the caller is not authenticated")
        around = self.store.surroundings(partner_id, caller.session, self.clock.now())
        session = caller.session if partner_id in around.rights.seen_by else None
        if around.partner is None or not around.partner.connected:
            raise TransportError(401, "unknown token")
        check_callback_url(
            call.response_url, partner_hosts(around.partner), allow_loopback_http=self.allow_loopback_http
        )
        if session is None:
            return ChargingProfileResponse(ResponseType.UNKNOWN_SESSION)
        if context.to_party is not None and not context.to_party.is_same(Party(session.country_code, session.party_id)):
            raise InvalidInput("OCPI-to-party-id", "is not the party that the session belongs to")
        control = caller.control or Control(session.session_id)
        known = repeated(control, partner_id, _fingerprint(session, call, context), self.clock.now())
        if known is not None:
            # Whatever became of the session meanwhile: the result of the first one is still on its way.
            return ChargingProfileResponse(ResponseType.ACCEPTED, known.timeout)
        refusal = self._refusal(session, around, call)
        if refusal is not None:
            return ChargingProfileResponse(refusal)
        if around.rights != session.rights:
            # Whoever comes after goes by the session: without this, a plan of a partner assigned just now would be cleared.
            self.store.reassign(session, around.rights, self.clock.now())
        return self._accept(control, session, around, call, context)

    def _refusal(self, session: Session, around: Surroundings, call: ChargingProfileCall) -> ResponseType | None:
        """The first check that says no, in the order of the decisions."""
        steering, state = not isinstance(call, ReadActiveProfile), around.state
        suspended = session.steering_suspended or state.suspends(session.evse_uid)
        outlet = _outlet(session, around)
        running = session.status is SessionStatus.ACTIVE and session.superseded_at is None
        checks = (
            (around.rights.steered_by != _id(around.partner), ResponseType.REJECTED),
            (steering and suspended, ResponseType.REJECTED),
            (not running or not session.transaction_id, ResponseType.REJECTED),
            (not session.transaction_known, ResponseType.NOT_SUPPORTED),
            (outlet is None or not self._capable(outlet, around, call), ResponseType.NOT_SUPPORTED),
            (state.online is False, ResponseType.REJECTED),
        )
        for says_no, answer in checks:
            if says_no:
                return answer
        if not isinstance(call, SetProfile) or outlet is None:
            return None
        if not self._possible(call.plan, outlet, session):
            return ResponseType.REJECTED
        limited_until = state.rate_limited_until
        return ResponseType.TOO_OFTEN if limited_until is not None and self.clock.now() < limited_until else None

    def _capable(self, outlet: Outlet, around: Surroundings, call: ChargingProfileCall) -> bool:
        if CHARGING_PROFILE_CAPABLE not in outlet.evse.capabilities:
            return False
        refused_until, learned = around.state.not_supported_until, around.state.learned
        if refused_until is not None and self.clock.now() < refused_until:
            return False
        if learned is not None and learned.smart_charging is False:
            return False
        return not (isinstance(call, ReadActiveProfile) and Quirk.NO_COMPOSITE in outlet.station.quirks)

    def _possible(self, plan: Plan, outlet: Outlet, session: Session) -> bool:
        now, maximum = self.clock.now(), maximum_power(outlet)
        try:
            fitted(plan, outlet, session.phases, maximum, now, charging_since=session.start)
        except PlanRefused:
            return False
        return True

    def _accept(
        self,
        control: Control,
        session: Session,
        around: Surroundings,
        call: ChargingProfileCall,
        context: CallContext,
    ) -> ChargingProfileResponse:
        partner, csms = around.partner, around.csms
        if partner is None or csms is None:
            raise ValueError("accepting needs the partner and the CSMS")
        timeout = timedelta(seconds=csms.result_timeout) if csms.result_timeout else self.result_timeout
        kind = _kind(call)
        fingerprint = _fingerprint(session, call, context)
        for attempt in range(ACCEPT_ATTEMPTS):
            if attempt:
                self.pause(ACCEPT_PAUSE * attempt)
                control = self.store.control(session.session_id)
            now = self.clock.now()
            known = repeated(control, partner.partner_id, fingerprint, now)
            if known is not None:
                return ChargingProfileResponse(ResponseType.ACCEPTED, known.timeout)
            request_id = uuid.uuid4().hex
            newest = NewestRequest(request_id, fingerprint, now + timeout, int(timeout.total_seconds()))
            admitted = admit(control, partner, kind, newest, now)
            if admitted is None:
                return ChargingProfileResponse(ResponseType.TOO_OFTEN)
            after, number = admitted
            request = Request(
                request_id=request_id,
                origin=Origin.PARTNER,
                kind=kind,
                session_id=session.session_id,
                csms_id=session.csms_id,
                station_id=session.station_id,
                state=RequestState.PENDING,
                created_at=now,
                deadline=now + max(timeout - DELIVERY_MARGIN, timeout / 2),
                timeout_at=now + timeout,
                steps=steps_of(kind, replacement_at(around.station, csms), first=not control.accepted),
                number=number,
                partner_id=partner.partner_id,
                callback=Callback(
                    response_url=call.response_url,
                    correlation_id=context.ids.correlation_id,
                    our_party=Party(session.country_code, session.party_id),
                    their_party=context.from_party or partner.party,
                ),
                unit=call.plan.unit if isinstance(call, SetProfile) else control.unit,
                plan_ends_at=_end(call.plan, session) if isinstance(call, SetProfile) else None,
                fail_safe_at=fail_safe_of(call.plan, session, _outlet(session, around), partner, now)
                if isinstance(call, SetProfile)
                else None,
                duration=call.duration if isinstance(call, ReadActiveProfile) else None,
            )
            plan = call.plan if isinstance(call, SetProfile) else None
            if plan is not None:
                after = replace(after, unit=plan.unit)
            if self.store.accept(request, plan, before=control, after=after):
                return ChargingProfileResponse(ResponseType.ACCEPTED, int(timeout.total_seconds()))
        raise Contended("other requests for this session were faster; try again")


def _id(partner: Partner | None) -> str | None:
    return None if partner is None else partner.partner_id


def _outlet(session: Session, around: Surroundings) -> Outlet | None:
    if around.csms is None:
        return None
    return outlet_as_it_is(around.station, around.state, session.evse_uid, session.connector_id)


def _kind(call: ChargingProfileCall) -> RequestKind:
    match call:
        case SetProfile():
            return RequestKind.SET
        case ClearProfile():
            return RequestKind.CLEAR
        case ReadActiveProfile():
            return RequestKind.GET


def _end(plan: Plan, session: Session) -> datetime | None:
    """When the plan ends; a relative one counts from the start of charging."""
    return None if plan.duration is None else (plan.start or session.start) + timedelta(seconds=plan.duration)


def _fingerprint(session: Session, call: ChargingProfileCall, context: CallContext) -> str:
    """The same for a repetition of the same message; unique where the partner gave no X-Request-ID.

    Two parties behind one token are two callers, whatever ids they send (4.1.8).
    """
    told = "\n".join(
        (_kind(call).value, session.session_id, context.ids.request_id, _party_text(context.from_party), repr(call))
    )
    return hashlib.sha256(told.encode()).hexdigest()


def _party_text(party: Party | None) -> str:
    return "" if party is None else f"{party.country_code}/{party.party_id}".casefold()
