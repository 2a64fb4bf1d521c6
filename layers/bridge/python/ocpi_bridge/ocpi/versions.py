"""Versions (OCPI 6): what is advertised is exactly what is served; and what a partner advertises, as we read it.

Lists of partners are read by 4.1.4.1: an entry that is broken, or that we do not know, is passed over.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from ocpi_bridge.domain.errors import InvalidInput
from ocpi_bridge.domain.url_guard.urls import MAX_URL_LENGTH
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ports.json_values import JsonObject, JsonValue

VERSIONS: Final = ("2.2.1", "2.3.0")
"""The versions that are served, the oldest first. Their modules are the same, so all of them are served alike."""

SENDER: Final = "SENDER"
RECEIVER: Final = "RECEIVER"

CREDENTIALS: Final = "credentials"
SESSIONS: Final = "sessions"
CHARGING_PROFILES: Final = "chargingprofiles"

# The role of credentials has no meaning, and both of it are one module: SENDER is advised (6.2.2).
_SERVED: Final = ((CREDENTIALS, SENDER), (SESSIONS, SENDER), (CHARGING_PROFILES, RECEIVER))

# The largest platforms have two dozen endpoints in a version; what is longer than this is not such a list.
MAX_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class OfferedVersion:
    """A version that a partner speaks, and where its details are (6.1.1). The URL is not checked."""

    version: str
    url: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of a partner (6.2.2); `role` is empty where the partner names none. The URL is not checked."""

    module: str
    role: str
    url: str


# --- What we serve ---------------------------------------------------------------------------------------------------


def versions_url(base_url: str) -> str:
    """Where our version list is; `base_url` is the API's own URL without a trailing slash."""
    return f"{base_url}/ocpi/versions"


def versions(base_url: str) -> list[JsonValue]:
    """Our version list (6.1)."""
    return [{"version": version, "url": f"{base_url}/ocpi/{version}"} for version in VERSIONS]


def version_details(base_url: str, version: str) -> JsonObject:
    """The endpoints of one of our versions (6.2)."""
    endpoints: list[JsonValue] = [
        {"identifier": module, "role": role, "url": f"{base_url}/ocpi/{version}/{module}"} for module, role in _SERVED
    ]
    return {"version": version, "endpoints": endpoints}


def version_in(path: str) -> str | None:
    """The version that a path of ours is about, None where it names none: `/ocpi/2.2.1/credentials` is about 2.2.1.

    What stands before `/ocpi/` may be the base path of a custom domain.
    """
    return next((after for before, after in pairwise(path.split("/")) if before == "ocpi" and after in VERSIONS), None)


# --- What a partner serves -------------------------------------------------------------------------------------------


def read_versions(data: JsonValue) -> tuple[OfferedVersion, ...]:
    """The version list in the `data` of a partner's answer. Raises InvalidInput where nothing of it can be read."""
    offered = []
    for entry in _entries("data", data):
        version, url = _text(entry, "version"), _text(entry, "url")
        if version and url:
            offered.append(OfferedVersion(version, url))
    if not offered:
        raise InvalidInput("data", "is no list of versions")
    return tuple(offered)


def newest_shared(offered: Iterable[OfferedVersion], spoken: Iterable[str]) -> OfferedVersion | None:
    """The newest of the versions `spoken` that is offered; the first entry counts where one is offered twice."""
    by_version: dict[str, OfferedVersion] = {}
    for one in offered:
        by_version.setdefault(one.version, one)
    shared = [version for version in VERSIONS if version in set(spoken) & by_version.keys()]
    return by_version[shared[-1]] if shared else None


def read_version_details(data: JsonValue, version: str) -> tuple[Endpoint, ...]:
    """The endpoints in the `data` of a partner's answer. Raises InvalidInput where it is about another version."""
    if not isinstance(data, Mapping):
        raise InvalidInput("data", "is not an object")
    # Left out, it can only be this one; but endpoints of another version would be called in the wrong one. It may be
    # anything that JSON has, so it is compared and never looked up.
    if data.get("version") not in (None, version):
        raise InvalidInput("data.version", f"is not {version}")
    endpoints = []
    for entry in _entries("data.endpoints", data.get("endpoints")):
        module, url = _text(entry, "identifier"), _text(entry, "url")
        if module and url:
            endpoints.append(Endpoint(module, _text(entry, "role") or "", url))
    return tuple(endpoints)


def endpoint_url(endpoints: Iterable[Endpoint], module: str, role: str | None = None) -> str | None:
    """The URL of a module's interface, of the first where it is listed twice; None where it is not listed.

    Without `role` any will do: that of credentials has no meaning (6.2.2).
    """
    return next((one.url for one in endpoints if one.module == module and role in {None, one.role}), None)


def _entries(field: str, value: JsonValue) -> Sequence[Mapping[str, JsonValue]]:
    if not isinstance(value, list):
        raise InvalidInput(field, "is not a list")
    if len(value) > MAX_ENTRIES:
        raise InvalidInput(field, f"has more than {MAX_ENTRIES} entries")
    return [entry for entry in value if isinstance(entry, Mapping)]


def _text(entry: Mapping[str, JsonValue], name: str) -> str | None:
    value = entry.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= MAX_URL_LENGTH else None
