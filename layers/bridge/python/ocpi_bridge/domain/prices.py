"""Prices, as the CPO's CSMS tells them."""

from decimal import Decimal

from ocpi_bridge.domain.values import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """An amount in the session's currency, without and (where known) with VAT."""

    excl_vat: Decimal
    incl_vat: Decimal | None = None
