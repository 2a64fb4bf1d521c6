"""Prices as each version of OCPI has them."""

from decimal import Decimal

from ocpi_bridge.domain.prices import Price
from ocpi_bridge.ocpi.prices import price_fields

NET, GROSS = Decimal("8.50"), Decimal("9.35")


def test_ocpi_2_2_1_tells_amounts_without_and_with_vat() -> None:
    assert price_fields(Price(NET, GROSS), "2.2.1") == {"excl_vat": NET, "incl_vat": GROSS}


def test_ocpi_2_3_0_tells_the_amount_and_the_tax_on_it() -> None:
    taxes = [{"name": "VAT", "amount": Decimal("0.85")}]
    assert price_fields(Price(NET, GROSS), "2.3.0") == {"before_taxes": NET, "taxes": taxes}


def test_vat_that_nobody_told_is_left_out_in_both() -> None:
    assert price_fields(Price(NET), "2.2.1") == {"excl_vat": NET}
    assert price_fields(Price(NET), "2.3.0") == {"before_taxes": NET}
