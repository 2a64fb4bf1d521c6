"""A partner learns of changes of the active profile that are not its own (OCPI 14.4.2.4), and loses what it may not keep.

Level-triggered like the push of sessions: a message says only that something may have changed. The charge point is asked
what it follows; if that is news to the partner, it is told, and never of anything but the newest. A plan whose partner
may not steer any more is cleared first.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.events import SessionStatus
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import WAITING, Request, RequestKind, RequestState, Result
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.watches import PUSHED_SECONDS, Watch, no_news
from ocpi_bridge.ocpi.charging_profiles import active_charging_profile
from ocpi_bridge.ports import Clock, PartnerClient, PartnerMessage, PushContext, WatchStore
from ocpi_bridge.usecases.own_requests import OWN_TIMEOUT, OwnRequests

PUSH_BUDGET = 8.0
# The sweep wakes what is due each minute.
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
# The end of a request of our own wakes its watch; where that message is lost, the sweep does.
OWN_REQUEST_OVERDUE = OWN_TIMEOUT + timedelta(seconds=30)
_ENDED = frozenset({RequestState.DELIVERED, RequestState.UNDELIVERED})


class Watched(StrEnum):
    """What came of a look, for logs and metrics."""

    NOTHING = "nothing"
    CLEARING = "clearing"
    LOOKING = "looking"
    WAITING = "waiting"
    NO_NEWS = "no_news"
    PUSHED = "pushed"
    FAILED = "failed"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class WatchActiveProfile:
    """Watches one session for one partner. At-least-once towards the partner, always with what was read last."""

    store: WatchStore
    own: OwnRequests
    client: PartnerClient
    clock: Clock

    def __call__(self, context: PushContext, partner_id: str, correlation_id: str) -> Watched:
        """Takes one step. Never raises for what the partner or the charge point does; raises Contended."""
        session, before = context.session, context.watch
        if session is None or session.status is not SessionStatus.ACTIVE:
            if before is not None:
                self.store.save_watch(replace(before, own=None), due_at=None)
            return Watched.NOTHING
        watch = before or Watch(session.session_id, partner_id)
        done = Watched.NOTHING
        if watch.own is not None:
            request = self.store.request(watch.own)
            if request is not None and request.state in WAITING:
                return Watched.WAITING
            watch, done = self._ended(context, session, watch, request, correlation_id)
            if done is Watched.FAILED:
                self.store.save_watch(watch, due_at=self._retry_at(watch))
                return done
        return self._next(context, session, before, watch, done)

    # --- What comes next ---------------------------------------------------------------------------------------------

    def _next(
        self, context: PushContext, session: Session, before: Watch | None, watch: Watch, done: Watched
    ) -> Watched:
        now = self.clock.now()
        if _must_go(context, context.control, watch.partner_id, now):
            return self._clear(context, session, watch, now)
        first = context.control.intake(watch.partner_id).first_set
        if first is None or not _owed(context, session, watch):
            late = self._may_come_late(context, session, watch)
            if late is not None or watch != (before or Watch(session.session_id, watch.partner_id)):
                self.store.save_watch(watch, due_at=late)
            return Watched.LATER if late is not None and done is Watched.NOTHING else done
        if not self._result_left(first):
            self.store.save_watch(watch, due_at=now + RETRY_AFTER[0])
            return Watched.LATER
        request = self.own.look(session, context.control, watch.partner_id, PUSHED_SECONDS)
        self.store.save_watch(replace(watch, own=request.request_id), due_at=now + OWN_REQUEST_OVERDUE)
        return Watched.LOOKING

    def _clear(self, context: PushContext, session: Session, watch: Watch, now: datetime) -> Watched:
        def wanted(control: Control) -> bool:
            must_go = _must_go(context, control, watch.partner_id, now)
            return must_go and not _may_be_replaced(session, control, watch.partner_id, now)

        request = self.own.clear(session, context.control, watch.partner_id, wanted)
        if request is None:
            self.store.save_watch(watch, due_at=now + RETRY_AFTER[0])
            return Watched.LATER
        self.store.save_watch(replace(watch, own=request.request_id), due_at=now + OWN_REQUEST_OVERDUE)
        return Watched.CLEARING

    def _may_come_late(self, context: PushContext, session: Session, watch: Watch) -> datetime | None:
        """Until when a plan that was on its way as its partner lost the right may yet be installed: look again then."""
        newest = context.control.intake(watch.partner_id).newest
        if newest is None or _may_steer(context, session, watch.partner_id) or newest.timeout_at <= self.clock.now():
            return None
        return newest.timeout_at

    def _result_left(self, first_set: str) -> bool:
        """The first push waits for the first PUT's result (or its end without one); a lost request silences nobody."""
        request = self.store.request(first_set)
        return request is None or request.state in _ENDED

    # --- What has ended ----------------------------------------------------------------------------------------------

    def _ended(
        self, context: PushContext, session: Session, watch: Watch, request: Request | None, correlation_id: str
    ) -> tuple[Watch, Watched]:
        if request is None or request.result is not Result.ACCEPTED:
            cleared = request is not None and request.kind is RequestKind.CLEAR and request.result is Result.UNKNOWN
            if not cleared:
                return watch.failed(), Watched.FAILED
        if request is None or request.kind is RequestKind.CLEAR:
            # What is followed now is news, whatever it is: the partner's plan was taken away (14.4.2.4).
            return replace(watch, own=None, forced=True, attempts=0), Watched.NOTHING
        followed = self.store.active_profile(request.request_id)
        if followed is None or not _reachable(context.partner):
            return watch.settled(request.created_at), Watched.NOTHING
        if not watch.forced and self._is_known(context, session, watch, followed):
            return watch.settled(request.created_at), Watched.NO_NEWS
        if not self._push(context.partner, session, followed, correlation_id):
            return watch.failed(forced=True), Watched.FAILED
        told = watch.settled(request.created_at)
        return (
            replace(told, told=request.request_id, told_number=context.control.accepted),
            Watched.PUSHED,
        )

    def _is_known(self, context: PushContext, session: Session, watch: Watch, followed: Plan) -> bool:
        known = self._known(context, session, watch)
        return known is not None and no_news(known, followed, self.clock.now())

    def _known(self, context: PushContext, session: Session, watch: Watch) -> Plan | None:
        """What the partner takes to be followed: what it was told last, or its own plan where that is newer."""
        if watch.told is not None and watch.told_number == context.control.accepted:
            return self.store.active_profile(watch.told)
        installed = context.control.installed
        if installed is None or installed.partner_id != watch.partner_id:
            return None
        plan = self.store.plan(installed.request_id)
        return plan if plan is None or plan.start is not None else replace(plan, start=session.start)

    def _push(self, partner: Partner | None, session: Session, followed: Plan, correlation_id: str) -> bool:
        if partner is None or partner.charging_profiles_url is None:
            return False
        message = PartnerMessage(
            method="PUT",
            url=f"{partner.charging_profiles_url.rstrip('/')}/{quote(session.session_id, safe='')}",
            body=active_charging_profile(followed),
            correlation_id=correlation_id,
            from_party=Party(session.country_code, session.party_id),
            to_party=partner.party,
        )
        return self.client.send(partner, message, budget=PUSH_BUDGET).delivered

    def _retry_at(self, watch: Watch) -> datetime:
        return self.clock.now() + RETRY_AFTER[min(watch.attempts, len(RETRY_AFTER)) - 1]


