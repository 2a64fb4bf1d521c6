"""The configuration modules that the partner serves: versions, version details, credentials (OCPI 6 and 7)."""

import re

from pydantic import ValidationError

from tools.counterparts.http_service import Request, Response
from tools.counterparts.json_types import JsonObject
from tools.partner_simulator.connection import BASE_PATH, DETAILS, VERSIONS_PATH, Connection, details_path
from tools.partner_simulator.credentials_rules import bridge_findings
from tools.partner_simulator.discovery import UNUSABLE_API, Discovery
from tools.partner_simulator.door import Admission, Standing
from tools.partner_simulator.errors import BridgeUnreachableError, HandshakeError
from tools.partner_simulator.manner import VersionList
from tools.partner_simulator.models import findings
from tools.partner_simulator.platform_models import (
    CHARGING_PROFILES,
    CREDENTIALS,
    SESSIONS,
    OcpiVersion,
    PlatformCredentials,
)
from tools.partner_simulator.requests import INVALID_PARAMETERS, RequestRefusedError, body_object
from tools.partner_simulator.transport import envelope
from tools.partner_simulator.wire import Wire

_OWN_MODULES = ((CREDENTIALS, "SENDER"), (SESSIONS, "RECEIVER"), (CHARGING_PROFILES, "SENDER"))
_ROUTE = re.compile(rf"{BASE_PATH}/(?P<version>[^/]+)/(?P<module>{DETAILS}|{CREDENTIALS})")


class PlatformApi:
    """Answers for the configuration modules; raises RequestRefusedError and NotJsonError."""

    def __init__(self, connection: Connection, wire: Wire) -> None:
        self._connection = connection
        self._discovery = Discovery(connection, wire)

    def serves(self, request: Request) -> bool:
        """Whether the request is for a configuration module that the partner has."""
        if request.path == VERSIONS_PATH:
            return True
        found = _ROUTE.fullmatch(request.path)
        return found is not None and found["version"] in self._connection.manner.versions

    def answer(self, request: Request, admission: Admission) -> Response:
        """Answer a request that it serves and that was admitted."""
        found = _ROUTE.fullmatch(request.path)
        if found is not None and found["module"] == CREDENTIALS:
            return self._credentials(request, OcpiVersion(found["version"]), admission)
        if request.method != "GET":
            raise _wrong_method(request, "GET")
        self._connection.config_reads.record(request)
        if found is None:
            return envelope(request, data=self._version_list())
        return envelope(request, data=self._details(OcpiVersion(found["version"])))

    def _version_list(self) -> object:
        manner, base = self._connection.manner, self._connection.base_url
        match manner.version_list:
            case VersionList.PROPER:
                return [{"version": one, "url": base + details_path(one)} for one in manner.versions]
            case VersionList.NO_MUTUAL:
                return [{"version": "2.1.1", "url": f"{base}{BASE_PATH}/2.1.1"}]
            case VersionList.EMPTY:
                return []
            case VersionList.GARBAGE:
                return {"versions": "all of them"}

    def _details(self, version: OcpiVersion) -> JsonObject:
        manner = self._connection.manner
        slash = "/" if manner.endpoint_slashes else ""
        return {
            "version": version,
            "endpoints": [
                {"identifier": module, "role": role, "url": self._connection.own_url(module, version) + slash}
                for module, role in _OWN_MODULES
                if module not in manner.hidden_modules
            ],
        }

    # Credentials

    def _credentials(self, request: Request, version: OcpiVersion, admission: Admission) -> Response:
        is_registered = admission.standing is Standing.KNOWN
        allowed = ("GET", "PUT", "DELETE") if is_registered else ("GET", "POST")
        if request.method not in allowed:
            # 7.2: POST of who is registered, PUT and DELETE of who is not.
            raise _wrong_method(request, *allowed)
        match request.method:
            case "GET":
                if admission.token is None:
                    raise RequestRefusedError("an access token stands for no credentials")
                return envelope(request, data=self._connection.credentials(admission.token))
            case "DELETE":
                self._connection.end()
                return envelope(request)
            case _:
                return self._exchange(request, version)

    def _exchange(self, request: Request, version: OcpiVersion) -> Response:
        try:
            told = PlatformCredentials.model_validate(body_object(request), extra=version.extra)
        except ValidationError as error:
            found = findings(error)
            raise RequestRefusedError(found, status_code=INVALID_PARAMETERS, finding=found) from error
        where = f"{request.method} credentials"
        self._connection.violations.extend(where, bridge_findings(told, self._connection.cpo))
        self._connection.negotiate(version)
        try:
            endpoints = self._discovery.read(told.url, token=told.token, version=version)
        except BridgeUnreachableError as error:
            raise RequestRefusedError(str(error), status_code=UNUSABLE_API, finding=str(error)) from error
        except HandshakeError as error:
            code = error.status_code or UNUSABLE_API
            raise RequestRefusedError(error.reason, status_code=code, finding=error.reason) from error
        keys = self._connection.keys
        theirs = keys.expect()
        keys.present(told.token)
        keys.settle()
        self._connection.connect(endpoints, tuple(told.roles))
        return envelope(request, data=self._connection.credentials(theirs))


def _wrong_method(request: Request, *allowed: str) -> RequestRefusedError:
    return RequestRefusedError(
        f"{request.method} is not allowed here now",
        http_status=405,
        headers={"Allow": ", ".join(allowed)},
        finding=f"{request.method} is not allowed here now (allowed: {', '.join(allowed)})",
    )
