"""The registry as handshakes with partners change it: a partner's entry and its tokens, all at once."""

import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import partner_items, reassessments, registry_items, tables, token_items, writes
from ocpi_bridge.adapters.dynamodb.registry_table import RegistryTable
from ocpi_bridge.domain.partners import Partner, Party
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.credentials import Standing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from ocpi_bridge.adapters.dynamodb.registry_table import Batch


@dataclass(frozen=True, slots=True)
class DynamoRegistrations:
    """RegistrationStore on the registry table. Needs BatchGetItem and Query, and all that a transaction does."""

    client: "DynamoDBClient"
    registry: str

    def standing(self, partner_id: str) -> Standing | None:
        """See RegistrationStore. The tokens are read after the entry, so that `commit` notices what came between."""
        key = partner_items.partner_key(partner_id)
        item = self._table.get_all([key]).get(key)
        if item is None:
            return None
        # A few in all partners: an index by partner would cost more than it saves.
        tokens = [token_items.token_of(token) for token in self._table.query(token_items.TOKENS)]
        return Standing(
            partner=partner_items.partner_of(item),
            version=registry_items.version_of(item),
            tokens=tuple(token for token in tokens if token.partner_id == partner_id),
        )

    def parties(self) -> Sequence[Party]:
        """See RegistrationStore."""
        csmss = [registry_items.csms_of(item) for item in self._table.query(registry_items.CSMSS)]
        return tuple(Party(csms.country_code, csms.party_id) for csms in csmss)

    def commit(self, before: Standing | None, partner: Partner, tokens: Sequence[AcceptedToken]) -> bool:
        """See RegistrationStore."""
        table = self._table
        version = before.version if before is not None else 0
        batch = table.put(
            partner_items.partner_item(partner, version + 1), {"version": version} if before is not None else None
        )
        batch |= table.put(reassessments.reassessment_item(partner.partner_id), {})
        batch |= self._tokens(before.tokens if before is not None else (), tokens)
        return writes.write(self.client, list(batch.values()))

    def reserve(self, token: AcceptedToken, until: datetime) -> None:
        """See RegistrationStore."""
        item = {**token_items.token_item(token), "expires_at": int(until.timestamp())}
        writes.write(self.client, [writes.put(self.registry, item)])

    def release(self, token_hash: str) -> None:
        """See RegistrationStore."""
        with contextlib.suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.delete_item(
                TableName=self.registry,
                Key=tables.key(*token_items.token_key(token_hash)),
                ConditionExpression="#use = :reserved",
                ExpressionAttributeNames={"#use": "use"},
                ExpressionAttributeValues=tables.values(reserved=TokenUse.REGISTRATION.value),
            )

    def _tokens(self, before: Sequence[AcceptedToken], after: Sequence[AcceptedToken]) -> "Batch":
        """The writes that make `before` to `after`; a token that stays must still be there."""
        known = {token.token_hash: token for token in before}
        batch: Batch = {}
        for token in after:
            key = token_items.token_key(token.token_hash)
            former = known.pop(token.token_hash, None)
            if former == token:
                batch |= self._table.demand(key)
            else:
                # A token that `before` does not know is random, or reserved for this partner: nobody else's.
                still_there = {"partner_id": token.partner_id} if former is not None else {}
                batch |= self._table.put(token_items.token_item(token), still_there)
        for token_hash in known:
            batch |= self._table.delete(token_items.token_key(token_hash), {})
        return batch

    @property
    def _table(self) -> RegistryTable:
        return RegistryTable(self.client, self.registry)
