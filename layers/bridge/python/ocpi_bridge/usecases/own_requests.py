"""What the bridge itself wants of a charge point: the same life as a partner's request, but with no result to deliver."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from ocpi_bridge.domain.controls import Control, numbered
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Origin, Request, RequestKind, RequestState
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.requests import RequestStore

# How long a charge point may take; nobody waits for it, and the next look is a minute away anyway.
OWN_TIMEOUT = timedelta(seconds=60)
ACCEPT_ATTEMPTS = 6
ACCEPT_PAUSE = 0.02

# Asked of the very control that a request is accepted on: whether it is still wanted.
Wanted = Callable[[Control], bool]
# Told of a request right before it is accepted: who must deal with its end would not know of it after a crash in between.
Note = Callable[[Request], None]


@dataclass(frozen=True, slots=True)
class OwnRequests:
    """Makes requests of the bridge's own. `pause` waits some seconds before another attempt.

    A request that was noted may not have come to be; then nothing of it is ever found.
    """

    store: RequestStore
    clock: Clock
    pause: Callable[[float], None]

    def clear(self, session: Session, control: Control, partner_id: str, wanted: Wanted, note: Note) -> Request | None:
        """The partner's plan is cleared at the charge point; None where that is not (or no longer) `wanted`.

        A CLEAR hits whatever plan the session has by its turn, so none may be accepted after a plan that nobody knew
        of. Raises Contended.
        """
        request = self._new(RequestKind.CLEAR, session, partner_id)
        return self._accepted(request, None, control, wanted, note)

    def resend(
        self,
        session: Session,
        control: Control,
        partner_id: str,
        plan: Plan,
        steps: tuple[RequestKind, ...],
        wanted: Wanted,
        note: Note,
        *,
        ends_at: datetime | None,
        fail_safe_at: datetime | None,
    ) -> Request | None:
        """The partner's last accepted plan is sent again, in its `steps`; None where that is no longer `wanted`.

        Raises Contended.
        """
        request = replace(
            self._new(RequestKind.SET, session, partner_id),
            steps=steps,
            unit=plan.unit,
            plan_ends_at=ends_at,
            fail_safe_at=fail_safe_at,
        )
        return self._accepted(request, plan, control, wanted, note)

    def look(self, session: Session, control: Control, partner_id: str, duration: int, note: Note) -> Request:
        """The profile that the charge point follows for `duration` seconds is read, in the partner's unit.

        Raises Contended.
        """
        asked = replace(self._new(RequestKind.GET, session, partner_id), duration=duration, unit=control.unit)
        request = self._accepted(asked, None, control, lambda _: True, note)
        if request is None:
            raise _contended()
        return request

    def learn(self, session: Session) -> None:
        """The station is asked what it can take. Raises Contended."""
        asked = self._new(RequestKind.LEARN, session, None)
        self._accepted(asked, None, self.store.control(session.session_id), lambda _: True, lambda _: None)

    def _accepted(
        self, request: Request, plan: Plan | None, control: Control, wanted: Wanted, note: Note
    ) -> Request | None:
        noted = False
        for known in self._controls(request.session_id, control):
            if not wanted(known):
                return None
            if not noted:
                note(request)
                noted = True
            after, number = numbered(known, request.kind)
            numbered_request = replace(request, number=number)
            if self.store.accept(numbered_request, plan, before=known, after=after):
                return numbered_request
        raise _contended()

    def _controls(self, session_id: str, control: Control) -> Iterator[Control]:
        """The session's control for each attempt: the one that is known, then as it is after a pause."""
        yield control
        for attempt in range(1, ACCEPT_ATTEMPTS):
            self.pause(ACCEPT_PAUSE * attempt)
            yield self.store.control(session_id)

    def _new(self, kind: RequestKind, session: Session, partner_id: str | None) -> Request:
        now = self.clock.now()
        return Request(
            request_id=uuid.uuid4().hex,
            origin=Origin.BRIDGE,
            kind=kind,
            session_id=session.session_id,
            csms_id=session.csms_id,
            station_id=session.station_id,
            state=RequestState.PENDING,
            created_at=now,
            deadline=now + OWN_TIMEOUT,
            timeout_at=now + OWN_TIMEOUT,
            steps=(kind,),
            partner_id=partner_id,
        )


def _contended() -> Contended:
    return Contended("other requests for this session were faster; try again")
