"""Discovers the other side of a handshake: its versions, and in one of them the endpoints that we need (OCPI 6, 7.1)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from ocpi_bridge.domain.connections import Platform
from ocpi_bridge.domain.errors import EndpointMissing, InvalidInput, PlatformUnusable, TokenRefused, VersionNotShared
from ocpi_bridge.domain.partners import TokenEncoding
from ocpi_bridge.domain.url_guard.urls import check_public_url
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi import versions
from ocpi_bridge.ocpi.versions import Endpoint, OfferedVersion
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.credentials import PartnerPlatform, PlatformCall, PlatformKey
from ocpi_bridge.ports.json_values import JsonValue

# All calls together: the other side's own request waits meanwhile, and API Gateway gives up on it at 29 s.
DISCOVERY_BUDGET = timedelta(seconds=20)
# One call: three of them (one may be repeated with the other encoding) and the way through the registry fit.
CALL_BUDGET = timedelta(seconds=5)

_LIST: Final = "versions"
_DETAILS: Final = "version details"
_OTHER_ENCODING: Final = {TokenEncoding.BASE64: TokenEncoding.PLAIN, TokenEncoding.PLAIN: TokenEncoding.BASE64}


@dataclass(frozen=True, slots=True)
class DiscoverPlatform:
    """Reads what a platform offers. At most three calls, none of them repeated but for the encoding of the token."""

    platform: PartnerPlatform
    clock: Clock
    allow_loopback_http: bool = False

    def check_url(self, url: str, field: str) -> None:
        """Raises InvalidInput unless a URL that the other side gave may be called."""
        check_public_url(url, field, allow_loopback_http=self.allow_loopback_http)

    def __call__(
        self, versions_url: str, key: PlatformKey, spoken: Sequence[str], *, with_credentials: bool = False
    ) -> Platform:
        """The platform in the newest version that is offered and `spoken`; `versions_url` was checked.

        Older peers take the token in one encoding only (4.1.2): a first call that is answered with 401 is made once
        more in the other one. Raises PlatformUnusable, VersionNotShared, or EndpointMissing where it has no Receiver of
        sessions, no Sender of charging profiles or, `with_credentials`, no credentials.
        """
        attempt = _Attempt(self, key)
        offered = attempt.offered(versions_url)
        chosen = versions.newest_shared(offered, spoken)
        if chosen is None:
            raise VersionNotShared(f"the versions endpoint does not offer {' or '.join(spoken)}")
        endpoints = attempt.details(chosen)
        sessions = attempt.endpoint(endpoints, versions.SESSIONS, versions.RECEIVER)
        charging_profiles = attempt.endpoint(endpoints, versions.CHARGING_PROFILES, versions.SENDER)
        credentials = attempt.endpoint(endpoints, versions.CREDENTIALS, None) if with_credentials else ""
        return Platform(
            version=chosen.version,
            versions_url=versions_url,
            sessions_url=sessions,
            charging_profiles_url=charging_profiles,
            credentials_url=credentials,
            token_encoding=attempt.key.encoding,
        )


class _Attempt:
    """One discovery: the time that it has left, and the encoding of the token that works."""

    def __init__(self, how: DiscoverPlatform, key: PlatformKey) -> None:
        self._how = how
        self._end = how.clock.now() + DISCOVERY_BUDGET
        self.key = key

    def offered(self, url: str) -> Sequence[OfferedVersion]:
        try:
            data = self._get(_LIST, url)
        except TokenRefused:
            self.key = replace(self.key, encoding=_OTHER_ENCODING[self.key.encoding])
            data = self._get(_LIST, url)
        try:
            return versions.read_versions(data)
        except InvalidInput as error:
            raise PlatformUnusable(f"GET {_LIST}: {error}") from error

    def details(self, chosen: OfferedVersion) -> Sequence[Endpoint]:
        try:
            self._how.check_url(chosen.url, f"the URL of version {chosen.version}")
            return versions.read_version_details(self._get(_DETAILS, chosen.url), chosen.version)
        except InvalidInput as error:
            raise PlatformUnusable(f"GET {_DETAILS}: {error}") from error

    def endpoint(self, endpoints: Sequence[Endpoint], module: str, role: str | None) -> str:
        name = f"{module} {role}" if role else module
        url = versions.endpoint_url(endpoints, module, role)
        if url is None:
            raise EndpointMissing(f"expected endpoint missing: {name}")
        try:
            self._how.check_url(url, f"the URL of {name}")
        except InvalidInput as error:
            raise PlatformUnusable(f"GET {_DETAILS}: {error}") from error
        return url

    def _get(self, module: str, url: str) -> JsonValue:
        left = self._end - self._how.clock.now()
        if left <= timedelta():
            raise PlatformUnusable(f"its answers took more than {DISCOVERY_BUDGET.total_seconds():.0f} s")
        budget = min(left, CALL_BUDGET).total_seconds()
        return self._how.platform.call(PlatformCall("GET", module, url, self.key), budget)
