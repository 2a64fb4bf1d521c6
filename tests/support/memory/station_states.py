"""Station states in memory."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ocpi_bridge.domain.stations import Capabilities, StationState

StationKey = tuple[str, str]


class MemoryStationStates:
    """StationStates."""

    def __init__(self) -> None:
        self._states: dict[StationKey, StationState] = {}
        self._since: dict[tuple[str, ...], datetime] = {}

    def state(self, csms_id: str, station_id: str) -> StationState:
        return self._states.get((csms_id, station_id), StationState())

    def set_online(self, csms_id: str, station_id: str, *, online: bool, at: datetime) -> None:
        if self._newer((csms_id, station_id, "online"), at):
            self._states[csms_id, station_id] = replace(self.state(csms_id, station_id), online=online)

    def set_steering(
        self, csms_id: str, station_id: str, evse_uid: str | None, *, suspended: bool, at: datetime
    ) -> None:
        uid = (evse_uid or "").casefold()
        if not self._newer((csms_id, station_id, "steering", uid), at):
            return
        state = self.state(csms_id, station_id)
        if not uid:
            self._states[csms_id, station_id] = replace(state, steering_suspended=suspended)
            return
        evses = state.suspended_evses | {uid} if suspended else state.suspended_evses - {uid}
        self._states[csms_id, station_id] = replace(state, suspended_evses=evses)

    def set_cap(self, csms_id: str, station_id: str, evse_uid: str, cap_w: Decimal | None, at: datetime) -> None:
        uid = evse_uid.casefold()
        if not self._newer((csms_id, station_id, "cap", uid), at):
            return
        state = self.state(csms_id, station_id)
        caps = {**state.caps_w, uid: cap_w}
        kept = {name: cap for name, cap in caps.items() if cap is not None}
        self._states[csms_id, station_id] = replace(state, caps_w=kept)

    def has_no_smart_charging(self, csms_id: str, station_id: str, until: datetime) -> None:
        self._states[csms_id, station_id] = replace(self.state(csms_id, station_id), not_supported_until=until)

    def is_rate_limited(self, csms_id: str, station_id: str, until: datetime) -> None:
        self._states[csms_id, station_id] = replace(self.state(csms_id, station_id), rate_limited_until=until)

    def learned(self, csms_id: str, station_id: str, capabilities: Capabilities, at: datetime) -> None:
        if self._newer((csms_id, station_id, "learned"), at):
            state = replace(self.state(csms_id, station_id), learned=capabilities, learned_at=at)
            self._states[csms_id, station_id] = state

    def booted(self, csms_id: str, station_id: str) -> None:
        self._since.pop((csms_id, station_id, "learned"), None)
        self._states[csms_id, station_id] = replace(
            self.state(csms_id, station_id),
            not_supported_until=None,
            rate_limited_until=None,
            learned=None,
            learned_at=None,
        )

    def _newer(self, what: tuple[str, ...], at: datetime) -> bool:
        if what in self._since and self._since[what] > at:
            return False
        self._since[what] = at
        return True
