"""The result of a request reaches the partner: quickly, once, or not at all (OCPI 14.4.2.1, 4.4).

Expiry is here too: a request that nobody answered by its deadline is answered REJECTED, and that result leaves in the
same step.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from random import SystemRandom
from urllib.parse import urlsplit

from ocpi_bridge.domain.delivery import GRACE, next_attempt
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.requests import (
    UNDELIVERED_RESULT,
    WAITING,
    Answer,
    Origin,
    Request,
    RequestKind,
    RequestState,
    Result,
)
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.charging_profiles import result_body
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.deliveries import DeliveryStore, PartnerReader
from ocpi_bridge.ports.messages import FailedDelivery, Outbox
from ocpi_bridge.ports.partners import PartnerClient, PartnerMessage

# One attempt may take this long; a partner that needs longer for an empty answer is not answering.
ATTEMPT_BUDGET = timedelta(seconds=8)
# A lease outlives the attempt, so that a duplicate of the message does not deliver at the same time.
LEASE = ATTEMPT_BUDGET + timedelta(seconds=4)
# A deadline message may come a little early: queues count in whole seconds.
EARLY = timedelta(seconds=1)
# Somebody answered, or sent it, in the very instant; the sweep comes back to what three readings did not settle.
EXPIRE_ATTEMPTS = 3


class Delivered(StrEnum):
    """How a step ended, for logs and metrics."""

    DELIVERED = "delivered"
    NOTHING_TO_DO = "nothing_to_do"
    GIVEN_UP = "given_up"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a step; `again_at` is when the message is to come back."""

    what: Delivered
    request: Request | None = None
    again_at: datetime | None = None
    error: str | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class DeliverResult:
    """Delivers results and expires requests. At-least-once towards the partner, always with the same content."""

    store: DeliveryStore
    partners: PartnerReader
    client: PartnerClient
    outbox: Outbox
    clock: Clock
    random: Callable[[], float] = SystemRandom().random

    def expire(self, request_id: str) -> Outcome:
        """The deadline came: who still waits gets REJECTED, delivered at once; the same message carries the retries."""
        request = self.store.request(request_id)
        for _ in range(EXPIRE_ATTEMPTS):
            if request is not None and request.state is RequestState.EXPIRED:
                return self.deliver(request_id)
            if request is None or request.state not in WAITING:
                return Outcome(Delivered.NOTHING_TO_DO, request)
            if self.clock.now() + EARLY < request.deadline:
                return Outcome(Delivered.AGAIN, request, again_at=request.deadline)
            sent = "was sent, its outcome is unknown" if request.attempts else "was never sent"
            answer = Answer(Result.REJECTED, f"no answer by the deadline; the command {sent}")
            if self.store.expire(request, answer) is not None:
                outcome = self.deliver(request_id)
                return Outcome(outcome.what, outcome.request, outcome.again_at, outcome.error, expired=True)
            request = self.store.request(request_id)
        return Outcome(Delivered.NOTHING_TO_DO, request)

    def deliver(self, request_id: str, partner_id: str | None = None) -> Outcome:
        """Delivers the request's result, if it has one that is not delivered.

        `partner_id` is whose the request is said to be, which spares a reading.
        """
        request, partner = self.store.addressed(request_id, partner_id)
        if request is None or request.state not in UNDELIVERED_RESULT or request.origin is not Origin.PARTNER:
            return Outcome(Delivered.NOTHING_TO_DO, request)
        now = self.clock.now()
        lease = request.delivery.lease_until
        if lease is not None and now < lease:
            return Outcome(Delivered.AGAIN, request, again_at=lease)
        leased = self.store.lease_delivery(request, until=now + LEASE, now=now)
        if leased is None:
            return Outcome(Delivered.AGAIN, request, again_at=now + LEASE)
        # The lease may have taken its time: what is left for the attempt is what is left now.
        if partner is None or partner.partner_id != request.partner_id:
            partner = self.partners.partner(request.partner_id or "")
        return self._attempt(leased, partner, self.clock.now())

    def _attempt(self, request: Request, partner: Partner | None, now: datetime) -> Outcome:
        if partner is None or request.callback is None or request.result is None:
            return self._give_up(request, "unknown_partner")
        left = request.deliver_until + GRACE - now
        if left <= timedelta(0):
            return self._give_up(request, request.delivery.last_error or "too_late")
        profile = self.store.active_profile(request.request_id) if request.kind is RequestKind.GET else None
        message = PartnerMessage(
            method="POST",
            url=request.callback.response_url,
            body=result_body(Answer(request.result, "", profile)),
            correlation_id=request.callback.correlation_id,
            from_party=request.callback.our_party,
            to_party=request.callback.their_party,
        )
        receipt = self.client.send(partner, message, budget=min(ATTEMPT_BUDGET, left).total_seconds())
        if receipt.delivered:
            self.store.delivered(request)
            return Outcome(Delivered.DELIVERED, request)
        error = receipt.error or "unknown"
        due = None
        if not receipt.final:
            due = next_attempt(
                request.delivery.attempts,
                self.clock.now(),
                request.deliver_until,
                receipt.retry_after,
                self.random,
            )
        if due is None:
            return self._give_up(request, error)
        self.store.release_delivery(request, error)
        return Outcome(Delivered.AGAIN, request, again_at=due, error=error)

    def _give_up(self, request: Request, error: str) -> Outcome:
        # The operators' entry first: nobody wakes a request that is at its end, so one lost after it would be lost for
        # good. A crash between the two makes the entry come twice.
        self.outbox.send([_failed(request, error)])
        self.store.undelivered(request, error)
        return Outcome(Delivered.GIVEN_UP, request, error=error)


def _failed(request: Request, error: str) -> FailedDelivery:
    return FailedDelivery(
        request_id=request.request_id,
        partner_id=request.partner_id or "",
        session_id=request.session_id,
        kind=request.kind.value,
        result=request.result.value if request.result else "",
        attempts=request.delivery.attempts,
        error=error,
        host=(urlsplit(request.callback.response_url).hostname or "") if request.callback else "",
    )
