"""The charge point, through its CSMS (csms: charging station management system)."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    # Whoever only reads what charge points say needs no station: a twentieth of the start of the door for events.
    from ocpi_bridge.domain.stations import Capabilities, Csms, Outlet


@dataclass(frozen=True, slots=True)
class ChargerCommand:
    """One command for a charge point.

    `plan` is given for SET: absolute (or relative), already capped, in a unit that the station takes, within its
    period limit. `phases` are the phases that the car uses (None when unknown or DC). `duration` (s) is given for GET,
    `unit` then is the unit to ask for (None: the station chooses). `deadline` bounds every call made for the command.
    `callback_url` is the signed one-time URL for the answer of a CSMS that answers later. `correlation_id` is that of
    the partner's request (4.2), for the CSMS's own logs. `asked_plan` is the partner's own plan, as OCPI has it, for a
    CSMS that wants that too.
    """

    command_id: str
    kind: RequestKind
    outlet: "Outlet"
    transaction_id: str
    profile_id: int
    stack_level: int
    deadline: datetime
    callback_url: str
    correlation_id: str
    request_id: str
    session_id: str
    asked_plan: Plan | None = None
    plan: Plan | None = None
    phases: int | None = None
    duration: int | None = None
    unit: RateUnit | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The charge point answered. `status` is OCPP's (Accepted, Rejected, NotSupported, Unknown, ...).

    `schedule` is the composite schedule of a GET with an absolute start, in the charge point's unit, unclipped; None
    when it gave none; `capabilities` are the answer to LEARN. A CALLERROR comes as status `CallError:<code>`.
    """

    status: str
    schedule: Plan | None = None
    detail: str = ""
    capabilities: "Capabilities | None" = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The CSMS took the command; the charge point's answer comes to the callback URL, or never."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The CSMS did not answer for the charge point.

    `nothing_sent`: the command certainly did not reach the charge point. `retryable`: trying again within the deadline
    makes sense (offline, busy, 429, 503, connect error), not before `retry_after` seconds where the CSMS says so.
    `offered` is False where the CSMS has no such command at all. `reason` is for operators and carries no secret.
    """

    reason: str
    nothing_sent: bool
    retryable: bool
    offered: bool = True
    retry_after: int | None = None


class ChargePointDriver(Protocol):
    """Speaks with one CSMS."""

    def submit(self, csms: "Csms", command: ChargerCommand) -> Done | Pending | Failed:
        """Gives the command to the CSMS; returns within the command's deadline and the CSMS's call timeout.

        At-least-once: the same command may be submitted again, with the same ids. Never raises for what a CSMS does.
        """


class CallbackParser(Protocol):
    """Reads the later answers of a CSMS."""

    def parse_callback(self, csms: "Csms", kind: RequestKind, body: bytes, received_at: datetime) -> Done | Failed:
        """Reads what the CSMS posted to the callback URL; a body that says nothing is Failed, never an exception."""
