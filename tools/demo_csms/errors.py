"""What can go wrong between the CSMS and a station.

CsmsError
├── NoConnectionError    the station is not connected, so nothing was sent
├── OtherProtocolError   the station speaks another version of OCPP, so nothing was sent
├── CallInProgressError  the station still owes an answer, so nothing was sent (OCPP-J 4.1.1)
├── StationSilentError   sent, no answer in time, or the connection was lost before it
├── CallRefusedError     the station answered with CALLERROR
└── AnswerInvalidError   the station's answer breaks its official schema
"""

from tools.counterparts.ocpp_json import CallError, OcppVersion


class CsmsError(RuntimeError):
    """A command did not lead to a valid answer of the station."""


class NoConnectionError(CsmsError):
    """The station is not connected; nothing was sent."""


class OtherProtocolError(CsmsError):
    """The station is connected with another version of OCPP; nothing was sent."""

    def __init__(self, requested: OcppVersion, connected: OcppVersion) -> None:
        self.requested = requested
        self.connected = connected
        super().__init__(f"Requested protocol: 'ocpp{requested}', connection protocol: 'ocpp{connected}'")


class CallInProgressError(CsmsError):
    """The station still owes an answer to an earlier CALL; nothing was sent."""


class StationSilentError(CsmsError):
    """The command was sent and no answer came."""


class CallRefusedError(CsmsError):
    """The station answered with CALLERROR, which is kept in `error`."""

    def __init__(self, error: CallError) -> None:
        self.error = error
        super().__init__(f"CALLERROR {error.code} {error.description}".strip())


class AnswerInvalidError(CsmsError):
    """The station's answer breaks its official schema."""
