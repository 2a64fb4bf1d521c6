"""Charging preferences: one item a session, which its stream carries on to the CSMS."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocpi_bridge.adapters.dynamodb import session_items, tables
from ocpi_bridge.domain.preferences import PreferencesChange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoPreferencesStore:
    """PreferencesStore on the sessions table."""

    client: "DynamoDBClient"
    sessions: str

    def save(self, change: PreferencesChange) -> None:
        """See PreferencesStore: one write."""
        self.client.put_item(TableName=self.sessions, Item=tables.to_item(session_items.preferences_item(change)))
