"""What turning raw OCPP frames into events needs to remember: a call and its answer come in two posts, in any order."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject


class ExchangePart(StrEnum):
    """One of the two frames of an exchange."""

    CALL = "call"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class KeptFrame:
    """A frame that is remembered for a while. `at` is when it was sent; the action of a result is its call's to know."""

    message_id: str
    at: datetime
    payload: JsonObject
    action: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer, as far as their frames have come."""

    call: KeptFrame | None = None
    result: KeptFrame | None = None


class FrameStore(Protocol):
    """Remembers frames for some minutes. Every write may be repeated, and an older frame never replaces a newer one."""

    def exchange(self, csms_id: str, station_id: str, part: ExchangePart, frame: KeptFrame) -> Exchange:
        """Keeps one part of an exchange and gives what there is of both; whoever comes second sees both.

        Empty where a newer frame with this message id is known: stations count their messages anew after a start.
        """

    def keep(self, csms_id: str, station_id: str, name: str, frame: KeptFrame) -> None:
        """Keeps a frame of a station under a name."""

    def kept(self, csms_id: str, station_id: str, name: str) -> KeptFrame | None:
        """The newest frame under a name, or None."""


class LiveTransactions(Protocol):
    """Which transaction runs where."""

    def transaction_at(
        self, csms_id: str, station_id: str, connector_id: int | None, evse_id: int | None, at: datetime
    ) -> str | None:
        """The id of the transaction that ran at an outlet (OCPP's numbers) at an instant and is not over, or None."""
