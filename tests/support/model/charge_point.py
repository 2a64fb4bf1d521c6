"""A charge point behind its CSMS: one transaction, the profiles that it was given, and what it does with a command."""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.requests import Request, RequestKind, RequestState
from ocpi_bridge.domain.stations import Csms, maximum_power
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from tests.support.clocks import ManualClock
from tests.support.memory import MemoryBooks


class Conduct(StrEnum):
    """What the CSMS and its charge point do with one command."""

    DOES = "does it and says so at once"
    REFUSES = "refuses at once"
    DOES_LATER = "CSMS takes it; does it and says so later"
    REFUSES_LATER = "CSMS takes it; refuses later"
    DOES_TOO_LATE = "CSMS takes it; does it and says so when nobody waits any more"
    DOES_SILENTLY = "CSMS takes it; does it and never says so"
    LOSES = "CSMS takes it; nothing comes of it"
    OFFLINE = "CSMS says that the station is offline"
    BROKEN = "CSMS cannot be used"
    DOES_UNHEARD = "does it, but the CSMS's answer is lost"
    UNHEARD = "the CSMS's answer is lost, and nothing came of it"
    MUMBLES = "does it, and says what nobody knows"


class Showing(StrEnum):
    """What a station says of the profile that it follows (GetCompositeSchedule), all its life."""

    FOLLOWED = "what it follows"
    NOTHING = "Accepted, and no schedule"
    UNSUPPORTED = "NotSupported"


# After how many seconds a charge point comes to what its CSMS took for it.
_TAKES = {
    Conduct.DOES_LATER: 2,
    Conduct.REFUSES_LATER: 2,
    Conduct.DOES_TOO_LATE: 120,
    Conduct.DOES_SILENTLY: 2,
    Conduct.LOSES: 2,
}


@dataclass(frozen=True, slots=True)
class _Taken:
    conduct: Conduct
    command: ChargerCommand
    due_at: datetime


class ModelChargePoint:
    """ChargePointDriver and CallbackParser.

    `transaction` is the one that runs, `profiles` are by profile id (it keeps them when a transaction ends, as a bad
    one does), `replies` are answers that wait to be posted to a callback URL. `violations` are commands that should
    never have left. `conduct` says what is done with the next commands; those after it are done at once.
    """

    def __init__(self, books: MemoryBooks, clock: ManualClock, showing: Showing = Showing.FOLLOWED) -> None:
        self.showing = showing
        self.transaction: str | None = None
        self.profiles: dict[int, ChargerCommand] = {}
        self.conduct: deque[Conduct] = deque()
        self.replies: list[tuple[str, Done]] = []
        self.commands: list[ChargerCommand] = []
        self.violations: list[str] = []
        self._taken: list[_Taken] = []
        self._numbers: dict[str, int] = {}
        self._books, self._clock = books, clock

    def submit(self, csms: Csms, command: ChargerCommand) -> Done | Pending | Failed:
        if self._clock.now() >= command.deadline:
            return Failed("no time is left for a call", nothing_sent=True, retryable=True)
        self._look_at(command)
        conduct = self.conduct.popleft() if self.conduct else Conduct.DOES
        if conduct is Conduct.OFFLINE:
            return Failed("offline", nothing_sent=True, retryable=True)
        if conduct is Conduct.BROKEN:
            return Failed("no such API", nothing_sent=True, retryable=False)
        self.commands.append(command)
        # What the CSMS holds reaches the charge point before what comes after it.
        self._deals_with(self._taken)
        if conduct in _TAKES:
            due_at = self._clock.now() + timedelta(seconds=_TAKES[conduct])
            self._taken.append(_Taken(conduct, command, due_at))
            return Pending()
        if conduct is Conduct.REFUSES:
            return Done("Rejected")
        if conduct is Conduct.UNHEARD:
            return Failed("timeout", nothing_sent=False, retryable=True)
        done = self._does(command)
        match conduct:
            case Conduct.DOES_UNHEARD:
                return Failed("timeout", nothing_sent=False, retryable=True)
            case Conduct.MUMBLES:
                return Done("Whatever")
            case _:
                return done

    def parse_callback(self, csms: Csms, kind: RequestKind, body: bytes, received_at: datetime) -> Done | Failed:
        # The model posts the number of a reply.
        return self.replies[int(body)][1]

    @property
    def next_at(self) -> datetime | None:
        """When it comes to the next command that its CSMS took for it."""
        return min((one.due_at for one in self._taken), default=None)

    def catch_up(self) -> None:
        """It deals with what it has come to by now."""
        self._deals_with([one for one in self._taken if one.due_at <= self._clock.now()])

    def reboots(self) -> None:
        """It forgets the plans of transactions, as many do."""
        self.profiles.clear()

    def _deals_with(self, taken: list[_Taken]) -> None:
        self._taken = [one for one in self._taken if one not in taken]
        for one in taken:
            if one.conduct is Conduct.LOSES:
                continue
            said = Done("Rejected") if one.conduct is Conduct.REFUSES_LATER else self._does(one.command)
            if one.conduct is not Conduct.DOES_SILENTLY:
                self.replies.append((one.command.command_id, said))

    def _does(self, command: ChargerCommand) -> Done:
        match command.kind:
            case RequestKind.SET:
                if command.transaction_id != self.transaction:
                    return Done("Rejected")
                self.profiles[command.profile_id] = command
                return Done("Accepted")
            case RequestKind.CLEAR:
                return Done("Accepted" if self.profiles.pop(command.profile_id, None) else "Unknown")
            case RequestKind.GET if self.showing is Showing.UNSUPPORTED:
                return Done("NotSupported")
            case _:
                return Done("Accepted", self._composite(command))

    def _composite(self, command: ChargerCommand) -> Plan | None:
        """What it follows, in absolute time; nothing where it follows no profile, or never shows any."""
        if self.showing is Showing.NOTHING:
            return None
        followed = [one.plan for one in self.profiles.values() if one.transaction_id == self.transaction]
        plan = followed[-1] if followed else None
        if plan is None or plan.start is not None:
            return plan
        return replace(plan, start=self._books.sessions.sessions[command.session_id.casefold()].start)

    def _look_at(self, command: ChargerCommand) -> None:
        """No command may leave that was answered, is out of order, or is above what the CPO allows (design, section 5)."""
        request = self._books.requests[command.request_id]
        if request.state is not RequestState.SENT or request.result is not None:
            self.violations.append(f"a command of {_told(request)} left")
        if request.number is not None:
            if request.number < self._numbers.get(request.session_id, 0):
                self.violations.append(f"number {request.number} left after {self._numbers[request.session_id]}")
            self._numbers[request.session_id] = request.number
        if command.plan is not None and command.plan.unit is RateUnit.WATT:
            most = maximum_power(command.outlet)
            if any(period.limit > most for period in command.plan.periods):
                self.violations.append(f"a plan above {most} W left")
        session = self._books.sessions.sessions[request.session_id.casefold()]
        state = self._books.states.state(request.csms_id, request.station_id)
        if command.kind is not RequestKind.SET:
            return
        if not session.steerable:
            self.violations.append("a plan left for a session that is over")
        if session.rights.steered_by != request.partner_id:
            self.violations.append("a plan left of a partner that may not steer")
        if session.steering_suspended or state.suspends(session.evse_uid):
            self.violations.append("a plan left though the CPO has taken the station back")


def _told(request: Request) -> str:
    return f"{request.kind} {request.number}, which is {request.state} {request.result or ''}"
