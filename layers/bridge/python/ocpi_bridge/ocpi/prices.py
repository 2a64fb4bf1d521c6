"""Price: the one type of a session in which OCPI 2.2.1 (16.5) and 2.3.0 differ."""

from ocpi_bridge.domain.prices import Price
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

# 2.3.0 names each tax; a CSMS tells one amount, and what it is called there is VAT.
VAT = "VAT"


def price_fields(price: Price, version: str) -> JsonObject:
    """The price in the session's currency, as this version of OCPI has it. VAT is left out where nobody told it."""
    if version == "2.2.1":
        fields: dict[str, JsonValue] = {"excl_vat": price.excl_vat}
        return fields if price.incl_vat is None else fields | {"incl_vat": price.incl_vat}
    fields = {"before_taxes": price.excl_vat}
    if price.incl_vat is None:
        return fields
    return fields | {"taxes": [{"name": VAT, "amount": price.incl_vat - price.excl_vat}]}
