"""Counterparts of the use cases that do as they are told and remember what they were asked."""

from collections.abc import Callable, Sequence
from datetime import datetime

from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms
from ocpi_bridge.ports.bus import BusEvent
from ocpi_bridge.ports.charge_points import ChargerCommand, Done, Failed, Pending
from ocpi_bridge.ports.messages import Message
from ocpi_bridge.ports.partners import PartnerMessage, Receipt

Outcome = Done | Pending | Failed

DELIVERED = Receipt(delivered=True, http_status=200, ocpi_status=1000)
UNREACHABLE = Receipt(delivered=False, error="connect")
HANGS = Receipt(delivered=False, error="timeout")
NOT_FOUND = Receipt(delivered=False, error="http_404", final=True, http_status=404)


class ScriptedDriver:
    """Gives one outcome after the other, the last one for ever; `on_submit` runs within each call."""

    def __init__(self, *outcomes: Outcome, on_submit: Callable[[ChargerCommand], object] | None = None) -> None:
        self._outcomes = list(outcomes)
        self._on_submit = on_submit
        self.commands: list[ChargerCommand] = []

    def submit(self, csms: Csms, command: ChargerCommand) -> Outcome:
        self.commands.append(command)
        if self._on_submit is not None:
            self._on_submit(command)
        return self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]

    def parse_callback(self, csms: Csms, kind: RequestKind, body: bytes, received_at: datetime) -> Done | Failed:
        return Done(body.decode())

    @property
    def kinds(self) -> list[RequestKind]:
        return [command.kind for command in self.commands]


class ScriptedPartner:
    """Gives one receipt after the other, the last one for ever; `on_send` runs within each call."""

    def __init__(self, *receipts: Receipt, on_send: Callable[[PartnerMessage], object] | None = None) -> None:
        self._receipts = list(receipts or (DELIVERED,))
        self._on_send = on_send
        self.messages: list[PartnerMessage] = []
        self.budgets: list[float] = []

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        self.messages.append(message)
        self.budgets.append(budget)
        if self._on_send is not None:
            self._on_send(message)
        return self._receipts.pop(0) if len(self._receipts) > 1 else self._receipts[0]

    def answer_with(self, *receipts: Receipt) -> None:
        """What comes from now on."""
        self._receipts = list(receipts)

    @property
    def methods(self) -> list[str]:
        return [message.method for message in self.messages]


class MemoryOutbox:
    """Keeps what it was given; `again` has the mark of each sending."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.again: list[str | None] = []

    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        self.messages += messages
        self.again.append(again)


class MemoryBus:
    """Keeps the events that it was given."""

    def __init__(self) -> None:
        self.events: list[BusEvent] = []

    def publish(self, events: Sequence[BusEvent]) -> None:
        self.events += events
