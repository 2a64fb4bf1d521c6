"""Delivering results: who may deliver now, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import (
    instants,
    partner_items,
    request_items,
    session_items,
    tables,
    writes,
)
from ocpi_bridge.adapters.dynamodb.requests import uncertain_entry
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Answer, Origin, Request, RequestState
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ANSWERED = {"answered": RequestState.ANSWERED.value, "expired": RequestState.EXPIRED.value}
_HAS_RESULT = "#state IN (:answered, :expired)"


@dataclass(frozen=True, slots=True)
class DynamoDeliveryStore:
    """DeliveryStore and PartnerReader on the three tables. `clock` as in the store of commands."""

    client: "DynamoDBClient"
    sessions: str
    requests: str
    registry: str
    clock: Clock

    def request(self, request_id: str) -> Request | None:
        """See DeliveryStore."""
        key = (self.requests, *request_items.request_key(request_id))
        item = tables.get_many(self.client, [key]).get(key)
        return request_items.request_of(item) if item else None

    def addressed(self, request_id: str, partner_id: str | None) -> tuple[Request | None, Partner | None]:
        """See DeliveryStore: one call."""
        request = (self.requests, *request_items.request_key(request_id))
        partner = (self.registry, *partner_items.partner_key(partner_id or ""))
        found = tables.get_many(self.client, [request, partner] if partner_id else [request])
        return (
            request_items.request_of(found[request]) if request in found else None,
            partner_items.partner_of(found[partner]) if partner in found else None,
        )

    def active_profile(self, request_id: str) -> Plan | None:
        """See DeliveryStore."""
        key = (self.requests, *request_items.profile_key(request_id))
        return request_items.plan_of(tables.get_many(self.client, [key]).get(key))

    def partner(self, partner_id: str) -> Partner | None:
        """See PartnerReader."""
        key = (self.registry, *partner_items.partner_key(partner_id))
        item = tables.get_many(self.client, [key]).get(key)
        return partner_items.partner_of(item) if item else None

    def expire(self, request: Request, answer: Answer) -> Request | None:
        """See DeliveryStore."""
        expired = {
            "state": RequestState.EXPIRED.value,
            "result": answer.result.value,
            "reason": answer.reason,
            "answered_at": instants.epoch_ms(self.clock.now()),
            # As it was read: whether it was sent decides what is known of its outcome.
            "attempts": request.attempts,
        }
        waiting = {"pending": RequestState.PENDING.value, "sent": RequestState.SENT.value}
        ended = ("due_shard", "due_at") if request.origin is Origin.BRIDGE else ()
        key = request_items.request_key(request.request_id)
        waited = "#state IN (:pending, :sent) AND #attempts = :attempts"
        alone = [writes.update(self.requests, key, expired, waited, waiting, ended)]
        in_doubt = request.attempts and request.number is not None
        with_doubt = [*alone, uncertain_entry(self.sessions, request)] if in_doubt else alone
        # Where a later request left a doubt already, its own expiry alone settles whether it moved on.
        if not writes.write(self.client, with_doubt) and not (in_doubt and writes.write(self.client, alone)):
            return None
        return replace(request, state=RequestState.EXPIRED, result=answer.result, reason=answer.reason)

    def lease_delivery(self, request: Request, until: datetime, now: datetime) -> Request | None:
        """See DeliveryStore."""
        attempts = request.delivery.attempts
        leased = {
            "state": request.state.value,
            "delivery_attempts": attempts + 1,
            "lease_until": instants.epoch_ms(until),
            **({} if attempts else {"first_delivery_at": instants.epoch_ms(now)}),
        }
        condition = (
            "#state = :state AND (attribute_not_exists(#lease_until) OR #lease_until <= :now)"
            " AND (attribute_not_exists(#delivery_attempts) OR #delivery_attempts = :attempts)"
        )
        if not self._update(request, leased, condition, {"now": instants.epoch_ms(now), "attempts": attempts}):
            return None
        return replace(request, delivery=replace(request.delivery, attempts=attempts + 1, lease_until=until))

    def release_delivery(self, request: Request, error: str) -> None:
        """See DeliveryStore."""
        given_back = {"state": request.state.value, "last_error": error}
        self._update(request, given_back, "#state = :state", {}, remove=("lease_until",))

    def delivered(self, request: Request) -> None:
        """See DeliveryStore."""
        self._end(request, RequestState.DELIVERED, None)

    def undelivered(self, request: Request, error: str) -> None:
        """See DeliveryStore."""
        self._end(request, RequestState.UNDELIVERED, error)

    def deliver_again(self, request: Request, now: datetime, until: datetime) -> bool:
        """UNDELIVERED -> ANSWERED, to be delivered until an instant: a person's wish, carried on as every answer is.

        False: it is not undelivered (any more); nothing was written.
        """
        again = {
            "state": RequestState.ANSWERED.value,
            "delivery_attempts": 0,
            "deliver_until": instants.epoch_ms(until),
            "due_shard": session_items.due_shard(request.request_id),
            "due_at": instants.epoch_ms(now),
        }
        given_up = {"undelivered": RequestState.UNDELIVERED.value}
        ended = ("last_error", "lease_until", "closed_at")
        return self._update(request, again, "#state = :undelivered", given_up, remove=ended)

    def _end(self, request: Request, state: RequestState, error: str | None) -> None:
        ended: dict[str, object] = {"state": state.value, "closed_at": instants.epoch_ms(self.clock.now())}
        if error is not None:
            ended["last_error"] = error
        self._update(request, ended, _HAS_RESULT, _ANSWERED, remove=("due_shard", "due_at", "lease_until"))

    def _update(
        self,
        request: Request,
        set_values: Mapping[str, object],
        condition: str,
        condition_values: Mapping[str, object],
        remove: Sequence[str] = (),
    ) -> bool:
        key = request_items.request_key(request.request_id)
        entry = writes.update(self.requests, key, set_values, condition, condition_values, remove)
        return writes.write(self.client, [entry])
