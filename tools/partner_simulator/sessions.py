"""The partner's copies of the CPO's sessions, and what may not happen to them (OCPI 9.2.2 and 9.3.1)."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import Journal, NotObservedError
from tools.counterparts.json_types import JsonObject, as_list
from tools.partner_simulator.models import Session, SessionStatus, findings
from tools.partner_simulator.platform_models import OcpiVersion
from tools.partner_simulator.session_forms import form_findings
from tools.partner_simulator.transport import Party, Violations

# A session moves forward through these ranks only.
_RANKS = {
    SessionStatus.PENDING: 0,
    SessionStatus.RESERVATION: 0,
    SessionStatus.ACTIVE: 1,
    SessionStatus.COMPLETED: 2,
    SessionStatus.INVALID: 2,
}
_FINAL_RANK = 2


class ObjectRefusedError(ValueError):
    """The object breaks a rule so that it cannot be stored: 2001."""


class UnknownSessionError(LookupError):
    """The partner has no such session: HTTP 404."""


@dataclass(frozen=True, slots=True)
class SessionPush:
    """A PUT or PATCH that was stored: its body, and the session after it."""

    at: datetime
    method: str
    body: JsonObject
    session: Session


class SessionStore:
    """Sessions by country, party and id, compared without regard to case. Thread safe."""

    def __init__(self, violations: Violations) -> None:
        self.pushes: Journal[SessionPush] = Journal()
        self._violations = violations
        self._known: dict[tuple[str, str, str], JsonObject] = {}
        self._forgotten: set[tuple[str, str, str]] = set()
        self._changed = threading.Condition()

    def put(self, owner: Party, session_id: str, body: JsonObject, version: OcpiVersion = OcpiVersion.V221) -> Session:
        """Create or replace a session; raises ObjectRefusedError."""
        return self._store("PUT", owner, session_id, body, body, version)

    def patch(
        self, owner: Party, session_id: str, body: JsonObject, version: OcpiVersion = OcpiVersion.V221
    ) -> Session:
        """Change a session; charging periods are appended. Raises ObjectRefusedError, UnknownSessionError."""
        known = self._raw(owner, session_id)
        if known is None:
            if _key(owner, session_id) not in self._forgotten:
                self._violations.note(f"PATCH session {session_id}", "never PUT before")
            raise UnknownSessionError(session_id)
        if body.get("last_updated") is None:
            raise ObjectRefusedError("last_updated: a PATCH carries it always")
        added = body.get("charging_periods")
        if not isinstance(added, list | None):
            raise ObjectRefusedError("charging_periods: not a list")
        periods = [*as_list(known.get("charging_periods")), *(added or [])]
        merged = {**known, **body, "charging_periods": periods}
        return self._store("PATCH", owner, session_id, merged, body, version)

    def get(self, owner: Party, session_id: str) -> Session:
        """The partner's copy; raises UnknownSessionError."""
        known = self._raw(owner, session_id)
        if known is None:
            raise UnknownSessionError(session_id)
        return _read(known)

    def forget(self, session_id: str) -> None:
        """Lose a session, as a partner does after an accident; the CPO is expected to PUT it again."""
        with self._changed:
            lost = [key for key in self._known if key[2] == session_id.casefold()]
            for key in lost:
                del self._known[key]
            self._forgotten.update(lost)

    def all(self) -> list[Session]:
        """Every session as it is now."""
        with self._changed:
            known = list(self._known.values())
        return [_read(body) for body in known]

    def wait_for(self, predicate: Callable[[Session], bool], timeout: float) -> Session:
        """Return a session whose present state satisfies the predicate; raises NotObservedError."""
        deadline = time.monotonic() + timeout
        while True:
            seen = self.pushes.mark()
            sessions = self.all()
            found = next((session for session in sessions if predicate(session)), None)
            if found is not None:
                return found
            if not self._wait_for_push(seen, deadline - time.monotonic()):
                states = ", ".join(f"{one.id} {one.status}" for one in sessions) or "none"
                raise NotObservedError(f"no session as asked for in {timeout:g} s; sessions: {states}")

    def _wait_for_push(self, seen: int, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.pushes.mark() > seen, seconds)

    def _raw(self, owner: Party, session_id: str) -> JsonObject | None:
        with self._changed:
            return self._known.get(_key(owner, session_id))

    def _store(
        self, method: str, owner: Party, session_id: str, body: JsonObject, sent: JsonObject, version: OcpiVersion
    ) -> Session:
        for finding in form_findings(sent, version):
            raise ObjectRefusedError(finding)
        session = _read(body, version)
        key = _key(owner, session_id)
        if key != _key(Party(session.country_code, session.party_id), session.id):
            raise ObjectRefusedError(
                f"{session.country_code}/{session.party_id}/{session.id} is not what the URL names"
            )
        with self._changed:
            known = self._known.get(key)
            kept = session.wire()
            if known is not None and known != kept:
                for finding in _regressions(_read(known), session):
                    self._violations.note(f"{method} session {session_id}", finding)
            self._known[key] = kept
            self.pushes.record(SessionPush(utc_now(), method, sent, session))
            self._changed.notify_all()
        return session


def _key(owner: Party, session_id: str) -> tuple[str, str, str]:
    return owner.country_code.casefold(), owner.party_id.casefold(), session_id.casefold()


def _read(body: JsonObject, version: OcpiVersion = OcpiVersion.V221) -> Session:
    try:
        return Session.model_validate(body, extra=version.extra)
    except ValidationError as error:
        raise ObjectRefusedError(findings(error)) from error


def _regressions(before: Session, after: Session) -> Iterator[str]:
    if _RANKS[before.status] == _FINAL_RANK:
        yield f"changed after it was {before.status}"
    if _RANKS[after.status] < _RANKS[before.status]:
        yield f"status went back from {before.status} to {after.status}"
    if after.last_updated < before.last_updated:
        yield "last_updated went back"
    if after.kwh < before.kwh:
        yield f"kwh went back from {before.kwh} to {after.kwh}"
