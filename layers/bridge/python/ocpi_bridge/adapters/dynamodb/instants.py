"""Instants as numbers of items."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """The instant as DynamoDB sorts it: whole milliseconds since 1970, the rest cut off as OCPI's DateTime has it."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(value: object) -> datetime:
    """The instant of a stored number."""
    return _EPOCH + timedelta(milliseconds=int(Decimal(str(value))))


def expiry(now: datetime, retention: timedelta) -> int:
    """The TTL attribute: epoch seconds."""
    return int((now + retention).timestamp())
