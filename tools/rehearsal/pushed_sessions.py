"""Our copies of the sessions that the Receiver pushes (OCPI 9.2.2), kept as they came, right or wrong."""

import threading

from tools.counterparts.json_types import JsonObject, as_list
from tools.partner_simulator.transport import Party


class PushedSessions:
    """Sessions by country, party and id, compared without case. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str], JsonObject] = {}

    def get(self, owner: Party, session_id: str) -> JsonObject | None:
        """The copy as it is now."""
        with self._lock:
            return self._known.get(_key(owner, session_id))

    def running(self, evse_uid: str | None = None) -> list[str]:
        """The ids of those that are ACTIVE, at an EVSE where one is named."""
        with self._lock:
            known = list(self._known.items())
        return [str(body.get("id", key[2])) for key, body in known if is_running(body, evse_uid)]

    def take(self, method: str, owner: Party, session_id: str, body: JsonObject) -> bool:
        """Apply a PUT or a PATCH; False where a PATCH is for a session that was never PUT."""
        key = _key(owner, session_id)
        with self._lock:
            known = self._known.get(key)
            if method == "PUT":
                self._known[key] = body
            elif known is None:
                return False
            else:
                self._known[key] = patched(known, body)
            return True


def is_running(session: JsonObject, evse_uid: str | None = None) -> bool:
    """Whether a session is ACTIVE, and at an EVSE where one is named."""
    return session.get("status") == "ACTIVE" and evse_uid in {None, session.get("evse_uid")}


def patched(known: JsonObject, body: JsonObject) -> JsonObject:
    """A session after a PATCH: what is there replaces, charging periods are appended (9.2.2.3)."""
    periods = [*as_list(known.get("charging_periods")), *as_list(body.get("charging_periods"))]
    merged = {**known, **body}
    return {**merged, "charging_periods": periods} if periods else merged


def _key(owner: Party, session_id: str) -> tuple[str, str, str]:
    return owner.country_code.casefold(), owner.party_id.casefold(), session_id.casefold()
