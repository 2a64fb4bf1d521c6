"""Messages between functions, and the outbox that hands them to the queues."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.requests import Whereabouts
from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """A request's current step is to be sent to its station; messages of a station keep their order.

    `attempts` tells a later turn of the same step from a repetition of the message. `about`: where it is known, so that
    the sender reads all in one call.
    """

    request_id: str
    step: int
    attempts: int
    station_key: str
    about: Whereabouts | None = None


@dataclass(frozen=True, slots=True)
class DeadlineMessage:
    """A request's deadline; the message arrives when it is due."""

    request_id: str
    deadline: datetime


@dataclass(frozen=True, slots=True)
class ResultMessage:
    """A request was answered and its result waits to be delivered."""

    request_id: str
    partner_id: str


@dataclass(frozen=True, slots=True)
class PushMessage:
    """A session changed; a partner that sees it is to be told. It carries no body: the worker reads the newest.

    `reassess`: its rights are to be decided again first.
    """

    session_id: str
    partner_id: str
    version: str
    reassess: bool = False


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """A result that was given up, for operators: why, how often, which partner, session and request."""

    request_id: str
    partner_id: str
    session_id: str
    kind: str
    result: str
    attempts: int
    error: str
    host: str


@dataclass(frozen=True, slots=True)
class OverdueSession:
    """A session whose end never came though another car has taken its place: its end is taken for granted now.

    It goes the way of every event of a CSMS, as a `transaction.ended` at the instant when the other car was seen.
    """

    csms_id: str
    station_id: str
    transaction_id: str
    session_id: str
    ended_at: datetime


Message = OverdueSession | CommandMessage | DeadlineMessage | ResultMessage | PushMessage | FailedDelivery


class Outbox(Protocol):
    """Hands messages to the queues."""

    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        """Sends all, in batches. Raises when any was not taken: the caller repeats them all (consumers are idempotent).

        FIFO queues drop a repetition within five minutes; `again` makes a repetition that must not be dropped.
        """
