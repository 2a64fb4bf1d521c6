"""The charge point follows the plan that it should, and the partner knows what it follows (OCPI 14.4.2.4).

Level-triggered like the push of sessions: a message says only that something may have changed. First the charge point is
brought to what it should follow (domain.plan_keeping); then, where that is in doubt, it is asked what it follows, and if
that is news to the partner, it is told, and never of anything but the newest.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.followed_profiles import PUSHED_SECONDS, explained
from ocpi_bridge.domain.plan_keeping import Decision, Duty, decide
from ocpi_bridge.domain.requests import WAITING, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.pushes import PushContext
from ocpi_bridge.ports.watches import WatchStore
from ocpi_bridge.usecases.keep_plan import KeepPlan
from ocpi_bridge.usecases.own_requests import OWN_TIMEOUT, OwnRequests
from ocpi_bridge.usecases.partner_line import PartnerLine, look_again_at
from ocpi_bridge.usecases.tell_active_profile import TellActiveProfile
from ocpi_bridge.usecases.watching import Seen, Step, Watched

# The sweep wakes what is due each minute.
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
# The end of a request of our own wakes its watch; where that message is lost, the sweep does.
OWN_REQUEST_OVERDUE = OWN_TIMEOUT + timedelta(seconds=30)
# Hints come in bursts (a limit, its status, the next reading), and a charge point takes a moment to follow.
DEBOUNCE = timedelta(seconds=5)
# Load management may move the offered current every few seconds; nobody plans by that.
HINT_PAUSE = timedelta(minutes=1)
# What a charge point said is told to a partner that was silent meanwhile, unless it is older: then it is asked again.
ANSWER_KEEPS = timedelta(minutes=15)
_ENDED = frozenset({RequestState.DELIVERED, RequestState.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class WatchActiveProfile:
    """Watches one session for one partner, one step at a time."""

    store: WatchStore
    own: OwnRequests
    keep: KeepPlan
    tell: TellActiveProfile
    clock: Clock

    def __call__(
        self, context: PushContext, line: PartnerLine, partner_id: str, correlation_id: str, *, settle: bool = True
    ) -> Step:
        """Takes one step. Never raises for what the partner or the charge point does; raises Contended.

        `settle`: a doubt that is only seconds old waits for what comes with it.
        """
        session, before = context.session, context.watch
        if session is None or (before is None and context.control.version == 0):
            # Nobody ever asked for anything at this session: there is nothing to keep, and nobody is owed anything.
            return Step(Watched.NOTHING)
        watch = before or Watch(session.session_id, partner_id)
        seen = Seen(context, line, session, watch, self.store.place(session), correlation_id, self.clock.now())
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
                if done is Watched.HELD and request is not None:
                    return self._held(seen, request, settle=settle)
        return self._next(seen, done, settle=settle)

    def _ended(self, seen: Seen, request: Request | None) -> tuple[Watch, Watched]:
        """What became of our own request."""
        watch = seen.watch
        if request is None:
            return watch.failed(), Watched.FAILED
        match request.kind:
            case RequestKind.CLEAR if request.result in {Result.ACCEPTED, Result.UNKNOWN}:
                # What is followed now is news, whatever it is: the partner's plan was taken away (14.4.2.4).
                return replace(watch, own=None, forced=True, attempts=0), Watched.NOTHING
            case RequestKind.SET if request.result is Result.ACCEPTED:
                # A number of our own outdates nothing that the partner was told, where none of its own came between.
                current = watch.told_number + 1 == request.number
                number = request.number if current and request.number is not None else watch.told_number
                return replace(watch, own=None, look=True, attempts=0, told_number=number), Watched.NOTHING
            case RequestKind.GET if _outlived(seen, request):
                return replace(watch, own=None, look=True), Watched.NOTHING
            case RequestKind.GET:
                return self.tell(seen, request)
            case _:
                return watch.failed(), Watched.FAILED

    def _held(self, seen: Seen, answer: Request, *, settle: bool) -> Step:
        """The partner is silent. What an answer says is told later, and the plan is looked after all the same."""
        watch, doubt_at = seen.watch, seen.session.profile_doubt_at
        if doubt_at is not None and doubt_at > answer.created_at:
            return self._next(replace(seen, watch=replace(watch, own=None)), Watched.NOTHING, settle=settle)
        return self._next(seen, Watched.HELD, settle=settle, held_since=answer.created_at)

    def _next(self, seen: Seen, done: Watched, *, settle: bool, held_since: datetime | None = None) -> Step:
        decision = decide(seen.situation(under_way=self.keep.under_way(seen)))
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
        if held_since is not None:
            return self._hold(seen, decision, held_since)
        if seen.session.status is not SessionStatus.ACTIVE:
            late = None if seen.watch.cleared else _may_come_late(seen)
            return self._rest(seen, Watched.NOTHING if late is None else Watched.LATER, late)
        return self._look(seen, decision, done, settle=settle)

    def _hold(self, seen: Seen, decision: Decision, since: datetime) -> Step:
        due_at, until = seen.watch.due_at, seen.line.silent_until or seen.now
        again_at = look_again_at(until, since, seen.now)
        if due_at is not None and seen.now < due_at <= again_at:
            # It is noted already.
            again_at = due_at
        return self._later(seen, Watched.HELD, _earliest(decision.again_at, _may_come_late(seen), again_at) or again_at)

    def _clear(self, seen: Seen) -> Step:
        request = self.keep.clear(seen, lambda watch: self._asks(seen, watch))
        if request is None:
            return self._later(seen, Watched.LATER, seen.now + RETRY_AFTER[0])
        if seen.session.over or seen.session.superseded_at is not None:
            # Once: the transaction is gone, so the charge point lets go of the plan by itself; nobody waits for this.
            self._save(seen, replace(seen.watch, cleared=True, own=None), None)
        return Step(Watched.CLEARING)

    def _resend(self, seen: Seen) -> Step:
        if self.keep.resend(seen, lambda watch: self._asks(seen, watch)) is None:
            return self._later(seen, Watched.LATER, seen.now + RETRY_AFTER[0])
        return Step(Watched.RESENDING)

    def _look(self, seen: Seen, decision: Decision, done: Watched, *, settle: bool) -> Step:
        """The charge point is asked what it follows, where that is in doubt and matters to somebody."""
        seen, hinted, hint_due = self._hinted(seen)
        late = _may_come_late(seen)
        due = _earliest(decision.again_at, hint_due, late)
        first = seen.control.intake(seen.watch.partner_id).first_set
        owed = first is not None and seen.sees and seen.reachable
        wanted = seen.watch.in_doubt(seen.session.profile_doubt_at) or hinted or (owed and seen.reduced_untold)
        if not wanted or not (owed or seen.following is not None):
            return self._rest(seen, Watched.LATER if late is not None and done is Watched.NOTHING else done, due)
        if seen.missing:
            # It was found already, and is sent again once what is under way has its answer: asking again tells no more.
            return self._later(seen, Watched.LATER, seen.now + RETRY_AFTER[0])
        if owed and first is not None and not self._result_left(first):
            return self._later(seen, Watched.LATER, seen.now + RETRY_AFTER[0])
        young = _youth(seen)
        if settle and young is not None:
            return Step(Watched.SOON, again_in=young)
        self.own.look(
            seen.session,
            seen.control,
            seen.watch.partner_id,
            PUSHED_SECONDS,
            lambda request: self._asks(seen, replace(seen.watch, own=request.request_id)),
        )
        return Step(Watched.LOOKING)

    def _hinted(self, seen: Seen) -> tuple[Seen, bool, datetime | None]:
        """Whether a hint of the charge point is to be looked into now, or else when; one that is explained is noted."""
        watch, session, outlet = seen.watch, seen.session, seen.outlet
        if outlet is None or not watch.hinted(session.rate_hint_at):
            return seen, False, None
        if explained(session, self.tell.known(seen), outlet, seen.now):
            return replace(seen, watch=replace(watch, hints_at=session.rate_hint_at)), False, None
        if watch.settled_at is not None and seen.now < watch.settled_at + HINT_PAUSE:
            return seen, False, watch.settled_at + HINT_PAUSE
        return seen, True, None

    def _result_left(self, first_set: str) -> bool:
        """The first push waits for the first PUT's result (or its end without one); a lost request silences nobody."""
        request = self.store.request(first_set)
        return request is None or request.state in _ENDED

    # --- Notes -------------------------------------------------------------------------------------------------------

    def _asks(self, seen: Seen, watch: Watch) -> None:
        """Noted before the request is made: its end is this watch's matter, whoever dies in between."""
        self._save(seen, watch, seen.now + OWN_REQUEST_OVERDUE)

    def _later(self, seen: Seen, what: Watched, due_at: datetime) -> Step:
        self._save(seen, seen.watch, due_at)
        return Step(what)

    def _rest(self, seen: Seen, done: Watched, due_at: datetime | None) -> Step:
        """Nothing is to be done now."""
        self._save(seen, replace(seen.watch, own=None), due_at)
        return Step(done)

    def _save(self, seen: Seen, watch: Watch, due_at: datetime | None) -> None:
        """Notes it, unless all of it is known already: most steps change nothing."""
        noted = replace(watch, due_at=due_at)
        if noted != (seen.context.watch or Watch(watch.session_id, watch.partner_id)):
            self.store.save_watch(noted)

    def _retry_at(self, watch: Watch) -> datetime:
        return self.clock.now() + RETRY_AFTER[min(watch.attempts, len(RETRY_AFTER)) - 1]


