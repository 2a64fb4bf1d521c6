"""Versions (OCPI 6): what is advertised is exactly what is served."""

from ocpi_bridge.ports import JsonObject, JsonValue

VERSION = "2.2.1"


def versions(base_url: str) -> list[JsonValue]:
    """The version list; `base_url` is the API's own URL without a trailing slash."""
    return [{"version": VERSION, "url": f"{base_url}/ocpi/{VERSION}"}]


def version_details(base_url: str) -> JsonObject:
    """The endpoints of the version."""
    return {
        "version": VERSION,
        "endpoints": [
            {
                "identifier": "chargingprofiles",
                "role": "RECEIVER",
                "url": f"{base_url}/ocpi/{VERSION}/chargingprofiles",
            }
        ],
    }
