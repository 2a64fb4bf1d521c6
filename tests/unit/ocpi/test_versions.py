from ocpi_bridge.ocpi.versions import version_details, versions
from ocpi_bridge.ports import JsonValue

BASE = "https://api.example/prod"


def test_the_version_list_leads_to_the_details() -> None:
    assert versions(BASE) == [{"version": "2.2.1", "url": f"{BASE}/ocpi/2.2.1"}]


def test_the_details_advertise_what_is_served_and_nothing_else() -> None:
    endpoint: JsonValue = {
        "identifier": "chargingprofiles",
        "role": "RECEIVER",
        "url": f"{BASE}/ocpi/2.2.1/chargingprofiles",
    }
    assert version_details(BASE) == {"version": "2.2.1", "endpoints": [endpoint]}