def _outlived(seen: Seen, answer: Request) -> bool:
    """Whether a charge point may follow something else by now than it said: its partner was silent meanwhile."""
    installed = seen.installed
    ends_at = installed.fail_safe_at if installed is not None else None
    if ends_at is not None and answer.created_at < ends_at <= seen.now:
        return True
    return seen.now > answer.created_at + ANSWER_KEEPS


def _may_come_late(seen: Seen) -> datetime | None:
    """Until when a plan may yet be installed that was on its way as its partner lost the right, or the car left.

    Looked at again then; None where the partner may steer, or nothing of its is on its way.
    """
    newest, situation = seen.control.intake(seen.watch.partner_id).newest, seen.situation()
    steers = situation.may_steer and not situation.suspended and seen.session.steerable
    if newest is None or steers or newest.timeout_at <= seen.now:
        return None
    return newest.timeout_at


def _youth(seen: Seen) -> int | None:
    """For how many seconds a doubt is too young to be looked into; None where it is not, or where we made it ourselves."""
    signs = [at for at in (seen.session.profile_doubt_at, seen.session.rate_hint_at) if at is not None]
    if seen.watch.forced or seen.watch.look or not signs or seen.now >= max(signs) + DEBOUNCE:
        return None
    return max(1, round((max(signs) + DEBOUNCE - seen.now).total_seconds()))


def _earliest(*instants: datetime | None) -> datetime | None:
    return min((one for one in instants if one is not None), default=None)
