"""Time: aware UTC instants only."""

from datetime import UTC, datetime


def in_utc(moment: datetime) -> datetime:
    """The instant in UTC; one without a zone is taken as UTC (OCPI 16.2)."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
