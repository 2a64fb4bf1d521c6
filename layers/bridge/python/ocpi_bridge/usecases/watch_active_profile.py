"""The charge point follows the plan that it should, and the partner knows what it follows (OCPI 14.4.2.4).

Level-triggered like the push of sessions: a message says only that something may have changed. First the charge point is
brought to what it should follow (domain.plan_keeping); then, where that is in doubt, it is asked what it follows, and if
that is news to the partner, it is told, and never of anything but the newest.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote

from ocpi_bridge.domain.controls import Control, NewestRequest
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.fail_safe import fail_safe_at
from ocpi_bridge.domain.fitting import phases_in_use
from ocpi_bridge.domain.followed_profiles import PUSHED_SECONDS, exceeds, explained, no_news, told_otherwise
from ocpi_bridge.domain.learning import says_not_supported
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.plan_keeping import Decision, Duty, Situation, decide, must_go, steps_of
from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.requests import WAITING, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Outlet, as_it_is, outlet_by_uid, replacement_at
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ocpi.charging_profiles import active_charging_profile
from ocpi_bridge.ports import Clock, PartnerClient, PartnerMessage, Place, PushContext, WatchStore
from ocpi_bridge.usecases.own_requests import OWN_TIMEOUT, OwnRequests

PUSH_BUDGET = 8.0
# The sweep wakes what is due each minute.
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
# The end of a request of our own wakes its watch; where that message is lost, the sweep does.
OWN_REQUEST_OVERDUE = OWN_TIMEOUT + timedelta(seconds=30)
# Hints come in bursts (a limit, its status, the next reading), and a charge point takes a moment to follow.
DEBOUNCE = timedelta(seconds=5)
# Load management may move the offered current every few seconds; nobody plans by that.
HINT_PAUSE = timedelta(minutes=1)
_ENDED = frozenset({RequestState.DELIVERED, RequestState.UNDELIVERED})


class Watched(StrEnum):
    """What came of a step, for logs and metrics."""

    NOTHING = "nothing"
    CLEARING = "clearing"
    RESENDING = "resending"
    LOOKING = "looking"
    WAITING = "waiting"
    SOON = "soon"
    NO_NEWS = "no_news"
    PUSHED = "pushed"
    FAILED = "failed"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Step:
    """A step and its outcome; `again_in` (s) is when the message is to come back."""

    what: Watched
    again_in: int | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """All that one step rests on. `place` is read only where somebody steered the session."""

    context: PushContext
    session: Session
    watch: Watch
    place: Place
    correlation_id: str
    now: datetime

    @property
    def control(self) -> Control:
        return self.context.control

    @property
    def partner(self) -> Partner | None:
        return self.context.partner

    @property
    def outlet(self) -> Outlet | None:
        if self.place.station is None:
            return None
        station = as_it_is(self.place.station, self.place.state)
        return outlet_by_uid(station, self.session.evse_uid, self.session.connector_id)

    def situation(self, control: Control, *, under_way: bool = False) -> Situation:
        """What the decision about the plan rests on, with the control of the very moment."""
        return Situation(
            session=self.session,
            control=control,
            watch=self.watch,
            may_steer=_may_steer(self.partner, self.session, self.watch.partner_id),
            state=self.place.state,
            outlet=self.outlet,
            under_way=under_way,
            heard_at=_heard_at(self.context, self.watch),
            now=self.now,
        )


@dataclass(frozen=True, slots=True)
class WatchActiveProfile:
    """Watches one session for one partner. At-least-once towards the partner, always with what was read last."""

    store: WatchStore
    own: OwnRequests
    client: PartnerClient
    clock: Clock

    def __call__(self, context: PushContext, partner_id: str, correlation_id: str, *, settle: bool = True) -> Step:
        """Takes one step. Never raises for what the partner or the charge point does; raises Contended.

        `settle`: a doubt that is only seconds old waits for what comes with it.
        """
        session, before = context.session, context.watch
        if session is None or (before is None and context.control.version == 0):
            # Nobody ever asked for anything at this session: there is nothing to keep, and nobody is owed anything.
            return Step(Watched.NOTHING)
        watch = before or Watch(session.session_id, partner_id)
        seen = _Seen(context, session, watch, self.store.place(session), correlation_id, self.clock.now())
        done = Watched.NOTHING
        if watch.own is not None:
            request = self.store.request(watch.own)
            if request is not None and request.state in WAITING:
                return Step(Watched.WAITING)
            if session.status is SessionStatus.ACTIVE:
                watch, done = self._ended(seen, request)
                seen = replace(seen, watch=watch)
                if done is Watched.FAILED:
                    return self._later(seen, done, self._retry_at(watch))
        return self._next(seen, done, settle=settle)

    # --- What comes next ---------------------------------------------------------------------------------------------

    def _next(self, seen: _Seen, done: Watched, *, settle: bool) -> Step:
        decision = decide(seen.situation(seen.control, under_way=self._under_way(seen)))
        match decision.duty:
            case Duty.CLEAR:
                return self._clear(seen)
            case Duty.RESEND:
                return self._resend(seen)
            case Duty.LOOK:
                # Before a renewal its partner must have shown that it lives, and taking a push shows it.
                seen = replace(seen, watch=replace(seen.watch, look=True, forced=seen.watch.forced or decision.renewal))
                decision = replace(decision, again_at=decision.again_at or seen.now + RETRY_AFTER[0])
            case Duty.NOTHING:
                pass
        if seen.session.status is not SessionStatus.ACTIVE:
            return self._rest(seen, done, None)
        return self._look(seen, decision, done, settle=settle)

    def _look(self, seen: _Seen, decision: Decision, done: Watched, *, settle: bool) -> Step:
        watch, now = seen.watch, seen.now
        hinted, hint_due = self._hinted(seen)
        if not hinted and hint_due is None and watch.hinted(seen.session.rate_hint_at):
            watch = replace(watch, hints_at=seen.session.rate_hint_at)
            seen = replace(seen, watch=watch)
        due = _earliest(decision.again_at, hint_due, self._may_come_late(seen))
        first = seen.control.intake(watch.partner_id).first_set
        owed = first is not None and _owed(seen)
        wanted = watch.in_doubt(seen.session.profile_doubt_at) or hinted or _reduced_untold(seen)
        if not wanted or not (owed or _holds(seen)):
            late = self._may_come_late(seen)
            return self._rest(seen, Watched.LATER if late is not None and done is Watched.NOTHING else done, due)
        if owed and first is not None and not self._result_left(first):
            return self._later(seen, Watched.LATER, now + RETRY_AFTER[0])
        young = _youth(seen)
        if settle and young is not None:
            return Step(Watched.SOON, again_in=young)
        request = self.own.look(seen.session, seen.control, watch.partner_id, PUSHED_SECONDS)
        return self._asked(seen, request, Watched.LOOKING)

    def _clear(self, seen: _Seen) -> Step:
        def wanted(control: Control) -> bool:
            situation = seen.situation(control, under_way=self._under_way(seen))
            if decide(situation).duty is not Duty.CLEAR:
                return False
            return not (must_go(situation) and _may_be_replaced(seen, control))

        request = self.own.clear(seen.session, seen.control, seen.watch.partner_id, wanted)
        if request is None:
            return self._later(seen, Watched.LATER, seen.now + RETRY_AFTER[0])
        if seen.session.over or seen.session.superseded_at is not None:
            # Once: the transaction is gone, so the charge point lets go of the plan by itself; nobody waits for this.
            watch = replace(seen.watch, cleared=True, own=None)
            self._save(seen, watch, None)
            return Step(Watched.CLEARING)
        return self._asked(seen, request, Watched.CLEARING)

    def _resend(self, seen: _Seen) -> Step:
        installed = seen.situation(seen.control).installed
        plan = self.store.plan(installed.request_id) if installed is not None else None
        if installed is None or plan is None:
            # Gone from our books after weeks: what is followed is all that can still be found out.
            return self._later(seen, Watched.LATER, seen.now + RETRY_AFTER[-1])

        def wanted(control: Control) -> bool:
            return control.installed == installed and not self._waits(control.intake(seen.watch.partner_id).newest)

        request = self.own.resend(
            seen.session,
            seen.control,
            seen.watch.partner_id,
            plan,
            steps_of(RequestKind.SET, replacement_at(seen.place.station, seen.place.csms), first=False),
            wanted,
            ends_at=installed.ends_at,
            fail_safe_at=self._fail_safe_at(seen, plan),
        )
        if request is None:
            return self._later(seen, Watched.LATER, seen.now + RETRY_AFTER[0])
        if seen.watch.missing == installed.request_id:
            marked = replace(seen.watch, missing=None, resent=request.request_id, resent_at=seen.now)
            seen = replace(seen, watch=marked)
        if seen.control.in_the_dark:
            # Nobody knew what was followed, so what is read then is told whatever it is (design decision 16).
            seen = replace(seen, watch=replace(seen.watch, forced=True))
        return self._asked(seen, request, Watched.RESENDING)

    def _fail_safe_at(self, seen: _Seen, plan: Plan) -> datetime | None:
        outlet, partner = seen.outlet, seen.partner
        if outlet is None or partner is None or partner.fail_safe is None:
            return None
        return fail_safe_at(
            plan,
            charging_since=seen.session.start,
            phases=phases_in_use(outlet, seen.session.phases),
            voltage=outlet.voltage,
            accepted_at=seen.now,
            after=timedelta(seconds=partner.fail_safe),
        )

    def _hinted(self, seen: _Seen) -> tuple[bool, datetime | None]:
        """Whether a hint of the charge point is to be looked into now, or else when."""
        watch, session, outlet = seen.watch, seen.session, seen.outlet
        if outlet is None or not watch.hinted(session.rate_hint_at):
            return False, None
        known = self._known(seen)
        if explained(session, known, outlet, seen.now):
            return False, None
        if watch.settled_at is not None and seen.now < watch.settled_at + HINT_PAUSE:
            return False, watch.settled_at + HINT_PAUSE
        return True, None

    def _under_way(self, seen: _Seen) -> bool:
        """Whether a request of whoever steers, or of this partner, waits for its answer; asked only where it matters."""
        if not seen.control.in_the_dark:
            return False
        partners = {seen.watch.partner_id, seen.session.rights.steered_by or seen.watch.partner_id}
        return any(self._waits(seen.control.intake(partner_id).newest) for partner_id in partners)

    def _waits(self, newest: NewestRequest | None) -> bool:
        if newest is None:
            return False
        request = self.store.request(newest.request_id)
        return request is not None and request.kind is not RequestKind.GET and request.state in WAITING

    def _may_come_late(self, seen: _Seen) -> datetime | None:
        """Until when a plan that was on its way as its partner lost the right may yet be installed: look again then."""
        newest = seen.control.intake(seen.watch.partner_id).newest
        situation = seen.situation(seen.control)
        if newest is None or (situation.may_steer and not situation.suspended) or newest.timeout_at <= seen.now:
            return None
        return newest.timeout_at

    def _result_left(self, first_set: str) -> bool:
        """The first push waits for the first PUT's result (or its end without one); a lost request silences nobody."""
        request = self.store.request(first_set)
        return request is None or request.state in _ENDED

    # --- What has ended ----------------------------------------------------------------------------------------------

    def _ended(self, seen: _Seen, request: Request | None) -> tuple[Watch, Watched]:
        watch = seen.watch
        if request is None:
            return watch.failed(), Watched.FAILED
        match request.kind:
            case RequestKind.CLEAR if request.result in {Result.ACCEPTED, Result.UNKNOWN}:
                # What is followed now is news, whatever it is: the partner's plan was taken away (14.4.2.4).
                return replace(watch, own=None, forced=True, attempts=0), Watched.NOTHING
            case RequestKind.SET if request.result is Result.ACCEPTED:
                return replace(watch, own=None, look=True, attempts=0), Watched.NOTHING
            case RequestKind.GET:
                return self._read(seen, request)
            case _:
                return watch.failed(), Watched.FAILED

    def _read(self, seen: _Seen, request: Request) -> tuple[Watch, Watched]:
        """What the charge point said that it follows; a plan that it lost is sent again, once, before anybody is told."""
        watch, installed = seen.watch, seen.situation(seen.control).installed
        followed = self.store.active_profile(request.request_id) if request.result is Result.ACCEPTED else None
        silent = request.result is Result.UNKNOWN or says_not_supported((request.reason or "").split(": ")[0])
        if followed is None and not silent and request.result is not Result.ACCEPTED:
            return watch.failed(), Watched.FAILED
        if installed is not None and installed.in_force(seen.now):
            plan = self._plan_of(seen, installed.request_id)
            more = followed is not None and plan is not None and exceeds(followed, plan, seen.now)
            if (request.result is Result.UNKNOWN or more) and watch.found_missing(
                installed.request_id, seen.session.profile_doubt_at
            ):
                return replace(watch, own=None, missing=installed.request_id), Watched.NOTHING
        if installed is not None and installed.fail_safe_at is not None and installed.fail_safe_at <= seen.now:
            watch = replace(watch, lapsed=installed.request_id)
        return self._tell(replace(seen, watch=watch), request, followed or self._told_otherwise(seen))

    def _told_otherwise(self, seen: _Seen) -> Plan | None:
        if seen.outlet is None:
            return None
        installed = seen.situation(seen.control).installed
        in_force = installed is not None and installed.in_force(seen.now)
        plan = self._plan_of(seen, installed.request_id) if installed is not None and in_force else None
        return told_otherwise(seen.session, plan, seen.outlet, seen.control.unit or RateUnit.WATT, seen.now)

    def _tell(self, seen: _Seen, request: Request, followed: Plan | None) -> tuple[Watch, Watched]:
        watch = seen.watch
        if followed is None or not _reachable(seen.partner) or not _sees(seen):
            return watch.settled(request.created_at), Watched.NOTHING
        known = self._known(seen)
        if not watch.forced and not _reduced_untold(seen) and known is not None and no_news(known, followed, seen.now):
            return watch.settled(request.created_at), Watched.NO_NEWS
        if not self._push(seen, followed):
            return watch.failed(forced=True), Watched.FAILED
        if request.result is not Result.ACCEPTED:
            self.store.save_active_profile(request.request_id, followed)
        told = watch.settled(request.created_at)
        news = replace(told, told=request.request_id, told_number=seen.control.accepted, heard_at=seen.now)
        return news, Watched.PUSHED

    def _known(self, seen: _Seen) -> Plan | None:
        """What the partner takes to be followed: what it was told last, or its own plan where that is newer."""
        watch, control = seen.watch, seen.control
        if watch.told is not None and watch.told_number == control.accepted:
            told = self.store.active_profile(watch.told)
            if told is not None:
                return told
        installed = control.installed
        if installed is None or installed.partner_id != watch.partner_id:
            return None
        return self._plan_of(seen, installed.request_id)

    def _plan_of(self, seen: _Seen, request_id: str) -> Plan | None:
        plan = self.store.plan(request_id)
        return plan if plan is None or plan.start is not None else replace(plan, start=seen.session.start)

    def _push(self, seen: _Seen, followed: Plan) -> bool:
        partner, session = seen.partner, seen.session
        if partner is None or partner.charging_profiles_url is None:
            return False
        message = PartnerMessage(
            method="PUT",
            url=f"{partner.charging_profiles_url.rstrip('/')}/{quote(session.session_id, safe='')}",
            body=active_charging_profile(followed),
            correlation_id=seen.correlation_id,
            from_party=Party(session.country_code, session.party_id),
            to_party=partner.party,
        )
        return self.client.send(partner, message, budget=PUSH_BUDGET).delivered

    # --- Notes -------------------------------------------------------------------------------------------------------

    def _asked(self, seen: _Seen, request: Request, what: Watched) -> Step:
        self._save(seen, replace(seen.watch, own=request.request_id), seen.now + OWN_REQUEST_OVERDUE)
        return Step(what)

    def _later(self, seen: _Seen, what: Watched, due_at: datetime) -> Step:
        self._save(seen, seen.watch, due_at)
        return Step(what)

    def _rest(self, seen: _Seen, done: Watched, due_at: datetime | None) -> Step:
        """Nothing is to be done now; what is known already is not written again."""
        self._save(seen, replace(seen.watch, own=None), due_at)
        return Step(done)

    def _save(self, seen: _Seen, watch: Watch, due_at: datetime | None) -> None:
        noted = replace(watch, due_at=due_at)
        before = seen.context.watch or Watch(watch.session_id, watch.partner_id)
        if noted != before:
            self.store.save_watch(noted)

    def _retry_at(self, watch: Watch) -> datetime:
        return self.clock.now() + RETRY_AFTER[min(watch.attempts, len(RETRY_AFTER)) - 1]


