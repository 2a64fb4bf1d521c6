"""Who calls, by tokens alone: what a door needs that is about no session."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import tables, writes
from ocpi_bridge.adapters.dynamodb.token_items import token_key, token_of
from ocpi_bridge.domain.tokens import AcceptedToken
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.callers import Caller

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef


@dataclass(frozen=True, slots=True)
class DynamoCallers:
    """CallerStore on the registry table. It finds no sessions: the intake does."""

    client: "DynamoDBClient"
    registry: str

    def caller(self, token_hashes: Sequence[str], session_id: str | None = None) -> Caller:  # noqa: ARG002 - the port's
        """See CallerStore: one call."""
        keys = [(self.registry, *token_key(token_hash)) for token_hash in token_hashes]
        found = tables.get_many(self.client, keys)
        return caller_of(found.get(key) for key in keys)

    def settle_token(self, token: AcceptedToken) -> None:
        """See CallerStore: one transaction. Its condition is what was read, so of several callers one writes."""
        settled = writes.update(
            self.registry,
            token_key(token.token_hash),
            {"supersedes": []},
            "#supersedes = :before",
            {"before": list(token.supersedes)},
        )
        writes.write(self.client, [settled, *map(self._ended, token.supersedes)])

    def note_refused_host(self, partner_id: str, host: str, reason: str, at: datetime) -> None:
        """See RefusedHosts."""
        # Few partners ever name a host that they may not: no start waits for this.
        from ocpi_bridge.adapters.dynamodb.refused_hosts import DynamoRefusedHosts  # noqa: PLC0415

        DynamoRefusedHosts(self.client, self.registry).note_refused_host(partner_id, host, reason, at)

    def _ended(self, token_hash: str) -> "TransactWriteItemTypeDef":
        return {"Delete": {"TableName": self.registry, "Key": tables.key(*token_key(token_hash))}}


def caller_of(tokens: Iterable[Mapping[str, Any] | None]) -> Caller:
    """Whoever has the first of the tokens that there are, as items; of nobody's tokens, nobody."""
    token = next((item for item in tokens if item is not None), None)
    if token is None:
        return Caller(None)
    accepted = token_of(token)
    return Caller(accepted.partner_id, accepted.party, accepted)
