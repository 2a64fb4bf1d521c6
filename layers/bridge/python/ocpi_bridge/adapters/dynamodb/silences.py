"""Silences of partners, beside their entries in the registry: the attributes `silent_since` and `silent_until`."""

from datetime import datetime
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import partner_items, writes
from ocpi_bridge.adapters.dynamodb.instants import epoch_ms
from ocpi_bridge.domain.partners import Silence
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_AS_READ = "#silent_until = :read"


@dataclass(frozen=True, slots=True)
class DynamoSilences:
    """SilenceStore on the registry table."""

    client: "DynamoDBClient"
    registry: str

    def begin_silence(self, partner_id: str, silence: Silence) -> bool:
        """See SilenceStore."""
        attributes = {"silent_since": epoch_ms(silence.since), "silent_until": epoch_ms(silence.until)}
        # A partner that was removed meanwhile does not come back.
        condition = "attribute_exists(pk) AND (attribute_not_exists(#silent_until) OR #silent_until <= :silent_since)"
        return self._write(partner_id, attributes, condition, {})

    def move_silence(self, partner_id: str, silence: Silence, until: datetime) -> bool:
        """See SilenceStore."""
        return self._write(partner_id, {"silent_until": epoch_ms(until)}, _AS_READ, {"read": epoch_ms(silence.until)})

    def end_silence(self, partner_id: str, silence: Silence) -> bool:
        """See SilenceStore."""
        remove = ("silent_since", "silent_until")
        return self._write(partner_id, {}, _AS_READ, {"read": epoch_ms(silence.until)}, remove)

    def _write(
        self,
        partner_id: str,
        attributes: dict[str, int],
        condition: str,
        condition_values: dict[str, int],
        remove: tuple[str, ...] = (),
    ) -> bool:
        key = partner_items.partner_key(partner_id)
        change = writes.update(self.registry, key, attributes, condition, condition_values, remove)
        return writes.write(self.client, [change])
