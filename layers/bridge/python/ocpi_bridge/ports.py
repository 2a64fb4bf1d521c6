"""The ports: what use cases need from the world, as Protocols. Adapters implement them; fakes pass the same tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.events import IdToken, StationEvent
from ocpi_bridge.domain.partners import Partner, Party, Rights
from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.requests import Answer, Request, RequestKind
from ocpi_bridge.domain.sessions import ChargingPeriod, Session
from ocpi_bridge.domain.stations import Csms, Outlet, Station, StationState


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


class CallbackParser(Protocol):
    """Reads the later answers of a CSMS."""

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
    `connect_timeout`, `connection_lost`, `dns`, `tls`, `protocol`, `redirect`, `body_too_large`, `refused_host`,
    `refused_address`, `invalid_request`, `no_token`). `final`: trying again is of no use.
    `retry_after` (s) is what the partner asked for.
    """

    delivered: bool
    error: str | None = None
    final: bool = False
    http_status: int | None = None
    ocpi_status: int | None = None
    retry_after: int | None = None


class PartnerClient(Protocol):
    """Calls a partner's interfaces: the hosts of its endpoints and its callback hosts, and no other."""

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


# --- Stores ----------------------------------------------------------------------------------------------------------
#
# Every write is conditional and atomic; a method that returns False, or None, wrote nothing. Reads are consistent.


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the session that the call is about, as one read finds them. `party` is the partner's own."""

    partner_id: str | None
    party: Party | None = None
    session: Session | None = None
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The registry entries around a session; None where the registry has no such entry (any more)."""

    partner: Partner | None
    csms: Csms | None
    station: Station | None
    state: StationState


class IntakeStore(Protocol):
    """What accepting a partner's request needs: two reads and one write."""

    def caller(self, token_hashes: Sequence[str], session_id: str | None = None) -> Caller:
        """Who one of the token hashes belongs to, with the session of that id (compared without case)."""

    def surroundings(self, partner_id: str, session: Session | None) -> Surroundings:
        """The partner, and the CSMS and station of the session where one is given."""

    def control(self, session_id: str) -> Control:
        """The session's control; a new one where there is none."""

    def accept(self, request: Request, plan: Plan | None, before: Control, after: Control) -> bool:
        """Creates the request (with its plan) and moves the control on, both or neither.

        False: somebody else moved the control since `before` was read.
        """


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A request with all that its command needs; None where something does not exist (any more)."""

    request: Request
    plan: Plan | None
    session: Session | None
    control: Control
    csms: Csms | None
    station: Station | None


class CommandStore(Protocol):
    """What sending charger commands and recording their answers needs."""

    def command_context(self, request_id: str) -> CommandContext | None:
        """The request with its surroundings, or None."""

    def mark_sent(self, request: Request) -> bool:
        """PENDING or SENT (of this step) -> SENT, one more attempt, and the session's last number sent.

        False: the request moved on, or a higher number was sent meanwhile, or (for a request that was SENT before) it
        is no longer the last one sent.
        """

    def record_answer(self, request: Request, answer: Answer) -> bool:
        """PENDING or SENT (of this step) -> ANSWERED; and which plan is installed now.

        An accepted SET's is; after a CLEAR that was accepted, or found nothing to clear, none is.
        False: the request has its answer already, or expired.
        """

    def turn_to_step(self, request: Request, step: int) -> bool:
        """SENT (of the request's step) -> PENDING of another step; a step on means that nothing is installed now.

        False: the request moved on.
        """


class PartnerReader(Protocol):
    """Looks partners up."""

    def partner(self, partner_id: str) -> Partner | None:
        """The partner, or None."""


class DeliveryStore(Protocol):
    """What delivering results needs."""

    def request(self, request_id: str) -> Request | None:
        """The request, or None."""

    def active_profile(self, request_id: str) -> Plan | None:
        """The active profile that a GET was answered with, or None."""

    def expire(self, request: Request, answer: Answer) -> Request | None:
        """PENDING or SENT -> EXPIRED with this answer. None: somebody answered meanwhile."""

    def lease_delivery(self, request: Request, until: datetime, now: datetime) -> Request | None:
        """Takes the right to deliver until an instant, counting the attempt.

        None: delivered, given up, or somebody else holds the lease.
        """

    def release_delivery(self, request: Request, error: str) -> None:
        """Gives the lease back after a failed attempt that will be repeated, with its error."""

    def delivered(self, request: Request) -> None:
        """ANSWERED or EXPIRED -> DELIVERED."""

    def undelivered(self, request: Request, error: str) -> None:
        """ANSWERED or EXPIRED -> UNDELIVERED, with the last error."""


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """What the sweep sees of a request that is not at its end."""

    request_id: str
    state: str
    step: int
    attempts: int
    station_key: str
    partner_id: str | None
    created_at: datetime
    deadline: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event happened, by the registry. `rights` are decided for a session that starts there now."""

    csms: Csms | None
    station: Station | None


class SessionStore(Protocol):
    """What turning events into sessions needs."""

    def place(self, csms_id: str, station_id: str) -> Place:
        """The CSMS and the station, as far as the registry knows them."""

    def rights(self, outlet: Outlet, token: IdToken | None, at: datetime) -> Rights:
        """Who may see and steer a session at this outlet with this token, from the assignments."""

    def session_of(self, event: StationEvent) -> Session | None:
        """The session that the event's transaction belongs to, or None."""

    def create(self, session: Session, replaces: Session | None) -> bool:
        """Creates the session as its transaction's (newest) one. False: somebody else did meanwhile."""

    def update(self, before: Session, after: Session, period: ChargingPeriod | None) -> bool:
        """Writes the session with the period it closed. False: somebody else wrote meanwhile."""

    def station_online(self, csms_id: str, station_id: str, *, online: bool, at: datetime) -> None:
        """Remembers whether the station is connected, unless something newer is known."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a partner last acknowledged of a session.

    `fields` is the object as pushed, without charging periods. `in_doubt`: a push began and its end is unknown, or it
    failed; the next one is the whole object. `attempts` counts failures in a row.
    """

    session_id: str
    partner_id: str
    version: int = 0
    fields: JsonObject = field(default_factory=dict)
    periods: int = 0
    at: datetime | None = None
    in_doubt: bool = False
    attempts: int = 0
    final: bool = False


class PushStore(Protocol):
    """What pushing sessions to partners needs."""

    def push_context(self, session_id: str, partner_id: str) -> tuple[Session | None, Partner | None, Pushed]:
        """The session, the partner, and what the partner last acknowledged."""

    def periods(self, session_id: str, after: int) -> Sequence[ChargingPeriod]:
        """The session's charging periods with an index above `after`, in order."""

    def save_pushed(self, pushed: Pushed, due_at: datetime | None) -> None:
        """Remembers what the partner acknowledged; with `due_at` the sweep wakes the next push then."""


@dataclass(frozen=True, slots=True)
class DuePush:
    """A push that the sweep wakes."""

    session_id: str
    partner_id: str


class SweepStore(Protocol):
    """What the sweep reads, both in bounded pages and from an index."""

    def open_requests(self, due_before: datetime) -> Sequence[OpenRequest]:
        """Requests not at their end that are due before an instant, the most overdue first."""

    def due_pushes(self, due_before: datetime) -> Sequence[DuePush]:
        """Pushes that are due before an instant."""


# --- Messages between functions --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommandMessage:
    """A request's current step is to be sent to its station; messages of a station keep their order.

    `attempts` tells a later turn of the same step from a repetition of the message.
    """

    request_id: str
    step: int
    attempts: int
    station_key: str


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
    """A session changed; a partner that sees it is to be told. It carries no body: the worker reads the newest."""

    session_id: str
    partner_id: str
    version: str


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


Message = CommandMessage | DeadlineMessage | ResultMessage | PushMessage | FailedDelivery


class Outbox(Protocol):
    """Hands messages to the queues."""

    def send(self, messages: Sequence[Message], *, again: str | None = None) -> None:
        """Sends all, in batches. Raises when any was not taken: the caller repeats them all (consumers are idempotent).

        FIFO queues drop a repetition within five minutes; `again` makes a repetition that must not be dropped.
        """