def _may_steer(partner: Partner | None, session: Session, partner_id: str) -> bool:
    return partner is not None and partner.connected and session.rights.steered_by == partner_id


def _may_be_replaced(seen: _Seen, control: Control) -> bool:
    """Whether a request of whoever steers now is under way: its plan takes the old one's place, a CLEAR would hit it."""
    successor = seen.session.rights.steered_by
    if successor is None or successor == seen.watch.partner_id:
        return False
    newest = control.intake(successor).newest
    return newest is not None and seen.now < newest.timeout_at


def _owed(seen: _Seen) -> bool:
    """Whether the partner is to be told what is followed.

    Who may not see the session any more learns of its own plan's end, and of nothing after it.
    """
    return _sees(seen) and _reachable(seen.partner)


def _sees(seen: _Seen) -> bool:
    return seen.watch.forced or seen.watch.partner_id in seen.session.rights.seen_by


def _holds(seen: _Seen) -> bool:
    """Whether the charge point is expected to follow a plan of this partner, who may not even care to be told."""
    installed = seen.situation(seen.control).installed
    return installed is not None and installed.in_force(seen.now)


def _reduced_untold(seen: _Seen) -> bool:
    """Whether the CPO's limit cut the plan and the partner was not told what is followed instead."""
    installed = seen.situation(seen.control).installed
    if installed is None or installed.fitted_to is None or not installed.in_force(seen.now):
        return False
    return installed.fitted_to.reduces and seen.watch.told_number < installed.number


def _youth(seen: _Seen) -> int | None:
    """For how many seconds a doubt is too young to be looked into; None where it is not, or where nobody made it up."""
    signs = [at for at in (seen.session.profile_doubt_at, seen.session.rate_hint_at) if at is not None]
    if seen.watch.forced or seen.watch.look or not signs or seen.now >= max(signs) + DEBOUNCE:
        return None
    return max(1, round((max(signs) + DEBOUNCE - seen.now).total_seconds()))


def _heard_at(context: PushContext, watch: Watch) -> datetime | None:
    """The partner's last sign of life: a push that it took, a request that it made."""
    newest = context.control.intake(watch.partner_id).newest
    asked = newest.timeout_at - timedelta(seconds=newest.timeout) if newest is not None else None
    pushed = context.pushed.at if not context.pushed.in_doubt else None
    return max((at for at in (asked, pushed, watch.heard_at) if at is not None), default=None)


def _reachable(partner: Partner | None) -> bool:
    return partner is not None and partner.connected and partner.charging_profiles_url is not None


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)
