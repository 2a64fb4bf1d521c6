"""Pairing codes and attempts, in the registry table.

| pk               | sk                       | entity           |                                                       |
|------------------|--------------------------|------------------|-------------------------------------------------------|
| PAIRING_CODE     | {sha256 of the code}     | pairing_code     | document; goes by itself some time after it expires   |
| PAIRING_ATTEMPTS | {partner_id}#{window, s} | pairing_attempts | count: attempts of the window that led to nothing     |
"""

from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import documents, partner_items, registry_items, tables, writes
from ocpi_bridge.adapters.dynamodb.registry import DynamoRegistry
from ocpi_bridge.adapters.dynamodb.registry_table import RegistryTable
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.assignments import Assignment
from ocpi_bridge.domain.pairing import ATTEMPT_WINDOW, ATTEMPTS, CodeUnknown, PairingCode, attempts_since
from ocpi_bridge.domain.partners import Partner
from ocpi_bridge.domain.stations import Evse
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from ocpi_bridge.adapters.dynamodb.registry_table import Batch

CODES = "PAIRING_CODE"
ATTEMPTS_MADE = "PAIRING_ATTEMPTS"


def code_key(code_hash: str) -> ItemKey:
    """The key of a code, by its hash (domain.pairing.code_hash)."""
    return CODES, code_hash


def attempts_key(partner_id: str, at: datetime) -> ItemKey:
    """The key of a partner's attempts in the window of an instant."""
    return ATTEMPTS_MADE, f"{partner_id}#{int(attempts_since(at).timestamp())}"


def code_item(code: PairingCode) -> dict[str, object]:
    """The item of a code."""
    pk, sk = code_key(code.code_hash)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "pairing_code",
        "document": documents.dump(code),
        "expires_at": int(code.expires_at.timestamp()),
    }


def code_of(item: PlainItem) -> PairingCode:
    """The code that an item holds."""
    return documents.load(PairingCode, str(item["document"]))


@dataclass(frozen=True, slots=True)
class DynamoPairings:
    """PairingStore on the registry table, and the codes as operators make and withdraw them.

    Needs BatchGetItem, Query, UpdateItem, and all that a transaction of puts, deletes and conditions does.
    """

    client: "DynamoDBClient"
    table: str

    # --- What a partner's call needs -----------------------------------------------------------------------------------

    def partner(self, partner_id: str) -> Partner | None:
        """See PairingStore."""
        item = self._get(partner_items.partner_key(partner_id))
        return None if item is None else partner_items.partner_of(item)

    def count_attempt(self, partner_id: str, at: datetime) -> bool:
        """See PairingStore: one conditional write."""
        return writes.write(
            self.client,
            [
                self._attempts(
                    partner_id,
                    at,
                    "ADD #count :one SET #entity = :entity, #expires_at = :expires_at",
                    "attribute_not_exists(#count) OR #count < :most",
                    one=1,
                    most=ATTEMPTS,
                    entity="pairing_attempts",
                    expires_at=int((attempts_since(at) + ATTEMPT_WINDOW).timestamp()),
                )
            ],
        )

    def code(self, code_hash: str) -> PairingCode | None:
        """See PairingStore."""
        item = self._get(code_key(code_hash))
        return None if item is None else code_of(item)

    def evse(self, evse_uid: str) -> Evse | None:
        """See PairingStore: two reads, by way of the station that has it."""
        owner = self._get(registry_items.evse_key(evse_uid))
        if owner is None:
            return None
        item = self._get(registry_items.station_key(*registry_items.evse_owner_of(owner)))
        evses = registry_items.station_of(item).evses if item is not None else ()
        return next((evse for evse in evses if evse.uid.casefold() == evse_uid.casefold()), None)

    def redeem(self, code: PairingCode, assignment: Assignment, attempt_at: datetime) -> None:
        """See PairingStore: one transaction, by the registry's own rules for assignments."""
        item = code_item(code)

        def used() -> "Batch":
            if self.code(code.code_hash) != code:
                raise CodeUnknown
            given_back = self._attempts(assignment.partner_id, attempt_at, "ADD #count :less", less=-1)
            return self._registry_table.delete(code_key(code.code_hash), {"document": item["document"]}) | {
                attempts_key(assignment.partner_id, attempt_at): given_back
            }

        DynamoRegistry(self.client, self.table).add_assignments([assignment], along=used)

    # --- What operators do -----------------------------------------------------------------------------------------------

    def add(self, code: PairingCode) -> bool:
        """Stores a code; False when there is one of the same digits, which may have been given to somebody else."""
        return self._registry_table.add(code_item(code))

    def codes(self) -> tuple[PairingCode, ...]:
        """All codes that are stored, some of them expired: a few, because they live for minutes."""
        return tuple(code_of(item) for item in self._registry_table.query(CODES))

    def withdraw(self, code_hash: str) -> None:
        """Ends a code, if it is there."""
        self._registry_table.discard(code_key(code_hash))

    def _get(self, key: ItemKey) -> PlainItem | None:
        return self._registry_table.get_all([key]).get(key)

    def _attempts(
        self, partner_id: str, at: datetime, update: str, condition: str | None = None, **values: int | str
    ) -> "TransactWriteItemTypeDef":
        """An update of a partner's attempts; names that it uses stand in it as `#name`."""
        text = update + (condition or "")
        entry: TransactWriteItemTypeDef = {
            "Update": {
                "TableName": self.table,
                "Key": tables.key(*attempts_key(partner_id, at)),
                "UpdateExpression": update,
                "ExpressionAttributeNames": {
                    f"#{name}": name for name in ("count", "entity", "expires_at") if f"#{name}" in text
                },
                "ExpressionAttributeValues": tables.values(**values),
            }
        }
        if condition is not None:
            entry["Update"]["ConditionExpression"] = condition
        return entry

    @property
    def _registry_table(self) -> RegistryTable:
        return RegistryTable(self.client, self.table)
