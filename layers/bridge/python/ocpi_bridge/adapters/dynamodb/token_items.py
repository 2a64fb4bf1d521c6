"""Items of the tokens that we accept; their place in the table is in registry_items."""

from ocpi_bridge.adapters.dynamodb.instants import epoch_ms, from_epoch_ms
from ocpi_bridge.adapters.dynamodb.tables import ItemKey, PlainItem
from ocpi_bridge.domain.partners import Party
from ocpi_bridge.domain.tokens import AcceptedToken, TokenUse

TOKENS = "TOKEN"


def token_key(token_hash: str) -> ItemKey:
    """The key of a token that we accept, by its hash (domain.tokens.token_hash)."""
    return TOKENS, token_hash


def token_of(item: PlainItem) -> AcceptedToken:
    """The token (by its hash) that an item holds, with the partner that presents it."""
    supersedes = item.get("supersedes", ())
    assert isinstance(supersedes, (list, tuple))
    return AcceptedToken(
        token_hash=str(item["sk"]),
        partner_id=str(item["partner_id"]),
        party=Party(str(item["country_code"]), str(item["party_id"])),
        created_at=from_epoch_ms(item["created_at"]),
        use=TokenUse(str(item.get("use", TokenUse.CREDENTIALS))),
        supersedes=tuple(str(superseded) for superseded in supersedes),
        spent_at=from_epoch_ms(item["spent_at"]) if item.get("spent_at") is not None else None,
        bearer=bool(item.get("bearer")),
    )


def token_item(token: AcceptedToken) -> dict[str, object]:
    """The item of a token that we accept from a partner."""
    pk, sk = token_key(token.token_hash)
    return {
        "pk": pk,
        "sk": sk,
        "entity": "token",
        "partner_id": token.partner_id,
        "country_code": token.party.country_code,
        "party_id": token.party.party_id,
        "created_at": epoch_ms(token.created_at),
        "use": token.use.value,
        "supersedes": list(token.supersedes),
        "spent_at": None if token.spent_at is None else epoch_ms(token.spent_at),
        "bearer": token.bearer,
    }
