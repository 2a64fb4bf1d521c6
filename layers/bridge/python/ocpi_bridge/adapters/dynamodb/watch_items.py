"""Items of watches (SESSION#{id} / WATCH#{partner}), beside those of session_items."""

from collections.abc import Mapping
from typing import Any

from ocpi_bridge.adapters.dynamodb.documents import load
from ocpi_bridge.adapters.dynamodb.session_items import session_key
from ocpi_bridge.domain.watches import Watch


def watch_key(session_id: str, partner_id: str) -> tuple[str, str]:
    """The key of a partner's watch on a session."""
    return session_key(session_id)[0], f"WATCH#{partner_id}"


def watch_of(item: Mapping[str, Any] | None) -> Watch | None:
    """The watch of an item, None where there is none."""
    return None if item is None else load(Watch, item["document"])
