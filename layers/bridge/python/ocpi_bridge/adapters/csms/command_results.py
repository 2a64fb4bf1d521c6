"""A charge point's answer to a command that came by the bus, as the CSMS reports it (`command.result`)."""

from dataclasses import field
from datetime import datetime

from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.json_values import JsonObject

COMMAND_RESULT = "command.result"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What a CSMS says that a charge point answered; no event of a station, and no transaction follows from it.

    `command_id` names one step of one request. `body` is the answer as callbacks carry it: the payload of OCPP's
    response, or the CALLERROR that stands for it. It may name who drives the car, so it is never shown.
    """

    event_id: str
    time: datetime
    csms_id: str
    station_id: str
    command_id: str
    body: bytes = field(repr=False)


def answered(payload: JsonObject) -> bytes:
    """The body of a charge point's response."""
    return dumps(payload).encode()


def failed(code: str, description: str) -> bytes:
    """The body of a charge point's CALLERROR."""
    return dumps({"_errorCode": code, "_errorDescription": description}).encode()
