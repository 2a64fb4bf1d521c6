"""What the bridge wrote on the deployed stack: requests, and what is known of stations."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import registry_items, request_items, tables
from ocpi_bridge.domain.requests import Request, RequestKind, RequestState
from tests.support.e2e_waiting import eventually
from tools.local_stack import LocalStack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@cache
def items_of(stack: LocalStack) -> "Items":
    """The tables of a stack, which all sites on it share: a client takes longer to make than to use."""
    return Items(stack)


class Items:
    """The tables of a stack."""

    def __init__(self, stack: LocalStack) -> None:
        self._client: DynamoDBClient = stack.client("dynamodb")
        self._requests = stack.outputs["RequestsTableName"]
        self._registry = stack.outputs["RegistryTableName"]

    def requests(self, session_id: str) -> list[Request]:
        """A session's requests in the order in which they were accepted. Scans: tests may.

        Without the bridge's question to a new station what it can take, which may come at any time.
        """
        found = [request_items.request_of(item) for item in self._scan(session_id)]
        wanted = [request for request in found if request.kind is not RequestKind.LEARN]
        return sorted(wanted, key=lambda request: (request.number or 0, request.created_at))

    def request_of(self, session_id: str, response_url: str | None) -> Request:
        """The request whose result goes to a response URL; there must be exactly one."""
        (request,) = [
            one for one in self.requests(session_id) if one.callback and one.callback.response_url == response_url
        ]
        return request

    def wait_for_state(self, session_id: str, response_url: str | None, state: RequestState, timeout: float) -> Request:
        """The request once it is in a state."""

        def in_state() -> Request | None:
            request = self.request_of(session_id, response_url)
            return request if request.state is state else None

        return eventually(in_state, timeout, what=f"a request in state {state}")

    def wait_for_station(self, csms_id: str, station_id: str, *, online: bool, timeout: float) -> None:
        """Returns when the bridge knows that the station is (not) connected."""
        key = (self._registry, *registry_items.station_state_key(csms_id, station_id))

        def is_known() -> bool:
            item = tables.get_many(self._client, [key]).get(key)
            return registry_items.station_state_of(item).online is online

        eventually(is_known, timeout, what=f"{station_id} {'online' if online else 'offline'}")

    def _scan(self, session_id: str) -> "Iterator[dict[str, object]]":
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._requests,
            FilterExpression="entity = :entity AND session_id = :session",
            ExpressionAttributeValues=tables.values(entity="request", session=session_id),
            ConsistentRead=True,
        )
        return (tables.from_item(item) for page in pages for item in page["Items"])
