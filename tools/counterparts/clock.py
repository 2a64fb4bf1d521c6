"""Wall clock of the counterparts, and the one function that writes a time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def write_datetime(moment: datetime) -> str:
    """Write an aware time as `2026-01-15T17:05:00.250Z`, without the fraction when it is zero (OCPI 16.2).

    Raises ValueError for a time without a zone, which would be somebody's local time.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be written")
    utc = moment.astimezone(UTC)
    spec = "milliseconds" if utc.microsecond >= 1000 else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=spec) + "Z"
