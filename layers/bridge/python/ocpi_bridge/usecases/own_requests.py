"""What the bridge itself wants of a charge point: the same life as a partner's request, but with no result to deliver."""

import uuid
from collections.abc import Callable
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

    def clear(self, session: Session, control: Control, partner_id: str) -> Request:
        """The partner's plan is cleared at the charge point. Raises Contended."""
        return self._make(RequestKind.CLEAR, session, control, partner_id)

    def look(self, session: Session, control: Control, partner_id: str, duration: int) -> Request:
        """The profile that the charge point follows for `duration` seconds is read, in the partner's unit.

        Raises Contended.
        """
        return self._make(RequestKind.GET, session, control, partner_id, duration=duration, unit=control.unit)

    def _make(
        self,
        kind: RequestKind,
        session: Session,
        control: Control,
        partner_id: str,
        *,
        duration: int | None = None,
        unit: RateUnit | None = None,
    ) -> Request:
        for attempt in range(ACCEPT_ATTEMPTS):
            if attempt:
                self.pause(ACCEPT_PAUSE * attempt)
                control = self.store.control(session.session_id)
            after, number = numbered(control, kind)
            request = _request(kind, session, partner_id, self.clock.now(), number, duration, unit)
            if self.store.accept(request, None, before=control, after=after):
                return request
        raise Contended("other requests for this session were faster; try again")


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
