"""Signatures of events that were seen; their place in the table is in registry_items."""

from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb.registry_table import RegistryTable
from ocpi_bridge.adapters.dynamodb.tables import ItemKey
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoSignatures:
    """Each signature once, on the registry table."""

    client: "DynamoDBClient"
    registry: str

    def mark(self, csms_id: str, signature_hash: str, expires_at: datetime) -> bool:
        """Notes that an event signature was used; False when it was used before, and the event is a replay.

        `expires_at` must lie after the instant from which the signature's own timestamp is refused as too old; the item
        goes some time after it.
        """
        pk, sk = signature_key(csms_id, signature_hash)
        item = {"pk": pk, "sk": sk, "entity": "signature", "expires_at": int(expires_at.timestamp())}
        return RegistryTable(self.client, self.registry).add(item)

    def forget(self, csms_id: str, signature_hash: str) -> None:
        """Takes the note back, so that the CSMS may send the same event again: it could not be taken in."""
        RegistryTable(self.client, self.registry).discard(signature_key(csms_id, signature_hash))


def signature_key(csms_id: str, signature_hash: str) -> ItemKey:
    """The key of an event signature that was seen."""
    return f"SIGNATURE#{csms_id}", signature_hash
