"""What a dead letter holds, without the persons in it.

What a CSMS sent may name a token, anywhere: what lies here is often what could not be read. So nothing of it is shown but
what stands under names that are known to hold no person, all the way down. The bridge's own messages have ids only.
"""

import json
from collections.abc import Iterator

from tools.bridge.files import Json

MASK = "***"
# What holds other members: events, EventBridge's envelope, posts of raw frames, and OCPP's payloads.
CONTAINERS = frozenset(
    [
        "events",
        "data",
        "detail",
        "info",
        "message",
        "payload",
        "evse",
        "transactioninfo",
        "metervalue",
        "sampledvalue",
        "charging_periods",
        "dimensions",
    ]
)
# What holds no person. Names are compared without case and without `_`.
HARMLESS = frozenset(
    [
        "id",
        "type",
        "time",
        "timestamp",
        "event",
        "origin",
        "action",
        "seqno",
        "status",
        "errorcode",
        "reason",
        "triggerreason",
        "eventtype",
        "stationid",
        "ocppconnectionname",
        "connectorid",
        "evseid",
        "evseuid",
        "locationid",
        "transactionid",
        "sessionid",
        "commandid",
        "csmsid",
        "connector",
        "evse",
        "source",
        "account",
        "region",
        "detailtype",
        "chargingstate",
        "stopreason",
        "stoppedreason",
        "authmethod",
        "startdatetime",
        "enddatetime",
        "lastupdated",
        "meterwh",
        "meterstart",
        "meterstop",
        "powerw",
        "currenta",
        "voltagev",
        "offereda",
        "offeredw",
        "soc",
        "capw",
        "kwh",
        "currency",
        "value",
        "measurand",
        "phase",
        "unit",
        "context",
        "location",
        "volume",
    ]
)
_CONTAINERS = frozenset(name.replace("_", "") for name in CONTAINERS)
# A frame of OCPP-J: its kind, its id, then the action or the payload.
_FRAME_HEAD = 3


def document(text: str) -> Json:
    """A body of the bridge's own as it stands; text that is no JSON as text."""
    try:
        content: Json = json.loads(text)
    except ValueError:
        return text
    return content


def masked(text: str) -> Json:
    """A body of a CSMS, with everything masked that might be a person's."""
    try:
        content: Json = json.loads(text)
    except ValueError:
        return f"{MASK} (no JSON, {len(text)} characters)"
    return _masked(content)


def told(content: Json, *names: str) -> tuple[str, ...]:
    """The different texts that stand under these names anywhere in a masked body, as they come."""
    wanted = {_folded(name) for name in names}
    return tuple(dict.fromkeys(value for name, value in _leaves(content) if name in wanted and value != MASK))


def _masked(content: Json) -> Json:
    match content:
        case dict():
            return {name: _member(_folded(name), member) for name, member in content.items()}
        case list():
            return [_masked(member) if isinstance(member, dict) else MASK for member in content]
        case _:
            return MASK


def _member(name: str, member: Json) -> Json:
    if isinstance(member, str) and name == "message":
        return _frame(member)
    if isinstance(member, dict):
        return _masked(member) if name in _CONTAINERS else MASK
    if isinstance(member, list):
        if name == "message":
            return _frame_parts(member)
        return [_element(name, one) for one in member]
    return member if member is None or name in HARMLESS else MASK


def _element(name: str, element: Json) -> Json:
    if isinstance(element, dict):
        return _masked(element) if name in _CONTAINERS else MASK
    return element if name in HARMLESS and _is_plain(element) else MASK


def _frame(text: str) -> Json:
    """A frame of OCPP-J, which CitrineOS posts as text."""
    try:
        content: Json = json.loads(text)
    except ValueError:
        return MASK
    return _frame_parts(content) if isinstance(content, list) else MASK


def _frame_parts(frame: list[Json]) -> Json:
    """Kind, id and action as they are; payloads without persons."""
    return [
        _masked(part) if isinstance(part, dict) else part if place < _FRAME_HEAD and _is_plain(part) else MASK
        for place, part in enumerate(frame)
    ]


def _is_plain(content: Json) -> bool:
    return not isinstance(content, dict | list)


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _leaves(content: Json) -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        for name, member in content.items():
            if isinstance(member, str | int) and not isinstance(member, bool):
                yield _folded(name), str(member)
            else:
                yield from _leaves(member)
    elif isinstance(content, list):
        for member in content:
            yield from _leaves(member)
