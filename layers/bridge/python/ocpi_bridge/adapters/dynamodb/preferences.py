"""Charging preferences: one item a session, which its stream carries on to the CSMS."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ocpi_bridge.adapters.dynamodb import tables
from ocpi_bridge.adapters.dynamodb.documents import dump, load
from ocpi_bridge.adapters.dynamodb.instants import expiry
from ocpi_bridge.adapters.dynamodb.session_items import RETENTION, session_key
from ocpi_bridge.domain.preferences import PreferencesChange
from ocpi_bridge.domain.values import dataclass

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class DynamoPreferencesStore:
    """PreferencesStore on the sessions table."""

    client: "DynamoDBClient"
    sessions: str

    def save(self, change: PreferencesChange) -> None:
        """See PreferencesStore: one write."""
        self.client.put_item(TableName=self.sessions, Item=tables.to_item(preferences_item(change)))


def preferences_key(session_id: str) -> tuple[str, str]:
    """The key of a session's charging preferences."""
    return session_key(session_id)[0], "PREFERENCES"


def preferences_item(change: PreferencesChange) -> dict[str, Any]:
    """The newest charging preferences of a session, as an item that its stream carries on."""
    pk, sk = preferences_key(change.session_id)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "preferences",
        "session_id": change.session_id,
        "partner_id": change.partner_id,
        "document": dump(change),
        "expires_at": expiry(change.at, RETENTION.sessions),
    }


def preferences_of(item: Mapping[str, Any]) -> PreferencesChange:
    """The charging preferences of an item."""
    return load(PreferencesChange, item["document"])
