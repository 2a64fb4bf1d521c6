"""What the checks of a rehearsal share: the counterpart, what was asked for, and what they have found out."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Protocol

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import NotObservedError
from tools.rehearsal import rules
from tools.rehearsal.counterpart import Ask, Counterpart
from tools.rehearsal.inbox import Arrival, Inbox, Subject
from tools.rehearsal.ledger import Ledger
from tools.rehearsal.wire import UnansweredError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what (s).

    `result`: at most for a result, whatever timeout was announced; `quiet`: at the end, for what must not come; `push`:
    for what the Receiver tells by itself; `too_often`: before a request is repeated that came too often.
    """

    call: float = 30.0
    result: float = 120.0
    quiet: float = 5.0
    push: float = 90.0
    slow: float = 2.0
    too_often: float = 10.0


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for.

    `registered`: the token is a final one, and there is no handshake; `callback_token` is what the Receiver presents to
    us then. `steer`: profiles may be set and cleared on the session. `unregister`: end the registration afterwards.
    `wait_for_session` (s): for the first session that is pushed, when none is listed.
    """

    registered: bool = False
    callback_token: str | None = field(default=None, repr=False)
    session_id: str | None = None
    wait_for_session: float = 0.0
    steer: bool = False
    unregister: bool = False
    patience: Patience = Patience()


class Car(Protocol):
    """A car that charges at the Receiver when it is told to: who owns the charge point can bring one."""

    def arrive(self) -> str:
        """A session begins, which we may steer, beside one that is over; the uid of its EVSE."""

    def charge(self) -> None:
        """The meter moves."""

    def limit(self, watts: int | None) -> None:
        """The charge point takes a limit of its own, or gives it up, and tells."""

    def leave(self) -> None:
        """The session ends."""


class Need(Enum):
    """What a check cannot do without; the value says so when it is missing."""

    REGISTRATION = "no registration token: --registered was given"
    CALLBACKS = "the Receiver cannot call us: see --public-url and --listen"
    RESPONSE_URL = "no response_url of ours is known to the Receiver: give --public-url"
    ENDPOINTS = "there is no registration, or no endpoint is known"
    SESSION = "no running session: see --session and --wait-for-session"
    STEER = "it would set or clear a profile on a car's session: see --steer"
    CAR = "no charge point of ours takes part: see --local"
    UNREGISTER = "the registration is kept: see --unregister"


@dataclass(slots=True)
class Stage:
    """The state of a rehearsal."""

    counterpart: Counterpart
    options: Options
    car: Car | None = None
    registration_token: str | None = field(default=None, repr=False)
    session_id: str | None = None

    @property
    def ledger(self) -> Ledger:
        """Where observations go."""
        return self.counterpart.ledger

    @property
    def inbox(self) -> Inbox:
        """What the Receiver calls; raises UnansweredError where it cannot."""
        if self.counterpart.inbox is None:
            raise UnansweredError(Need.CALLBACKS.value)
        return self.counterpart.inbox

    @property
    def session(self) -> str:
        """The id of the running session; raises UnansweredError without one."""
        if self.session_id is None:
            raise UnansweredError(Need.SESSION.value)
        return self.session_id

    def has(self, need: Need) -> bool:
        """Whether a check that needs this can run."""
        counterpart = self.counterpart
        match need:
            case Need.REGISTRATION:
                return self.registration_token is not None
            case Need.CALLBACKS:
                return counterpart.inbox is not None
            case Need.RESPONSE_URL:
                return counterpart.address is not None
            case Need.ENDPOINTS:
                return counterpart.endpoints is not None and bool(counterpart.cpos)
            case Need.SESSION:
                return self.session_id is not None
            case Need.STEER:
                return self.options.steer
            case Need.CAR:
                return self.car is not None
            case Need.UNREGISTER:
                return self.options.unregister and self.registration_token is not None

    def await_result(self, ask: Ask) -> Arrival | None:
        """The result of an accepted request, recorded as come in time or not; None where none came."""
        # Who announces no timeout breaks a rule already.
        longest = self.options.patience.result
        timeout = longest if ask.timeout is None else float(ask.timeout)
        left = (ask.answer.at + timedelta(seconds=timeout) - utc_now()).total_seconds()
        patience = min(max(left, 0.0), longest)
        where = f"the result of {ask.answer.call.where}"
        try:
            found = self.inbox.arrivals.wait_for(
                lambda one: one.subject is Subject.RESULT and one.key == ask.key, patience
            )
        except NotObservedError:
            found = None
        if found is None and left > longest:
            self.ledger.skip((rules.RESULT_COMES,), f"{timeout:g} s were announced, which is longer than is waited for")
            return None
        self.ledger.expect(
            rules.RESULT_COMES,
            found is not None,
            where=where,
            expected=f"a result within {timeout:g} s",
            seen=f"none in {patience:.0f} s",
        )
        return found
