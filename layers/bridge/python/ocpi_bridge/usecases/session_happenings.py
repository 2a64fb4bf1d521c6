"""What happened in a session, one line for each thing, in order."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ocpi_bridge.domain.histories import Actor, Happening, Sense, Step
from ocpi_bridge.domain.requests import Origin, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports.stories import PartnerStory, RequestStory, SessionStory

_ASKED = {
    RequestKind.SET: "asks for a charging profile (SET)",
    RequestKind.CLEAR: "asks to clear the charging profile (CLEAR)",
    RequestKind.GET: "asks for the active charging profile (GET)",
    RequestKind.LEARN: "asks what the station can take",
}
# What happens at one instant is told in the order in which it follows from each other.
_ORDER = {step: place for place, step in enumerate(Step)}


def happenings(story: SessionStory) -> tuple[Happening, ...]:
    """All that is known to have happened, the oldest first. A repeated step is told with its latest instant."""
    found = [
        *_of_the_session(story.session),
        *(one for asked in story.requests for one in _of_a_request(asked)),
        *(one for partner in story.partners for one in _of_a_partner(partner)),
    ]
    return tuple(sorted(found, key=lambda one: (one.at, _ORDER[one.step])))


def _of_the_session(session: Session) -> Iterator[Happening]:
    def seen(at: datetime | None, what: str, result: str = "", step: Step = Step.SESSION) -> Iterator[Happening]:
        if at is not None:
            yield Happening(at, step, Actor.CHARGE_POINT, what, session.station_id, result)

    yield from seen(session.start, "the session begins", f"transaction {session.transaction_id}")
    yield from seen(session.profile_doubt_at, "something may have changed the profile that is followed")
    yield from seen(session.superseded_at, "another car is at the place, or an end was told without what came before")
    yield from seen(session.end or session.ended_at, "the session ends", f"{session.kwh.normalize():f} kWh")
    if session.steering_at is not None:
        word = "suspends steering" if session.steering_suspended else "lets partners steer again"
        yield Happening(session.steering_at, Step.STEERING, Actor.CPO, f"{word} in this session")
    if session.released_at is not None:
        yield Happening(session.released_at, Step.STEERING, Actor.CPO, "releases the installed plan")


def _of_a_request(story: RequestStory) -> Iterator[Happening]:
    request, when = story.request, story.milestones
    who = Actor.PARTNER if request.origin is Origin.PARTNER else Actor.BRIDGE
    yield Happening(
        at=request.created_at,
        step=Step.REQUEST,
        by=who,
        what=_ASKED[request.kind] + _details(story),
        name=request.partner_id,
        result=_promise(request) if who is Actor.PARTNER else "",
        request_id=request.request_id,
    )
    if when.first_sent_at is not None:
        yield _sent(request, when.sent_at or when.first_sent_at, when.first_sent_at)
    if when.answered_at is not None and request.result is not None:
        yield _answer(request, when.answered_at, when.first_sent_at)
    if request.origin is Origin.PARTNER:
        yield from _delivery(story)


def _details(story: RequestStory) -> str:
    number = "" if story.request.number is None else f" no. {story.request.number}"
    if story.plan is None:
        return number
    count = len(story.plan.periods)
    return f"{number}: {count} {'period' if count == 1 else 'periods'} in {story.plan.unit}"


def _promise(request: Request) -> str:
    seconds = (request.timeout_at - request.created_at).total_seconds()
    return f"ACCEPTED, a result is promised within {seconds:.0f} s"


def _sent(request: Request, at: datetime, first: datetime) -> Happening:
    told = []
    if request.attempts > 1:
        told.append(f"{request.attempts} commands, the first {_seconds(at - first)} before")
    if request.fitted_to is not None and request.fitted_to.reduces:
        told.append(f"held to {request.fitted_to.maximum_w.normalize():f} W")
    if request.fail_safe_at is not None:
        told.append("with an end of its own, in case everybody falls silent")
    return Happening(
        at=at,
        step=Step.SENT,
        by=Actor.BRIDGE,
        what="sends it to the charge point",
        result=", ".join(told),
        took=at - request.created_at,
        request_id=request.request_id,
    )


def _answer(request: Request, at: datetime, sent_at: datetime | None) -> Happening:
    # What was never sent, or came to its deadline, was answered in the charge point's place.
    by_itself = sent_at is not None and at < request.deadline
    return Happening(
        at=at,
        step=Step.ANSWER,
        by=Actor.CHARGE_POINT if by_itself else Actor.BRIDGE,
        what="answers" if by_itself else "answers in the charge point's place",
        name=request.station_id if by_itself else None,
        result=": ".join(part for part in (request.result, request.reason) if part),
        sense=Sense.GOOD if request.result is Result.ACCEPTED else Sense.BAD,
        took=at - (sent_at or request.created_at),
        request_id=request.request_id,
    )


def _delivery(story: RequestStory) -> Iterator[Happening]:
    request, when = story.request, story.milestones
    tries, error = request.delivery.attempts, request.delivery.last_error
    times = f"{tries} {'attempt' if tries == 1 else 'attempts'}"
    at = when.closed_at or when.first_delivery_at
    if at is None:
        return
    if request.state is RequestState.DELIVERED:
        who, what, result, sense = Actor.PARTNER, "takes the result", times, Sense.GOOD
    elif request.state is RequestState.UNDELIVERED:
        who, what, sense = Actor.BRIDGE, "gives the delivery of the result up", Sense.BAD
        result = f"{times}, last error: {error or 'none'}"
    else:
        who, what = Actor.BRIDGE, "begins to deliver the result"
        result, sense = (f"{times}, last error: {error}", Sense.BAD) if error else (times, Sense.NEUTRAL)
    yield Happening(
        at=at,
        step=Step.DELIVERY,
        by=who,
        what=what,
        name=request.partner_id if who is Actor.PARTNER else None,
        result=result,
        sense=sense,
        took=None if when.answered_at is None else at - when.answered_at,
        request_id=request.request_id,
    )


def _of_a_partner(partner: PartnerStory) -> Iterator[Happening]:
    name = partner.pushed.partner_id
    if partner.pushed.at is not None:
        what = "has the session's end" if partner.pushed.final else "has the session as it is"
        doubt = "a later push is in doubt" if partner.pushed.in_doubt else ""
        sense = Sense.BAD if doubt else Sense.GOOD
        yield Happening(partner.pushed.at, Step.PUSH, Actor.PARTNER, what, name, doubt, sense)
    if partner.watch is not None and partner.watch.heard_at is not None:
        what = "has the active charging profile"
        yield Happening(partner.watch.heard_at, Step.PUSH, Actor.PARTNER, what, name, sense=Sense.GOOD)


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.1f} s"
