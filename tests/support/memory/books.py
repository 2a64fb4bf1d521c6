"""What the three tables hold, in memory, and the stream of what changes in them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.partners import Partner, Silence
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Origin, Request, RequestState
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.watches import Watch
from ocpi_bridge.ports.pushes import Pushed
from ocpi_bridge.ports.sweep import Reassessment
from ocpi_bridge.usecases.relay_outbox import Change
from tests.support.memory.sessions import MemorySessionStore
from tests.support.memory.station_states import MemoryStationStates

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDED = frozenset({RequestState.DELIVERED, RequestState.UNDELIVERED})


def whole_ms(moment: datetime) -> datetime:
    """The instant as the tables keep the attributes that they compare."""
    return _EPOCH + (moment - _EPOCH) // timedelta(milliseconds=1) * timedelta(milliseconds=1)


@dataclass
class MemoryBooks:
    """The contents of the tables; sessions, the registry's places and assignments are those of `sessions`.

    `requests`, `plans` and `profiles` are by request id, `controls` by folded session id, `pushed` and `watches` by
    folded session id and partner. `changes` is the stream: each new state of a request or session, until it is taken.
    """

    partners: dict[str, Partner] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    tokens: dict[str, AcceptedToken] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    profiles: dict[str, Plan] = field(default_factory=dict)
    controls: dict[str, Control] = field(default_factory=dict)
    pushed: dict[tuple[str, str], tuple[Pushed, datetime | None]] = field(default_factory=dict)
    watches: dict[tuple[str, str], Watch] = field(default_factory=dict)
    reassessments: dict[str, Reassessment] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.states = MemoryStationStates()
        self.sessions = MemorySessionStore(self.states)

    @property
    def changes(self) -> list[Change]:
        return self.sessions.changes

    def control(self, session_id: str) -> Control:
        found = self.controls.get(session_id.casefold())
        return Control(session_id) if found is None else replace(found, session_id=session_id)

    def put_control(self, control: Control) -> None:
        self.controls[control.session_id.casefold()] = control

    def put_request(self, request: Request) -> None:
        """Writes a request's new state; one that is as it was is no change to the stream."""
        if self.requests.get(request.request_id) != request:
            self.requests[request.request_id] = request
            self.changes.append(request)

    def open_requests(self) -> Iterable[Request]:
        """Those that are not at their end."""
        for request in self.requests.values():
            answered_own = request.origin is Origin.BRIDGE and request.result is not None
            if request.state not in _ENDED and not answered_own:
                yield request
