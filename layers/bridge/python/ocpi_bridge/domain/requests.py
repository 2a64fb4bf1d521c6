"""Requests: what a partner (or the bridge itself) wants of a charge point, as a small state machine.

    PENDING -> SENT -> ANSWERED | EXPIRED -> DELIVERED | UNDELIVERED
       ^         |        ^                                  |
       |         |        +----------------------------------+  a person starts the delivery again
       +---------+  a request of two steps goes back to PENDING for its second one

Each arrow is one conditional write, so a request has at most one answer. PENDING may also be ANSWERED (refused before
anything was sent) or EXPIRED. The answer itself never changes.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.plans import Plan, RateUnit
from ocpi_bridge.domain.values import dataclass


class RequestKind(StrEnum):
    """What is asked of the charge point: PUT, DELETE and GET of OCPI's Receiver interface (14.4.1), or its abilities."""

    SET = "SET"
    CLEAR = "CLEAR"
    GET = "GET"
    # Never a partner's: what the station can take is asked (GetConfiguration in OCPP 1.6, GetVariables in 2.0.1).
    LEARN = "LEARN"


class RequestState(StrEnum):
    """Where a request is in its life."""

    PENDING = "PENDING"
    SENT = "SENT"
    ANSWERED = "ANSWERED"
    EXPIRED = "EXPIRED"
    DELIVERED = "DELIVERED"
    UNDELIVERED = "UNDELIVERED"


WAITING = frozenset({RequestState.PENDING, RequestState.SENT})
UNDELIVERED_RESULT = frozenset({RequestState.ANSWERED, RequestState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Fit:
    """What a plan is fitted to for its charge point; when it changes, the plan must be sent again.

    `phases` are those calculated with (None for DC), `maximum_w` is the most that the outlet may deliver in W.
    `reduces`: it allows less than the plan asks for somewhere.
    """

    phases: int | None
    maximum_w: Decimal
    reduces: bool = False


class Origin(StrEnum):
    """Who wants it. What the bridge itself wants (a plan sent again, a probe) has no result to deliver."""

    PARTNER = "partner"
    BRIDGE = "bridge"


class Result(StrEnum):
    """ChargingProfileResultType (14.6.6): what the partner is told in the end."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Callback:
    """Where and as whom the result is delivered: to the partner's `response_url`, from our party to theirs."""

    response_url: str
    correlation_id: str
    our_party: Party
    their_party: Party


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the delivery of the result went so far. `last_error` is for operators and carries no secret.

    `until`: a person started it again, so attempts end then, and not with the timeout that the partner was told.
    """

    attempts: int = 0
    lease_until: datetime | None = None
    last_error: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """What a request is about. Whoever is told it with the request's id can read all at once."""

    csms_id: str
    station_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Times are UTC; `deadline` is when it expires, `timeout_at` is what the partner was told.

    `steps` are the charger commands it takes; `step` is the current one; `attempts` counts commands sent for it,
    `unsent` those of the first ones that certainly reached no charge point.
    `number` orders SET and CLEAR within a session (GETs have none). `unit` is the unit of the partner's plan (SET), or
    the one to answer in (GET; None: the charge point's). `plan_ends_at` is when a SET's plan ends, None if it does not
    by itself. `fail_safe_at` is when the charge point stops to follow a SET's plan so that nobody stays paused when we
    or the partner fall silent (design decision 15). `fitted_to` is what the SET's plan was last fitted to. `duration` (s)
    belongs to GET. `supported` as in Answer.
    """

    request_id: str
    origin: Origin
    kind: RequestKind
    session_id: str
    csms_id: str
    station_id: str
    state: RequestState
    created_at: datetime
    deadline: datetime
    timeout_at: datetime
    steps: tuple[RequestKind, ...]
    step: int = 0
    attempts: int = 0
    unsent: int = 0
    number: int | None = None
    partner_id: str | None = None
    callback: Callback | None = None
    unit: RateUnit | None = None
    plan_ends_at: datetime | None = None
    fail_safe_at: datetime | None = None
    fitted_to: Fit | None = None
    duration: int | None = None
    result: Result | None = None
    reason: str | None = None
    supported: bool = True
    delivery: Delivery = Delivery()

    @property
    def station_key(self) -> str:
        """The station over all CSMSs; commands are ordered within it."""
        return f"{self.csms_id}#{self.station_id}"

    @property
    def whereabouts(self) -> Whereabouts:
        """What it is about; that never changes."""
        return Whereabouts(self.csms_id, self.station_id, self.session_id)

    @property
    def deliver_until(self) -> datetime:
        """When it is too late for another attempt to deliver the result, but for the grace."""
        return self.delivery.until or self.timeout_at

    @property
    def current_step(self) -> RequestKind:
        """The charger command to be sent now."""
        return self.steps[self.step]

    @property
    def correlation_id(self) -> str:
        """What ties together all that is done for it: the partner's correlation id, or its own id where it has none."""
        return self.callback.correlation_id if self.callback is not None else self.request_id

    @property
    def command_id(self) -> str:
        """Names one step of one request; the callback of one step must not answer the next."""
        return f"{self.request_id}.{self.step}"


@dataclass(frozen=True, slots=True)
class Answer:
    """The one answer of a request: what the partner is told, the reason for operators, and for GET the profile.

    `active_profile` has an absolute start, the moment the charge point calculated it (14.6.1). `supported` is False where
    the charge point, or its CSMS, has no such command at all: asking again is of no use.
    """

    result: Result
    reason: str
    active_profile: Plan | None = None
    supported: bool = True


@dataclass(frozen=True, slots=True)
class InstalledPlan:
    """The last plan that the charge point of a session accepted: the request that carried it, its number, its end.

    `partner_id` is whose plan it is; `at` is when its request was accepted; `fail_safe_at` and `fitted_to` as in Request.
    """

    request_id: str
    number: int
    ends_at: datetime | None = None
    partner_id: str | None = None
    at: datetime | None = None
    fail_safe_at: datetime | None = None
    fitted_to: Fit | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether the charge point is expected to follow it still."""
        ends = [end for end in (self.ends_at, self.fail_safe_at) if end is not None]
        return not ends or now < min(ends)

    def wanted(self, now: datetime) -> bool:
        """Whether its partner still means it, be the charge point's own end of it past or not."""
        return self.ends_at is None or now < self.ends_at
