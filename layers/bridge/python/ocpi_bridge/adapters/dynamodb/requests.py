"""Requests as they are accepted, whoever wants them: one transaction each."""

from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import instants, request_items, session_items, tables, writes
from ocpi_bridge.domain.controls import Control
from ocpi_bridge.domain.plans import Plan
from ocpi_bridge.domain.requests import Request
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


@dataclass(frozen=True, slots=True)
class DynamoRequestStore:
    """RequestStore on the sessions and requests tables."""

    client: "DynamoDBClient"
    sessions: str
    requests: str

    def control(self, session_id: str) -> Control:
        """See RequestStore."""
        key = (self.sessions, *session_items.control_key(session_id))
        return session_items.control_of(session_id, tables.get_many(self.client, [key]).get(key))

    def accept(self, request: Request, plan: Plan | None, before: Control, after: Control) -> bool:
        """See RequestStore: one transaction over the requests and the sessions table."""
        own, *apart = request_items.request_items(request, plan)
        unit = {"unit": after.unit.value} if after.unit else {}
        entries = [
            writes.put(self.requests, own),
            writes.update(
                self.sessions,
                session_items.control_key(request.session_id),
                {
                    "entity": "control",
                    "version": after.version,
                    "accepted": after.accepted,
                    "intakes": session_items.intakes_text(after),
                    "expires_at": instants.expiry(request.created_at, session_items.RETENTION.sessions),
                    **unit,
                },
                "#version = :before OR (:before = :none AND attribute_not_exists(#version))",
                {"before": before.version, "none": 0},
            ),
            *(writes.put(self.requests, item) for item in apart),
        ]
        return writes.write(self.client, entries)


def uncertain_entry(sessions: str, request: Request) -> "TransactWriteItemTypeDef":
    """The control that remembers that nobody knows what the request left at the charge point."""
    return writes.update(
        sessions,
        session_items.control_key(request.session_id),
        {"uncertain": request.number, "uncertain_by": request.partner_id},
        "attribute_not_exists(#uncertain) OR #uncertain <= :uncertain",
        {},
    )
