"""Items of what partners last acknowledged of sessions; their place in the table is in session_items."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, expiry, from_epoch_ms
from ocpi_bridge.adapters.dynamodb.session_items import RETENTION, due_shard, session_key
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.pushes import Pushed


def pushed_key(session_id: str, partner_id: str) -> tuple[str, str]:
    """The key of what a partner last acknowledged."""
    return session_key(session_id)[0], f"PUSHED#{partner_id}"


def pushed_item(pushed: Pushed, due_at: datetime | None, now: datetime) -> dict[str, Any]:
    """What a partner acknowledged, as an item; with `due_at` it stands in the index that the sweep reads."""
    pk, sk = pushed_key(pushed.session_id, pushed.partner_id)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "pushed",
        "session_id": pushed.session_id,
        "partner_id": pushed.partner_id,
        "version": pushed.version,
        "fields": dumps(pushed.fields),
        "periods": pushed.periods,
        "at": epoch_ms(pushed.at) if pushed.at else None,
        "in_doubt": pushed.in_doubt,
        "attempts": pushed.attempts,
        "final": pushed.final,
        "due_shard": due_shard(pushed.session_id) if due_at else None,
        "due_at": epoch_ms(due_at) if due_at else None,
        "expires_at": expiry(now, RETENTION.sessions),
    }


def due_of(item: Mapping[str, Any] | None) -> datetime | None:
    """When the sweep wakes the next push; None where it does not."""
    return from_epoch_ms(item["due_at"]) if item is not None and "due_at" in item else None


def pushed_of(session_id: str, partner_id: str, item: Mapping[str, Any] | None) -> Pushed:
    """What a partner acknowledged; nothing where there is no item."""
    if item is None:
        return Pushed(session_id, partner_id)
    return Pushed(
        session_id=session_id,
        partner_id=partner_id,
        version=int(item["version"]),
        fields=json.loads(item["fields"], parse_float=Decimal),
        periods=int(item["periods"]),
        at=from_epoch_ms(item["at"]) if "at" in item else None,
        in_doubt=item["in_doubt"],
        attempts=int(item["attempts"]),
        final=item["final"],
    )
