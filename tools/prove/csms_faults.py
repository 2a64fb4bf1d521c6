"""What goes wrong at the CSMS: between it and the bridge, in its callbacks, and at its charge points."""

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from random import Random
from threading import Event

from tools.counterparts.http_service import Answer, AnswerLate, Fault, Request, ResetConnection, Response
from tools.demo_csms import DelayCallback, DemoCsms, DropCallback, ReceivedCommand, RepeatCallback, ReplaceCallback
from tools.demo_csms.callbacks import CallbackFault
from tools.prove.rota import Rota, Tally

# The embedded AWS sends one command at a time, so what is slow here is slow for all.
SLOW_SECONDS = 1.0
LATE_SECONDS = 3.0
LOOK_SECONDS = 0.1


class CommandFault(StrEnum):
    """How the CSMS takes a command."""

    DOWN = "CSMS is down"
    UNAVAILABLE = "CSMS answers 503"
    SLOW = "CSMS is slow"
    LOST_ANSWER = "CSMS resets the connection after it sent the command"
    NO_JSON = "CSMS answers with HTML"
    OTHER_STATUS = "CSMS answers 404"


class AnswerFault(StrEnum):
    """How the CSMS hands on a charge point's answer."""

    REPEATED = "CSMS calls back twice"
    DROPPED = "CSMS never calls back"
    LATE = "CSMS calls back late"
    BROKEN = "CSMS calls back against the schema"
    CONTRARY = "CSMS calls back Rejected where Accepted was meant"
    TEXT = "CSMS calls back with no JSON"


class StationFault(StrEnum):
    """How a charge point behaves."""

    OFFLINE = "charge point is offline"
    SILENT = "charge point is silent"
    REJECTING = "charge point rejects"
    OUT_OF_SCHEMA = "charge point answers against the schema"


_PLANNED = tuple(kind for kind in CommandFault if kind is not CommandFault.DOWN)


class CsmsFaults:
    """Chooses what hits commands and callbacks, one in `every` of each. `tally` says how often what did.

    While `stormy` is False nothing does.
    """

    def __init__(self, *, seed: int, every: int) -> None:
        self.stormy = False
        self.tally = Tally([*CommandFault, *AnswerFault, *StationFault])
        self._commands = Rota(_PLANNED, every=every, random=Random(f"{seed} commands"))
        self._callbacks = Rota(list(AnswerFault), every=every, random=Random(f"{seed} callbacks"))
        self._is_down = False

    def attach(self, csms: DemoCsms) -> None:
        """Lets this CSMS misbehave."""
        csms.http.plan_each(self._choose_command)
        csms.callbacks.plan_each(self._choose_callback)

    def take_down(self, over: Event, least: float, longest: float) -> None:
        """The CSMS ends every connection at once: for `least` seconds, and until that met a command; see `longest`."""
        begun, met = time.monotonic(), self._met()
        self._is_down = True
        while not over.wait(LOOK_SECONDS):
            lasted = time.monotonic() - begun
            if lasted > longest or (lasted > least and self._met() > met):
                break
        self._is_down = False

    def _met(self) -> int:
        return self.tally.counts()[CommandFault.DOWN]

    def _choose_command(self, _request: Request) -> Fault | None:
        if not self.stormy:
            return None
        kind = CommandFault.DOWN if self._is_down else self._commands.deal()
        if kind is None:
            return None
        self.tally.count(kind)
        return _COMMANDS[kind]()

    def _choose_callback(self, _command: ReceivedCommand) -> CallbackFault | None:
        kind = self._callbacks.deal() if self.stormy else None
        if kind is None:
            return None
        self.tally.count(kind)
        return _CALLBACKS[kind]


_COMMANDS: Mapping[CommandFault, Callable[[], Fault]] = {
    CommandFault.DOWN: ResetConnection,
    CommandFault.UNAVAILABLE: lambda: Answer(Response(503, headers={"Retry-After": "1"})),
    CommandFault.SLOW: lambda: AnswerLate(SLOW_SECONDS),
    CommandFault.LOST_ANSWER: lambda: ResetConnection(handled=True),
    CommandFault.NO_JSON: lambda: Answer(Response(200, b"<html>welcome</html>", {"Content-Type": "text/html"})),
    CommandFault.OTHER_STATUS: lambda: Answer(Response.json(404, {"message": "Route not found", "statusCode": 404})),
}

_CALLBACKS: Mapping[AnswerFault, CallbackFault] = {
    AnswerFault.REPEATED: RepeatCallback(2),
    AnswerFault.DROPPED: DropCallback(),
    AnswerFault.LATE: DelayCallback(LATE_SECONDS),
    AnswerFault.BROKEN: ReplaceCallback(b'{"status":7,"chargingSchedule":[]}'),
    AnswerFault.CONTRARY: ReplaceCallback(b'{"status":"Rejected"}'),
    AnswerFault.TEXT: ReplaceCallback(b"<html>welcome</html>"),
}
