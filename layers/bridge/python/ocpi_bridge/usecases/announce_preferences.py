"""Charging preferences were set: what the CSMS is told of them (docs/csms-bus.md)."""

from ocpi_bridge.domain.preferences import ChargingPreferences, PreferencesChange
from ocpi_bridge.ocpi.datetimes import format_datetime
from ocpi_bridge.ports.bus import BusEvent
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

PREFERENCES_SET = "ocpi.charging_preferences.set"


def announcement(change: PreferencesChange) -> BusEvent:
    """The event, in the words in which the CSMS itself reports (docs/csms-events.md). It names no driver."""
    detail: dict[str, JsonValue] = {
        "id": change.change_id,
        "time": format_datetime(change.at),
        "csms": change.csms_id,
        "station_id": change.station_id,
        "connector_id": change.connector_id,
        "transaction_id": change.transaction_id,
        "session_id": change.session_id,
        "evse_uid": change.evse_uid,
        "partner": change.partner_id,
        "data": _wishes(change.preferences),
    }
    if change.evse_id is not None:
        detail["evse_id"] = change.evse_id
    return BusEvent(PREFERENCES_SET, change.at, detail)


def _wishes(preferences: ChargingPreferences) -> JsonObject:
    """The ChargingPreferences object (OCPI 9.3.2); what was not said is left out."""
    wishes: dict[str, JsonValue] = {
        "profile_type": preferences.profile_type.value,
        "discharge_allowed": preferences.discharge_allowed,
    }
    if preferences.departure_time is not None:
        wishes["departure_time"] = format_datetime(preferences.departure_time)
    if preferences.energy_need is not None:
        wishes["energy_need"] = preferences.energy_need
    return wishes
