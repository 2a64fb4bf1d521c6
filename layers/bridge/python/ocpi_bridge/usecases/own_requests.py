"""What the bridge itself wants of a charge point: the same life as a partner's request, but with no result to deliver."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ocpi_bridge.domain.controls import Control, numbered
from ocpi_bridge.domain.errors import Contended
from ocpi_bridge.domain.plans import RateUnit
from ocpi_bridge.domain.requests import Origin, Request, RequestKind, RequestState
from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.ports import Clock, RequestStore

# How long a charge point may take; nobody waits for it, and the next look is a minute away anyway.
OWN_TIMEOUT = timedelta(seconds=60)
ACCEPT_ATTEMPTS = 6
ACCEPT_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class OwnRequests:
    """Makes requests of the bridge's own. `pause` waits some seconds before another attempt."""

    store: RequestStore
    clock: Clock
    pause: Callable[[float], None]

    def clear(
        self, session: Session, control: Control, partner_id: str, wanted: Callable[[Control], bool]
    ) -> Request | None:
        """The partner's plan is cleared at the charge point; None where that is not (or no longer) `wanted`.

        Asked of the very control that the request is accepted on: a CLEAR hits whatever plan the session has by its
        turn, so none may be accepted after a plan that nobody knew of. Raises Contended.
        """
        for known in self._controls(session, control):
            if not wanted(known):
                return None
            request = self._accepted(RequestKind.CLEAR, session, known, partner_id)
            if request is not None:
                return request
        raise _contended()

    def look(self, session: Session, control: Control, partner_id: str, duration: int) -> Request:
        """The profile that the charge point follows for `duration` seconds is read, in the partner's unit.

        Raises Contended.
        """
        for known in self._controls(session, control):
            request = self._accepted(RequestKind.GET, session, known, partner_id, duration=duration, unit=known.unit)
            if request is not None:
                return request
        raise _contended()

    def _controls(self, session: Session, control: Control) -> Iterator[Control]:
        """The session's control for each attempt: the one that is known, then as it is after a pause."""
        yield control
        for attempt in range(1, ACCEPT_ATTEMPTS):
            self.pause(ACCEPT_PAUSE * attempt)
            yield self.store.control(session.session_id)

    def _accepted(
        self,
        kind: RequestKind,
        session: Session,
        control: Control,
        partner_id: str,
        *,
        duration: int | None = None,
        unit: RateUnit | None = None,
    ) -> Request | None:
        after, number = numbered(control, kind)
        request = _request(kind, session, partner_id, self.clock.now(), number, duration, unit)
        return request if self.store.accept(request, None, before=control, after=after) else None


def _contended() -> Contended:
    return Contended("other requests for this session were faster; try again")


def _request(
    kind: RequestKind,
    session: Session,
    partner_id: str,
    now: datetime,
    number: int | None,
    duration: int | None,
    unit: RateUnit | None,
) -> Request:
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
        number=number,
        partner_id=partner_id,
        unit=unit,
        duration=duration,
    )
