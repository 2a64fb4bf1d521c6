"""How commands tell instants, lengths of time and documents to people."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from tools.bridge import files


def moment(at: datetime) -> str:
    """An instant to the second."""
    return str(files.to_json(at.replace(microsecond=0)))


def whole_seconds(age: timedelta) -> int:
    """A length of time in seconds; none is less than nothing."""
    return max(0, int(age.total_seconds()))


def rough(age: timedelta) -> str:
    """A length of time in one unit: from two of a unit on, in that unit."""
    seconds = whole_seconds(age)
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def lines(document: Mapping[str, files.Json], indent: str = "") -> Iterator[str]:
    """A document for people: one line a member, and nothing of what there is not."""
    for name, value in document.items():
        if value in (None, "", {}, []):
            continue
        if isinstance(value, dict):
            yield f"{indent}{name.replace('_', ' ')}:"
            yield from lines(value, indent + "  ")
        else:
            yield f"{indent}{name.replace('_', ' ')}: {value}"
