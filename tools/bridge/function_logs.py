"""The logs of a deployment's functions, searched for ids: bounded in time, in pages and in lines."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tools.bridge.files import Json

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import FilteredLogEventTypeDef, FilterLogEventsRequestTypeDef

# FilterLogEvents reads some megabytes a page and may find nothing in it; ten are what a minute of a busy stage needs.
MOST_PAGES: Final = 10
# Of one function and id; a request has a dozen lines in all.
MOST_LINES: Final = 500
# CloudWatch takes 5 to 25 calls a second, by region.
AT_ONCE: Final = 5
# The fields by which a line says what it is about (runtime.observability).
IDS: Final = (
    "correlation_id",
    "request_id",
    "x_request_id",
    "session_id",
    "transaction_id",
    "event_id",
    "message_id",
    "station_key",
)
# What is shown of a line. Nothing else is: not the text of an exception, which may repeat what somebody sent.
SHOWN: Final = (
    *IDS,
    "service",
    "level",
    "message",
    "partner_id",
    "csms_id",
    "connector_id",
    "event_type",
    "queue",
    "host",
    "kind",
    "state",
    "attempts",
    "result",
    "outcome",
    "error",
    "reason",
    "method",
    "resource",
    "http_status",
    "status_code",
    "exception_name",
    "duration_ms",
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a function wrote: when, by its own clock, and what of it may be shown."""

    at: datetime
    fields: Mapping[str, Json]

    def text(self, name: str) -> str:
        """A field as text, empty where there is none."""
        value = self.fields.get(name)
        return "" if value is None else str(value)

    def names(self, wanted: str) -> bool:
        """Whether one of its ids is this one; ids are compared without case."""
        return any(self.text(name).casefold() == wanted.casefold() for name in IDS)


@dataclass(frozen=True, slots=True)
class Searched:
    """The lines that were found, in the order of time; `cut` names the functions of which there may be more."""

    lines: tuple[LogLine, ...]
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FunctionLogs:
    """Searches the log groups of functions, by the functions' names."""

    client: "CloudWatchLogsClient"
    functions: Sequence[str]

    def search(self, ids: Iterable[str], since: datetime, until: datetime) -> Searched:
        """The lines that name one of the ids between two instants. A function that has never run has none."""
        wanted = [(function, one) for one in dict.fromkeys(ids) for function in self.functions]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = list(pool.map(lambda pair: self._of(pair[0], pair[1], since, until), wanted))
        lines = {(line.at, json.dumps(line.fields)): line for lines, _ in found for line in lines}
        cut = dict.fromkeys(function for (function, _), (_, more) in zip(wanted, found, strict=True) if more)
        return Searched(tuple(sorted(lines.values(), key=lambda line: line.at)), tuple(cut))

    def _of(self, function: str, wanted: str, since: datetime, until: datetime) -> tuple[list[LogLine], bool]:
        call: FilterLogEventsRequestTypeDef = {
            "logGroupName": f"/aws/lambda/{function}",
            "filterPattern": f'"{wanted}"',
            "startTime": int(since.timestamp() * 1000),
            "endTime": int(until.timestamp() * 1000),
        }
        lines: list[LogLine] = []
        for _ in range(MOST_PAGES):
            try:
                page = self.client.filter_log_events(**call)
            except self.client.exceptions.ResourceNotFoundException:
                return [], False
            lines += (line for line in _read(page["events"]) if line.names(wanted))
            token = page.get("nextToken")
            if token is None or len(lines) > MOST_LINES:
                return lines[:MOST_LINES], len(lines) > MOST_LINES
            call["nextToken"] = token
        return lines, True


def _read(events: "Sequence[FilteredLogEventTypeDef]") -> Iterator[LogLine]:
    """The lines that a function itself wrote; those of Lambda are no JSON."""
    for event in events:
        try:
            fields = json.loads(event["message"])
        except ValueError:
            continue
        if isinstance(fields, dict) and "message" in fields:
            shown = {name: fields[name] for name in SHOWN if fields.get(name) is not None}
            yield LogLine(_instant(fields.get("timestamp"), event["timestamp"]), shown)


def _instant(told: object, taken_ms: int) -> datetime:
    """When the line was written: as it says itself, or else when it was taken in."""
    try:
        return datetime.fromisoformat(str(told)).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(taken_ms / 1000, UTC)
