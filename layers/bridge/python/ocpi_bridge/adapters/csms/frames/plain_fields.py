"""Ids and times in OCPP frames: what reading a frame takes before its payload is looked at."""

import re
from datetime import UTC, datetime

from ocpi_bridge.domain.times import in_utc
from ocpi_bridge.ports.json_values import JsonValue

# Ids of OCPP are shorter; these bounds only keep keys and logs in shape.
MAX_ID_LENGTH = 255
# A message id is 36 characters by both specifications, and part of a key here.
MAX_MESSAGE_ID_LENGTH = 100

# Beyond them lies no session, and arithmetic on instants would have to look for the end of the calendar.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}", re.ASCII)


def is_id(text: str, length: int) -> bool:
    """Whether a text can name anything: not empty, within a length, and without halves of characters.

    JSON's escapes can make such halves, which nothing can store.
    """
    return 0 < len(text) <= length and not any("\ud800" <= character <= "\udfff" for character in text)


def read_instant(value: JsonValue) -> datetime | None:
    """A dateTime of OCPP, in UTC where it names no zone (some stations of 1.6 do not); None where it is none."""
    if not isinstance(value, str) or not _DATE_TIME.match(value):
        return None
    try:
        instant = in_utc(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        return None
    return instant if EARLIEST <= instant <= LATEST else None
