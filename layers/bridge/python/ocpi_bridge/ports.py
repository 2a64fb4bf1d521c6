"""The ports: what use cases need from the world, as Protocols. Adapters implement them; fakes pass the same tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.domain.stations import Csms, Outlet


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Returns the present instant, aware, UTC."""


# --- The charge point, through its CSMS (csms.md 8a) -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChargerCommand:
    """One command for a charge point.

    `plan` is given for SET: absolute (or relative), already capped, in a unit that the station takes, within its
    period limit. `phases` are the phases that the car uses (None when unknown or DC). `duration` (s) is given for GET,
    `unit` then is the unit to ask for (None: the station chooses). `deadline` bounds every call made for the command.
    `callback_url` is the signed one-time URL for the answer of a CSMS that answers later.
    """

    command_id: str
    kind: RequestKind
    outlet: Outlet
    transaction_id: str
    profile_id: int
    stack_level: int
    deadline: datetime
    callback_url: str
    plan: Plan | None = None
    phases: int | None = None
    duration: int | None = None
    unit: RateUnit | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The charge point answered. `status` is OCPP's (Accepted, Rejected, NotSupported, Unknown, ...).

    `schedule` is the composite schedule of a GET with an absolute start, in the charge point's unit, unclipped; None
    when it gave none. A CALLERROR comes as status `CallError:<code>`.
    """

    status: str
    schedule: Plan | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """The CSMS took the command; the charge point's answer comes to the callback URL, or never."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The CSMS did not answer for the charge point.

    `nothing_sent`: the command certainly did not reach the charge point. `retryable`: trying again within the deadline
    makes sense (offline, busy, 429, 503, connect error). `reason` is for operators and carries no secret.
    """

    reason: str
    nothing_sent: bool
    retryable: bool


class ChargePointDriver(Protocol):
    """Speaks with one CSMS."""

    def submit(self, csms: Csms, command: ChargerCommand) -> Done | Pending | Failed:
        """Gives the command to the CSMS; returns within the command's deadline and the CSMS's call timeout.

        At-least-once: the same command may be submitted again, with the same ids. Never raises for what a CSMS does.
        """

    def parse_callback(self, csms: Csms, kind: RequestKind, body: bytes, received_at: datetime) -> Done | Failed:
        """Reads what the CSMS posted to the callback URL; a body that says nothing is Failed, never an exception."""


# --- The partner -----------------------------------------------------------------------------------------------------

JsonValue = str | int | float | Decimal | bool | None | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
JsonObject = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class PartnerMessage:
    """One OCPI request to a partner. `body` is the bare object (OCPI wraps responses only).

    `from_party` and `to_party` become the routing headers (4.1.8.2). A new X-Request-ID is made for every attempt;
    `correlation_id` is sent as X-Correlation-ID.
    """

    method: str
    url: str
    body: JsonObject
    correlation_id: str
    from_party: Party
    to_party: Party


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. Delivered means HTTP 2xx and, where the answer has one, a 1xxx status code.

    `error` names the class of the failure for operators (`http_503`, `ocpi_2001`, `connect`, `timeout`,
    `refused_host`, `refused_address`, `tls`, `body_too_large`, `redirect`, ...). `final`: trying again is of no use.
    `retry_after` (s) is what the partner asked for.
    """

    delivered: bool
    error: str | None = None
    final: bool = False
    http_status: int | None = None
    ocpi_status: int | None = None
    retry_after: int | None = None


class PartnerClient(Protocol):
    """Calls a partner's interfaces, and no host that is not the partner's."""

    def send(self, partner: Partner, message: PartnerMessage, budget: float) -> Receipt:
        """Sends once, within `budget` seconds in all. Never raises for what the partner or the network does."""


# --- Secrets ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CsmsSecrets:
    """The secrets shared with one CSMS: the key of its event signatures, and our credential at its API."""

    event_key: str = field(repr=False)
    api_credential: str | None = field(default=None, repr=False)


class SecretStore(Protocol):
    """Reads secrets and keeps them in memory for a while; `fresh` reads again."""

    def partner_token(self, partner_id: str, *, fresh: bool = False) -> str:
        """The token that we present to the partner. Raises UnknownEntity."""

    def csms_secrets(self, csms_id: str, *, fresh: bool = False) -> CsmsSecrets:
        """The secrets shared with the CSMS. Raises UnknownEntity."""

    def callback_signing_key(self) -> bytes:
        """The key that signs the callback URLs given to CSMSs."""
