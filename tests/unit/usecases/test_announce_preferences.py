"""What the CSMS is told of charging preferences."""

from decimal import Decimal

from ocpi_bridge.domain.preferences import ChargingPreferences, PreferencesChange, ProfileType
from ocpi_bridge.usecases.announce_preferences import announcement
from tests.support.clocks import START
from tests.support.feeds import seconds


def change(preferences: ChargingPreferences, evse_id: int | None = None) -> PreferencesChange:
    return PreferencesChange(
        change_id="change-1",
        at=START,
        session_id="s-1",
        partner_id="jedlix",
        csms_id="acme",
        station_id="CP-001",
        transaction_id="778",
        evse_uid="BE*BEC*E041503001",
        connector_id=1,
        evse_id=evse_id,
        preferences=preferences,
    )


def test_the_event_names_the_place_as_the_csms_does_and_the_wishes_as_ocpi_does() -> None:
    wishes = ChargingPreferences(ProfileType.GREEN, seconds(3600), Decimal("12.5"), discharge_allowed=True)
    event = announcement(change(wishes, evse_id=2))
    assert (event.detail_type, event.time) == ("ocpi.charging_preferences.set", START)
    assert event.detail == {
        "id": "change-1",
        "time": "2026-01-15T17:00:00Z",
        "csms": "acme",
        "station_id": "CP-001",
        "connector_id": 1,
        "evse_id": 2,
        "transaction_id": "778",
        "session_id": "s-1",
        "evse_uid": "BE*BEC*E041503001",
        "partner": "jedlix",
        "data": {
            "profile_type": "GREEN",
            "departure_time": "2026-01-15T18:00:00Z",
            "energy_need": Decimal("12.5"),
            "discharge_allowed": True,
        },
    }


def test_what_was_not_said_is_left_out() -> None:
    detail = announcement(change(ChargingPreferences(ProfileType.FAST))).detail
    assert "evse_id" not in detail
    assert detail["data"] == {"profile_type": "FAST", "discharge_allowed": False}
