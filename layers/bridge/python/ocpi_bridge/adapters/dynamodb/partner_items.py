"""Items of partners; their place in the table is in registry_items.

Beside its document an item has the partner's silence, `silent_since` and `silent_until` (see silences): whoever writes
the item anew ends it.
"""

from ocpi_bridge.adapters.dynamodb.documents import dump, load
from ocpi_bridge.adapters.dynamodb.instants import from_epoch_ms
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.partners import Partner, Silence

PARTNERS = "PARTNER"


def partner_key(partner_id: str) -> ItemKey:
    """The key of a partner."""
    return PARTNERS, partner_id


def partner_of(item: PlainItem) -> Partner:
    """The partner that an item holds."""
    return load(Partner, str(item["document"]))


def silence_of(item: PlainItem) -> Silence | None:
    """The partner's silence; None where it answers, as far as anybody knows."""
    if "silent_until" not in item:
        return None
    return Silence(from_epoch_ms(item["silent_since"]), from_epoch_ms(item["silent_until"]))


def partner_item(partner: Partner, version: int) -> dict[str, object]:
    """The item of a partner."""
    pk, sk = partner_key(partner.partner_id)
    return {"pk": pk, "sk": sk, "entity": "partner", "document": dump(partner), "version": version}
