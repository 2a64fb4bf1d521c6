"""Charging preferences: what a driver wishes of the CPO's own smart charging (OCPI 9.3.2)."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from ocpi_bridge.domain.sessions import Session
from ocpi_bridge.domain.stations import Outlet, maximum_power
from ocpi_bridge.domain.values import dataclass

CHARGING_PREFERENCES_CAPABLE = "CHARGING_PREFERENCES_CAPABLE"

_WATT_HOURS = Decimal(1000)


class ProfileType(StrEnum):
    """ProfileType (OCPI 9.4.3): what the charging is to be good at."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


@dataclass(frozen=True, slots=True)
class ChargingPreferences:
    """The wishes. `energy_need` in kWh for the whole session; `discharge_allowed` until departure, if the rest is met."""

    profile_type: ProfileType
    departure_time: datetime | None = None
    energy_need: Decimal | None = None
    discharge_allowed: bool = False

    def possible(self, session: Session, outlet: Outlet, now: datetime) -> bool:
        """False for a demand that cannot be met whatever the CPO does (OCPI 9.4.2, NOT_POSSIBLE).

        That is a departure that is over, or more energy than the outlet delivers until then at its most.
        """
        if self.departure_time is None:
            return True
        if self.departure_time <= now:
            return False
        hours = Decimal((self.departure_time - now) / timedelta(hours=1))
        return session.kwh + maximum_power(outlet) * hours / _WATT_HOURS >= (self.energy_need or 0)


@dataclass(frozen=True, slots=True)
class PreferencesChange:
    """A partner set a session's charging preferences; the CSMS is told. The newest, by `at`, counts.

    It names the place as the CSMS does: `connector_id` and `evse_id` are OCPP's numbers, the latter None in OCPP 1.6.
    `change_id` stays the same however often the CSMS is told.
    """

    change_id: str
    at: datetime
    session_id: str
    partner_id: str
    csms_id: str
    station_id: str
    transaction_id: str
    evse_uid: str
    connector_id: int
    preferences: ChargingPreferences
    evse_id: int | None = None
