"""One charge point that can misbehave, as the CSMS in front of it sees it; and the knobs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# What the site allows, in W, where the charge point has a limit of its own.
LOCAL_LIMIT = 7400
VOLTS_ON_THREE_PHASES = 690


class Knob(Enum):
    """What is the matter with it."""

    NOTHING = auto()
    OFFLINE = auto()
    BUSY = auto()
    SILENT = auto()
    REJECTS = auto()
    LIES = auto()
    NO_COMPOSITE = auto()
    LOCAL_LIMIT = auto()
    WRONG_UNIT = auto()
    NOT_SUPPORTED = auto()
    STRANGE_STATUS = auto()
    ANSWERS_TWICE = auto()


class Offline(Exception):
    """It has no connection."""


class Busy(Exception):
    """It has another call in progress."""


class Silent(Exception):
    """It takes the call and never answers."""


class CallError(Exception):
    """It answers a CALLERROR with this code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass
class ChargePoint:
    """Understands commands in any spelling; `limits` are the installed profile's (s, W), `calls` what reached it."""

    knob: Knob
    version: str
    limits: tuple[tuple[int, float], ...] = ()
    calls: list[RequestKind] = field(default_factory=list)

    def take(self, kind: RequestKind, command: JsonValue) -> JsonObject:
        """The OCPP response payload. Raises Offline, Busy, Silent or CallError."""
        if self.knob is Knob.OFFLINE:
            raise Offline
        if self.knob is Knob.BUSY:
            raise Busy
        self.calls.append(kind)
        match self.knob:
            case Knob.SILENT:
                raise Silent
            case Knob.NOT_SUPPORTED:
                raise CallError("NotSupported")
            case Knob.REJECTS:
                return {"status": "Rejected"}
            case Knob.STRANGE_STATUS:
                return {"status": "NotImplemented"}
            case Knob.LIES:
                return {"status": "Accepted"}
        return self._obey(kind, command)

    def _obey(self, kind: RequestKind, command: JsonValue) -> JsonObject:
        match kind:
            case RequestKind.SET:
                self.limits = tuple(_limits(command))
                return {"status": "Accepted"}
            case RequestKind.CLEAR:
                known, self.limits = bool(self.limits), ()
                return {"status": "Accepted" if known else "Unknown"}
            case RequestKind.GET:
                return self._composite()
            case RequestKind.LEARN:
                return self._abilities()

    def _abilities(self) -> JsonObject:
        if self.version == "2.0.1":
            level = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "ProfileStackLevel"}}
            return {"getVariableResult": [{"attributeStatus": "Accepted", "attributeValue": "9", **level}]}
        return {"configurationKey": [{"key": "ChargeProfileMaxStackLevel", "readonly": True, "value": "9"}]}

    def _composite(self) -> JsonObject:
        if self.knob is Knob.NO_COMPOSITE or not self.limits:
            return {"status": "Rejected"}
        limits: list[tuple[int, float]] = list(self.limits)
        if self.knob is Knob.LOCAL_LIMIT:
            limits = [(start, min(limit, LOCAL_LIMIT)) for start, limit in limits]
        in_ampere = self.knob is Knob.WRONG_UNIT
        schedule: JsonObject = {
            "chargingRateUnit": "A" if in_ampere else "W",
            "chargingSchedulePeriod": [
                {"startPeriod": start, "limit": limit / VOLTS_ON_THREE_PHASES if in_ampere else limit}
                for start, limit in limits
            ],
        }
        if self.version == "2.0.1":
            return {"status": "Accepted", "schedule": {"evseId": 1, "duration": 900, **schedule}}
        return {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}


def _limits(command: JsonValue) -> Iterator[tuple[int, float]]:
    """The periods, wherever in the command and in whatever spelling they stand."""
    if isinstance(command, Mapping):
        start, limit = command.get("startPeriod", command.get("start_period")), command.get("limit")
        if isinstance(start, int) and isinstance(limit, int | float):
            yield start, float(limit)
        for inner in command.values():
            yield from _limits(inner)
    elif isinstance(command, Sequence) and not isinstance(command, str):
        for inner in command:
            yield from _limits(inner)
