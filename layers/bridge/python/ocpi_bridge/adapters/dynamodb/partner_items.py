"""Items of partners; their place in the table is in registry_items."""

from ocpi_bridge.adapters.dynamodb.documents import dump, load
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.partners import Partner

PARTNERS = "PARTNER"


def partner_key(partner_id: str) -> ItemKey:
    """The key of a partner."""
    return PARTNERS, partner_id


def partner_of(item: PlainItem) -> Partner:
    """The partner that an item holds."""
    return load(Partner, str(item["document"]))


def partner_item(partner: Partner, version: int) -> dict[str, object]:
    """The item of a partner."""
    pk, sk = partner_key(partner.partner_id)
    return {"pk": pk, "sk": sk, "entity": "partner", "document": dump(partner), "version": version}
