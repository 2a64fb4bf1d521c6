"""OCPI DateTime (16.2): a subset of RFC 3339, always UTC."""

import re
from datetime import UTC, datetime

_SHAPE = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:Z|\+00:00)?", re.ASCII)


def parse_datetime(text: str) -> datetime:
    """Reads a DateTime, with or without Z and with up to 9 decimals; raises ValueError for anything else."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError("is not an OCPI DateTime, for example 2026-01-15T17:05:00Z")
    moment = datetime.fromisoformat(shape[1]).replace(tzinfo=UTC)
    return moment.replace(microsecond=int((shape[2] or "0").ljust(6, "0")[:6]))


def format_datetime(moment: datetime) -> str:
    """Writes an aware instant with Z, and with milliseconds only where there are some (at most 24 characters)."""
    utc = moment.astimezone(UTC)
    milliseconds = utc.microsecond // 1000
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z" if milliseconds else f"{utc:%Y-%m-%dT%H:%M:%SZ}"
