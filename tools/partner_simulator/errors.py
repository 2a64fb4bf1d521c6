"""What can go wrong when the partner calls the bridge.

PartnerError
├── NotConnectedError            nothing is known of a bridge yet, or the registration was ended
├── BridgeUnreachableError       no HTTP answer
│   └── AnswerLostError          there was one, and the partner's manner loses it
└── HandshakeError               the bridge answered, and there is no registration
"""


class PartnerError(Exception):
    """Base of the partner's errors; no message holds a token."""


class NotConnectedError(PartnerError, RuntimeError):
    """The partner has no bridge to call: connect or register first."""


class BridgeUnreachableError(PartnerError, ConnectionError):
    """The bridge gave no HTTP answer."""


class AnswerLostError(BridgeUnreachableError):
    """The bridge did its work, and the partner's manner lost the answer (`Manner.loses_answers`)."""


class HandshakeError(PartnerError):
    """The bridge cannot be registered with; `status` is HTTP's, `status_code` OCPI's, None where there was none."""

    def __init__(self, reason: str, *, status: int | None = None, status_code: int | None = None) -> None:
        self.reason = reason
        self.status = status
        self.status_code = status_code
        super().__init__(reason)
