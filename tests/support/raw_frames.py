"""Raw frames as CitrineOS posts them, and what their translator remembers, in memory."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ocpi_bridge.adapters.csms.frames.translator import FrameTranslator, RefusedFrame
from ocpi_bridge.domain.events import StationEvent
from ocpi_bridge.domain.stations import Csms
from ocpi_bridge.ports.frames import Exchange, ExchangePart, KeptFrame
from ocpi_bridge.ports.json_values import JsonObject
from tests.support import registry_entries
from tests.support.clocks import START, ManualClock

Json = dict[str, Any]
STATION = "CP-001"


def at(seconds: float = 0) -> str:
    """An instant as stations write it, some seconds after the clock's start."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def post(
    frame: Sequence[object],
    *,
    origin: str = "cs",
    seconds: float | None = 0,
    action: str | None = None,
    protocol: str = "ocpp1.6",
    station_id: str = STATION,
) -> Json:
    """One frame as CitrineOS posts it; `seconds` is when the CSMS saw it, None leaves that out."""
    info: Json = {"correlationId": str(frame[1]), "origin": origin, "protocol": protocol}
    if seconds is not None:
        info["timestamp"] = at(seconds)
    if action is not None:
        info["action"] = action
    text = json.dumps(list(frame))
    return {"stationId": station_id, "event": "message", "origin": origin, "message": text, "info": info}


def call(action: str, payload: Json, message_id: str = "m-1", *, seconds: float | None = 0, origin: str = "cs") -> Json:
    """A CALL."""
    return post([2, message_id, action, payload], origin=origin, seconds=seconds, action=action)


def result(
    payload: Json,
    message_id: str = "m-1",
    *,
    seconds: float | None = 0,
    origin: str = "csms",
    action: str | None = None,
) -> Json:
    """A CALLRESULT."""
    return post([3, message_id, payload], origin=origin, seconds=seconds, action=action)


class InMemoryFrames:
    """FrameStore and LiveTransactions. `running` says which transaction runs at which connector or EVSE."""

    def __init__(self) -> None:
        self.running: dict[int, str] = {}
        self._exchanges: dict[tuple[str, str, str], Exchange] = {}
        self._kept: dict[tuple[str, str, str], KeptFrame] = {}

    def exchange(self, csms_id: str, station_id: str, part: ExchangePart, frame: KeptFrame) -> Exchange:
        key = (csms_id, station_id, frame.message_id)
        known = self._exchanges.get(key, Exchange())
        before = known.call if part is ExchangePart.CALL else known.result
        if before is not None and before.at > frame.at:
            return Exchange()
        after = replace(known, call=frame) if part is ExchangePart.CALL else replace(known, result=frame)
        self._exchanges[key] = after
        return after

    def keep(self, csms_id: str, station_id: str, name: str, frame: KeptFrame) -> None:
        before = self._kept.get((csms_id, station_id, name))
        if before is None or before.at <= frame.at:
            self._kept[csms_id, station_id, name] = frame

    def kept(self, csms_id: str, station_id: str, name: str) -> KeptFrame | None:
        return self._kept.get((csms_id, station_id, name))

    def transaction_at(
        self, csms_id: str, station_id: str, connector_id: int | None, evse_id: int | None, at: datetime
    ) -> str | None:
        return self.running.get(connector_id or evse_id or 0)


@dataclass
class Feed:
    """A translator that is fed; what it could not read is `refused`."""

    csms: Csms = field(default_factory=registry_entries.csms)
    frames: InMemoryFrames = field(default_factory=InMemoryFrames)
    refused: list[RefusedFrame] = field(default_factory=list)
    clock: ManualClock = field(default_factory=ManualClock)

    def __call__(self, *posts: JsonObject | Mapping[str, object]) -> list[StationEvent]:
        """The events of frames that are posted one by one."""
        return [event for one in posts for event in self.body(json.dumps(one).encode())]

    def body(self, body: bytes, received_at: datetime | None = None) -> list[StationEvent]:
        """The events of one body."""
        translator = FrameTranslator(self.frames, self.frames, self.clock, self.refused.append)
        return list(translator.events(self.csms, body, received_at))
