"""The stores of requests in memory: accepting, sending, recording, delivering."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ocpi_bridge.domain.assignments import Rights, rights, scopes_of
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import (
    UNDELIVERED_RESULT,
    WAITING,
    Answer,
    Delivery,
    InstalledPlan,
    Request,
    RequestKind,
    RequestState,
    Result,
    Whereabouts,
)
from ocpi_bridge.domain.sessions import Session, reassigned
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.commands import CommandContext
from ocpi_bridge.ports.requests import Surroundings
from tests.support.memory.books import MemoryBooks, whole_ms


@dataclass(frozen=True, slots=True)
class MemoryIntakeStore:
    """IntakeStore."""

    books: MemoryBooks

    def caller(self, token_hashes: Sequence[str], session_id: str | None = None) -> Caller:
        token = next((self.books.tokens[one] for one in token_hashes if one in self.books.tokens), None)
        if token is None:
            return Caller(None)
        session = self.books.sessions.sessions.get(session_id.casefold()) if session_id is not None else None
        if session is None:
            return Caller(token.partner_id, token.party, token)
        return Caller(token.partner_id, token.party, token, session, self.books.control(session.session_id))

    def settle_token(self, token: AcceptedToken) -> None:
        known = self.books.tokens.get(token.token_hash)
        if known is None or known.supersedes != token.supersedes:
            return
        self.books.tokens[token.token_hash] = replace(known, supersedes=())
        for ended in token.supersedes:
            self.books.tokens.pop(ended, None)

    def surroundings(self, partner_id: str, session: Session | None, at: datetime) -> Surroundings:
        partner, sessions = self.books.partners.get(partner_id), self.books.sessions
        if session is None:
            return Surroundings(partner, None, None, self.books.states.state("", ""))
        place = sessions.place(session.csms_id, session.station_id)
        scopes = {
            (scope, key.casefold()) for scope, key in scopes_of(session.evse_uid, session.location_id, session.token)
        }
        touching = tuple(one for one in sessions.assignments if (one.scope, one.key.casefold()) in scopes)
        return Surroundings(partner, place.csms, place.station, place.state, rights(touching, at))

    def reassign(self, session: Session, rights: Rights, at: datetime) -> None:
        after = reassigned(session, rights, at)
        if after is not session:
            self.books.sessions.update(session, replace(after, version=session.version + 1), None)

    def control(self, session_id: str) -> Control:
        return self.books.control(session_id)

    def accept(self, request: Request, plan: Plan | None, before: Control, after: Control) -> bool:
        books, known = self.books, self.books.control(request.session_id)
        if known.version != before.version or request.request_id in books.requests:
            return False
        books.put_control(
            replace(
                known,
                version=after.version,
                accepted=after.accepted,
                intakes=after.intakes,
                unit=after.unit or known.unit,
            )
        )
        if plan is not None:
            books.plans[request.request_id] = plan
        untouched = replace(request, result=None, reason=None, supported=True, fitted_to=None, delivery=Delivery())
        books.put_request(untouched)
        return True


@dataclass(frozen=True, slots=True)
class MemoryCommandStore:
    """CommandStore."""

    books: MemoryBooks

    def command_context(self, request_id: str, about: Whereabouts | None = None) -> CommandContext | None:
        request = self.books.requests.get(request_id)
        if request is None:
            return None
        place = self.books.sessions.place(request.csms_id, request.station_id)
        return CommandContext(
            request=request,
            plan=self.books.plans.get(request_id),
            session=self.books.sessions.sessions.get(request.session_id.casefold()),
            control=self.books.control(request.session_id),
            csms=place.csms,
            station=place.station,
            state=place.state,
        )

    def answer_context(self, request_id: str, csms_id: str | None) -> CommandContext | None:
        context = self.command_context(request_id)
        if context is None or context.request.kind is RequestKind.GET:
            return context
        return replace(context, plan=None, session=None, station=None)

    def mark_sent(self, request: Request) -> bool:
        known = self.books.requests.get(request.request_id)
        control = self.books.control(request.session_id)
        as_read = known is not None and (known.state, known.step, known.attempts) == (
            request.state,
            request.step,
            request.attempts,
        )
        if known is None or not as_read or not _next_to_send(request, control):
            return False
        self.books.put_request(
            replace(
                known,
                state=RequestState.SENT,
                attempts=request.attempts + 1,
                fitted_to=request.fitted_to or known.fitted_to,
            )
        )
        if request.number is not None:
            self.books.put_control(replace(control, sent=request.number))
        return True

    def nothing_sent(self, request: Request) -> None:
        known = self.books.requests.get(request.request_id)
        as_read = known is not None and (known.state, known.step, known.attempts) == (
            request.state,
            request.step,
            request.attempts,
        )
        if known is not None and as_read:
            self.books.put_request(replace(known, unsent=request.attempts))

    def record_answer(self, request: Request, answer: Answer, *, uncertain: bool = False) -> bool:
        known, books = self.books.requests.get(request.request_id), self.books
        if known is None or known.state not in WAITING or known.step != request.step:
            return False
        if answer.active_profile is not None:
            if request.request_id in books.profiles:
                return False
            books.profiles[request.request_id] = answer.active_profile
        control = books.control(request.session_id)
        if uncertain and request.number:
            books.put_control(_in_doubt(control, request))
        elif request.number is not None and _took_effect(request, answer):
            installed = _installed(request, request.number) if request.kind is RequestKind.SET else None
            books.put_control(_left_there(control, request.number, installed))
        books.put_request(
            replace(
                known,
                state=RequestState.ANSWERED,
                result=answer.result,
                reason=answer.reason,
                supported=known.supported and answer.supported,
            )
        )
        return True

    def turn_to_step(self, request: Request, step: int) -> bool:
        known = self.books.requests.get(request.request_id)
        if known is None or known.state is not RequestState.SENT or known.step != request.step:
            return False
        if step > request.step and request.number is not None:
            self.books.put_control(_left_there(self.books.control(request.session_id), request.number, None))
        self.books.put_request(replace(known, state=RequestState.PENDING, step=step))
        return True


@dataclass(frozen=True, slots=True)
class MemoryDeliveryStore:
    """DeliveryStore and PartnerReader."""

    books: MemoryBooks

    def request(self, request_id: str) -> Request | None:
        return self.books.requests.get(request_id)

    def addressed(self, request_id: str, partner_id: str | None) -> tuple[Request | None, Partner | None]:
        return self.request(request_id), self.partner(partner_id) if partner_id else None

    def active_profile(self, request_id: str) -> Plan | None:
        return self.books.profiles.get(request_id)

    def partner(self, partner_id: str) -> Partner | None:
        return self.books.partners.get(partner_id)

    def expire(self, request: Request, answer: Answer) -> Request | None:
        known = self.books.requests.get(request.request_id)
        if known is None or known.state not in WAITING or known.attempts != request.attempts:
            return None
        if request.attempts and request.number is not None:
            self.books.put_control(_in_doubt(self.books.control(request.session_id), request))
        self.books.put_request(_expired(known, answer))
        return _expired(request, answer)

    def lease_delivery(self, request: Request, until: datetime, now: datetime) -> Request | None:
        known, attempts = self.books.requests.get(request.request_id), request.delivery.attempts
        if known is None or known.state is not request.state or known.delivery.attempts not in {0, attempts}:
            return None
        lease = known.delivery.lease_until
        if lease is not None and lease > whole_ms(now):
            return None
        self.books.put_request(
            replace(known, delivery=replace(known.delivery, attempts=attempts + 1, lease_until=whole_ms(until)))
        )
        return replace(request, delivery=replace(request.delivery, attempts=attempts + 1, lease_until=until))

    def release_delivery(self, request: Request, error: str) -> None:
        self._move(
            request,
            lambda known: known.state is request.state,
            lambda known: replace(known, delivery=replace(known.delivery, lease_until=None, last_error=error)),
        )

    def delivered(self, request: Request) -> None:
        self._end(request, RequestState.DELIVERED, None)

    def undelivered(self, request: Request, error: str) -> None:
        self._end(request, RequestState.UNDELIVERED, error)

    def _end(self, request: Request, state: RequestState, error: str | None) -> None:
        def ended(known: Request) -> Request:
            delivery = replace(known.delivery, lease_until=None, last_error=error or known.delivery.last_error)
            return replace(known, state=state, delivery=delivery)

        self._move(request, lambda known: known.state in UNDELIVERED_RESULT, ended)

    def _move(self, request: Request, holds: Callable[[Request], bool], moved: Callable[[Request], Request]) -> None:
        known = self.books.requests.get(request.request_id)
        if known is not None and holds(known):
            self.books.put_request(moved(known))


def _expired(request: Request, answer: Answer) -> Request:
    return replace(request, state=RequestState.EXPIRED, result=answer.result, reason=answer.reason)


def _next_to_send(request: Request, control: Control) -> bool:
    if request.number is None:
        return True
    if request.state is RequestState.SENT:
        return control.sent == request.number
    return control.sent <= request.number


def _in_doubt(control: Control, request: Request) -> Control:
    if request.number is None or control.uncertain > request.number:
        return control
    return replace(control, uncertain=request.number, uncertain_by=request.partner_id)


def _left_there(control: Control, number: int, installed: InstalledPlan | None) -> Control:
    if control.settled > number:
        return control
    return replace(control, settled=number, installed=installed)


def _took_effect(request: Request, answer: Answer) -> bool:
    nothing_left = request.kind is RequestKind.CLEAR and answer.result is Result.UNKNOWN
    return nothing_left or answer.result is Result.ACCEPTED


def _installed(request: Request, number: int) -> InstalledPlan:
    return InstalledPlan(
        request_id=request.request_id,
        number=number,
        ends_at=request.plan_ends_at,
        partner_id=request.partner_id,
        at=request.created_at,
        fail_safe_at=request.fail_safe_at,
        fitted_to=request.fitted_to,
    )
