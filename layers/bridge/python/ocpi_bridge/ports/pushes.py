"""The store of what was pushed of sessions. Writes as in requests."""

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.partners import Partner, Silence
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a partner last acknowledged of a session.

    `fields` is the object as pushed, without charging periods. `in_doubt`: a push began and its end is unknown, or it
    failed; the next one is the whole object. `attempts` counts failures in a row.
    """

    session_id: str
    partner_id: str
    version: int = 0
    fields: JsonObject = field(default_factory=dict)
    periods: int = 0
    at: datetime | None = None
    in_doubt: bool = False
    attempts: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class PushContext:
    """A session and a partner, and all that is between them; None where something does not exist (any more).

    `push_due_at` is when the sweep wakes the next push; `silence` is the partner's, None while it answers.
    """

    session: Session | None
    partner: Partner | None
    pushed: Pushed
    control: Control
    watch: Watch | None = None
    push_due_at: datetime | None = None
    silence: Silence | None = None


class PushStore(Protocol):
    """What pushing sessions to partners needs."""

    def push_context(self, session_id: str, partner_id: str) -> PushContext:
        """The session, the partner, and what the partner last acknowledged."""

    def periods(self, session_id: str, after: int) -> Sequence[ChargingPeriod]:
        """The session's charging periods with an index above `after`, in order."""

    def save_pushed(self, pushed: Pushed, due_at: datetime | None) -> None:
        """Remembers what the partner acknowledged; with `due_at` the sweep wakes the next push then."""
