"""Who may come in: the three ways in which the bridge can prove itself to a partner."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from tools.counterparts.http_service import Request
from tools.partner_simulator.connection import Connection
from tools.partner_simulator.keyring import Recognition
from tools.partner_simulator.transport import read_bearer, read_token

UNKNOWN_TOKEN = "the token is missing or unknown"
REPLACED_TOKEN = "the token was replaced, or the registration ended"


class Standing(Enum):
    """What a caller may do."""

    KNOWN = "everything"
    REGISTERING = "versions and credentials"
    REFUSED = "nothing"


@dataclass(frozen=True, slots=True)
class Admission:
    """What a door says; `finding` is the rule that the caller broke, None where a refusal is nobody's fault.

    `token` is the credentials token that was presented, None where the caller showed something else.
    """

    standing: Standing
    finding: str | None = None
    token: str | None = field(default=None, repr=False)


class Door(Protocol):
    """Judges one request by its Authorization header and what goes with it."""

    def admit(self, request: Request) -> Admission:
        """Say what the caller may do."""


class TokenDoor:
    """Credentials tokens (4.1.2), or the same tokens as `Bearer` where the partner's manner or the interface says so."""

    def __init__(self, connection: Connection, *, bearer: bool = False) -> None:
        self._connection = connection
        self._bearer = bearer

    def admit(self, request: Request) -> Admission:
        """A token in the wrong encoding is refused; by trial and error it is no fault towards a plain partner."""
        manner = self._connection.manner
        value = request.header("Authorization") or ""
        by_bearer = self._bearer or manner.wants_bearer
        token = read_bearer(value) if by_bearer else read_token(value, plain=manner.plain_tokens)
        match self._recognise(token):
            case Recognition.CURRENT:
                return Admission(Standing.KNOWN, token=token)
            case Recognition.REGISTRATION:
                return Admission(Standing.REGISTERING, token=token)
            case Recognition.JUST_REPLACED:
                return Admission(Standing.REFUSED)
            case Recognition.REPLACED:
                return Admission(Standing.REFUSED, REPLACED_TOKEN)
            case Recognition.UNKNOWN if manner.plain_tokens and self._is_encoded(value):
                return Admission(Standing.REFUSED)
            case Recognition.UNKNOWN:
                return Admission(Standing.REFUSED, UNKNOWN_TOKEN)

    def _recognise(self, token: str | None) -> Recognition:
        return Recognition.UNKNOWN if token is None else self._connection.keys.recognise(token)

    def _is_encoded(self, value: str) -> bool:
        return self._recognise(read_token(value, plain=False)) is not Recognition.UNKNOWN
