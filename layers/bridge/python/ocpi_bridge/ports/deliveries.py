"""The store of requests, as the delivery of their results needs it. Writes as in requests."""

from datetime import datetime
from typing import Protocol

from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Answer, Request


class PartnerReader(Protocol):
    """Looks partners up."""

    def partner(self, partner_id: str) -> Partner | None:
        """The partner, or None."""


class DeliveryStore(Protocol):
    """What delivering results needs."""

    def request(self, request_id: str) -> Request | None:
        """The request, or None."""

    def addressed(self, request_id: str, partner_id: str | None) -> tuple[Request | None, Partner | None]:
        """The request and the partner of these ids, each or None; no partner where none is named."""

    def active_profile(self, request_id: str) -> Plan | None:
        """The active profile that a GET was answered with, or None."""

    def expire(self, request: Request, answer: Answer) -> Request | None:
        """PENDING or SENT -> EXPIRED with this answer; a SET or CLEAR that was sent leaves its outcome uncertain.

        None: somebody answered, or sent it, meanwhile.
        """

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
