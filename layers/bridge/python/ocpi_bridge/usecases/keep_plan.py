"""Own requests that bring a charge point to the plan that it should follow (domain.plan_keeping decides which)."""

from collections.abc import Callable
from dataclasses import replace

from ocpi_bridge.domain.controls import Control, NewestRequest
from ocpi_bridge.domain.plan_keeping import Duty, decide, must_go
from ocpi_bridge.domain.plan_sending import fail_safe_of, steps_of
from ocpi_bridge.domain.requests import WAITING, Request, RequestKind
from ocpi_bridge.domain.stations import replacement_at
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.watches import WatchStore
from ocpi_bridge.usecases.own_requests import OwnRequests
from ocpi_bridge.usecases.watching import Seen

Note = Callable[[Watch], None]


@dataclass(frozen=True, slots=True)
class KeepPlan:
    """Makes the requests; each is asked for once more on the very control that it is accepted on. Raises Contended.

    `note` is told of the watch that knows the request, right before that is accepted.
    """

    store: WatchStore
    own: OwnRequests

    def clear(self, seen: Seen, note: Note) -> Request | None:
        """The plan is cleared by its id; None where a request that is under way takes its place."""

        def wanted(control: Control) -> bool:
            situation = seen.situation(control, under_way=self.under_way(seen))
            if decide(situation).duty is not Duty.CLEAR:
                return False
            return not (must_go(situation) and _may_be_replaced(seen, control))

        return self.own.clear(
            seen.session,
            seen.control,
            seen.watch.partner_id,
            wanted,
            lambda request: note(replace(seen.watch, own=request.request_id)),
        )

    def resend(self, seen: Seen, note: Note) -> Request | None:
        """The partner's last accepted plan is sent again, fitted anew.

        None where a newer request took its place, or where the plan is gone from our books (after weeks).
        """
        installed = seen.installed
        plan = self.store.plan(installed.request_id) if installed is not None else None
        if installed is None or plan is None:
            return None

        def wanted(control: Control) -> bool:
            return control.installed == installed and not self._waits(control.intake(seen.watch.partner_id).newest)

        return self.own.resend(
            seen.session,
            seen.control,
            seen.watch.partner_id,
            plan,
            steps_of(RequestKind.SET, replacement_at(seen.place.station, seen.place.csms), first=False),
            wanted,
            lambda request: note(_resending(seen, installed.request_id, request)),
            ends_at=installed.ends_at,
            fail_safe_at=fail_safe_of(plan, seen.session, seen.outlet, seen.partner, seen.now),
        )

    def under_way(self, seen: Seen) -> bool:
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


def _resending(seen: Seen, installed: str, request: Request) -> Watch:
    """What the watch remembers of a plan (by its request) that is sent again."""
    watch = replace(seen.watch, own=request.request_id)
    if watch.missing == installed:
        watch = replace(watch, missing=None, resent=request.request_id, resent_at=seen.now)
    # Where nobody knew what was followed, what is read then is told whatever it is (design decision 16).
    return replace(watch, forced=watch.forced or seen.control.in_the_dark)


def _may_be_replaced(seen: Seen, control: Control) -> bool:
    """Whether a request of whoever steers now is under way: its plan takes the old one's place, a CLEAR would hit it."""
    successor = seen.session.rights.steered_by
    if successor is None or successor == seen.watch.partner_id:
        return False
    newest = control.intake(successor).newest
    return newest is not None and seen.now < newest.timeout_at
