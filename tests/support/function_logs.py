"""The logs of functions without CloudWatch: what they wrote, found as CloudWatch finds it, a page at a time."""

import json
from collections import defaultdict
from datetime import datetime
from typing import Any

PAGE = 50


class NoSuchGroup(Exception):
    """CloudWatch's ResourceNotFoundException."""


class _Exceptions:
    ResourceNotFoundException = NoSuchGroup


class MemoryLogs:
    """Implements what is used of CloudWatch Logs' client; `calls` are the searches that were made."""

    exceptions = _Exceptions()

    def __init__(self) -> None:
        self._groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.calls: list[dict[str, Any]] = []

    def write(self, function: str, at: datetime, message: str, **fields: object) -> None:
        """A line as a function writes it, in the name of its service."""
        line = {"level": "INFO", "message": message, "timestamp": at.isoformat(), "service": function, **fields}
        self.write_text(function, at, json.dumps(line))

    def write_text(self, function: str, at: datetime, text: str) -> None:
        """Whatever a function, or Lambda itself, writes."""
        event = {"timestamp": int(at.timestamp() * 1000), "message": text}
        self._groups[f"/aws/lambda/{function}"].append(event)

    def filter_log_events(self, **call: Any) -> dict[str, Any]:  # noqa: ANN401 - AWS's own shape
        self.calls.append(call)
        if call["logGroupName"] not in self._groups:
            raise NoSuchGroup(call["logGroupName"])
        term = call["filterPattern"].removeprefix('"').removesuffix('"')
        found = [
            event
            for event in self._groups[call["logGroupName"]]
            if term in event["message"] and call["startTime"] <= event["timestamp"] <= call["endTime"]
        ]
        start = int(call.get("nextToken", "0"))
        more = {"nextToken": str(start + PAGE)} if start + PAGE < len(found) else {}
        return {"events": found[start : start + PAGE], **more}