def _may_steer(context: PushContext, session: Session, partner_id: str) -> bool:
    partner = context.partner
    return partner is not None and partner.connected and session.rights.steered_by == partner_id


def _must_go(context: PushContext, control: Control, partner_id: str, now: datetime) -> bool:
    """Whether the charge point follows a plan of this partner though it may not steer (any more)."""
    installed, session = control.installed, context.session
    if session is None or installed is None or installed.partner_id != partner_id or not installed.in_force(now):
        return False
    return not _may_steer(context, session, partner_id)


def _may_be_replaced(session: Session, control: Control, partner_id: str, now: datetime) -> bool:
    """Whether a request of whoever steers now is under way: its plan takes the old one's place, a CLEAR would hit it."""
    successor = session.rights.steered_by
    if successor is None or successor == partner_id:
        return False
    newest = control.intake(successor).newest
    return newest is not None and now < newest.timeout_at


def _owed(context: PushContext, session: Session, watch: Watch) -> bool:
    """Whether the partner is to be told what is followed.

    Who may not see the session any more learns of its own plan's end, and of nothing after it.
    """
    sees = watch.forced or watch.partner_id in session.rights.seen_by
    return sees and _reachable(context.partner) and watch.in_doubt(session.profile_doubt_at)


def _reachable(partner: Partner | None) -> bool:
    return partner is not None and partner.connected and partner.charging_profiles_url is not None
