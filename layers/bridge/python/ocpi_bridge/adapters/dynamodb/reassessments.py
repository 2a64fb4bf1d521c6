"""Items that make the sweep wake a partner's live sessions; their place in the table is in registry_items."""

from uuid import uuid4

from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.ports.sweep import Reassessment

REASSESSMENTS = "REASSESSMENT"
# Instead of a partner's id in a reassessment: all partners. No partner can be called so.
EVERYBODY = "*"


def reassessment_key(partner_id: str) -> ItemKey:
    """The key that says that a partner's live sessions are to be looked at again."""
    return REASSESSMENTS, partner_id


def reassessment_of(item: PlainItem) -> Reassessment:
    """How far the walk through a partner's live sessions is."""
    return Reassessment(str(item["partner_id"]), str(item["begun"]), int(str(item["shard"])), str(item["after"]))


def reassessment_item(partner_id: str) -> dict[str, object]:
    """The item that makes the sweep wake every live session of a partner: what it may see or steer has changed.

    Whoever changes that writes it in the same transaction; written again, the walk begins again.
    """
    pk, sk = reassessment_key(partner_id)
    begun = uuid4().hex
    return {
        "pk": pk,
        "sk": sk,
        "entity": "reassessment",
        "partner_id": partner_id,
        "begun": begun,
        "shard": 0,
        "after": "",
    }
