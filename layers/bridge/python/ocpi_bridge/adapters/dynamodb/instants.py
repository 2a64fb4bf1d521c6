"""Instants as numbers of items."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """The instant as DynamoDB sorts it: whole milliseconds since 1970, the rest cut off as OCPI's DateTime has it."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def exact_ms(moment: datetime) -> Decimal:
    """The instant as milliseconds since 1970 with nothing cut off: a clock tells microseconds."""
    return Decimal((moment - _EPOCH) // timedelta(microseconds=1)) / 1000


def from_exact_ms(value: object) -> datetime:
    """The instant of a stored number, to the microsecond."""
    return _EPOCH + timedelta(microseconds=int(Decimal(str(value)) * 1000))


def from_epoch_ms(value: object) -> datetime:
    """The instant of a stored number, to the whole millisecond."""
    return _EPOCH + timedelta(milliseconds=int(Decimal(str(value))))


def expiry(now: datetime, retention: timedelta) -> int:
    """The TTL attribute: epoch seconds."""
    return int((now + retention).timestamp())
