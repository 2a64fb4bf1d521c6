"""What is remembered of stations beside their registry entries: state, the CPO's word, and what they said of themselves."""

from datetime import datetime
from decimal import Decimal
from typing import Protocol

from ocpi_bridge.domain.stations import Capabilities, StationState


class StationStates(Protocol):
    """The states of stations. Each write is one item's; what an older event says never overrules a newer one."""

    def state(self, csms_id: str, station_id: str) -> StationState:
        """What is known; of a station that nothing was heard of, nothing."""

    def set_online(self, csms_id: str, station_id: str, *, online: bool, at: datetime) -> None:
        """The station is connected, or not, since an instant."""

    def set_steering(
        self, csms_id: str, station_id: str, evse_uid: str | None, *, suspended: bool, at: datetime
    ) -> None:
        """The CPO takes an EVSE back, or the whole station (None), or gives it to its partners again.

        A station that is given back gives back none of its EVSEs that were taken back by name.
        """

    def set_cap(self, csms_id: str, station_id: str, evse_uid: str, cap_w: Decimal | None, at: datetime) -> None:
        """The most that the CPO allows at an EVSE in W; None lifts the cap that an event set (not the registry's)."""

    def has_no_smart_charging(self, csms_id: str, station_id: str, until: datetime) -> None:
        """The station answered NotSupported; it counts until an instant, or until it boots."""

    def is_rate_limited(self, csms_id: str, station_id: str, until: datetime) -> None:
        """The station wants no profile before an instant."""

    def learned(self, csms_id: str, station_id: str, capabilities: Capabilities, at: datetime) -> None:
        """What the station said that it can take."""

    def booted(self, csms_id: str, station_id: str) -> None:
        """The station may have been updated: what it refused, or said of itself, is forgotten."""
