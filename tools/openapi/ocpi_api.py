"""The API that partners call: OCPI 2.2.1 and 2.3.0."""

from collections.abc import Mapping
from typing import Final

from ocpi_bridge.ocpi.versions import VERSIONS
from ocpi_bridge.ports.json_values import JsonObject
from tools.openapi.outgoing import result_callback
from tools.openapi.parts import (
    CONFIGURATION_HEADERS,
    FUNCTIONAL_HEADERS,
    PAGE_HEADERS,
    Operation,
    answer,
    errors,
)
from tools.openapi.schemas import reference

_TOKEN: Final[tuple[JsonObject, ...]] = ({"token": []}, {"bearer": []})
_LATER: Final = (
    "Answered at once; the result of an ACCEPTED request follows once, within `timeout` seconds, on response_url. Every "
    "request with a known token and readable JSON is HTTP 200: what is wrong stands in status_code (2001) or in "
    "data.result."
)
_HANDSHAKE_CODES: Final = (
    "status_code 1000; 2001 names a wrong field, 3001 the partner's API cannot be used, 3002 it lacks this version, 3003 "
    "it lacks an endpoint. Nothing is registered then."
)


def paths() -> dict[str, Mapping[str, Operation]]:
    """All paths with their operations."""
    found: dict[str, Mapping[str, Operation]] = {"/ocpi/versions": {"get": _versions()}}
    for version in VERSIONS:
        base = f"/ocpi/{version}"
        found[base] = {"get": _version_details(version)}
        found[f"{base}/credentials"] = _credentials(version)
        found[f"{base}/sessions"] = {"get": _sessions(version)}
        found[f"{base}/sessions/{{session_id}}/charging_preferences"] = {"put": _charging_preferences(version)}
        found[f"{base}/chargingprofiles/{{session_id}}"] = _charging_profiles(version)
    return found


def _named(name: str, version: str) -> str:
    return f"{name}_{version.replace('.', '_')}"


def _versions() -> Operation:
    data: JsonObject = {"type": "array", "items": reference("Version"), "minItems": 1}
    return Operation(
        name="getVersions",
        summary="The versions that are served (6.1).",
        tag="versions",
        parameters=CONFIGURATION_HEADERS,
        answers={
            "200": answer("The list.", data, CONFIGURATION_HEADERS),
            **errors("Unauthorized", "MethodNotAllowed", configuration=True),
        },
        security=_TOKEN,
    )


def _version_details(version: str) -> Operation:
    return Operation(
        name=_named("getVersionDetails", version),
        summary=f"The endpoints of OCPI {version} (6.2).",
        tag="versions",
        parameters=CONFIGURATION_HEADERS,
        answers={
            "200": answer("The endpoints.", reference("VersionDetails"), CONFIGURATION_HEADERS),
            **errors("Unauthorized", "MethodNotAllowed", configuration=True),
        },
        security=_TOKEN,
    )


def _credentials(version: str) -> Mapping[str, Operation]:
    handshake: dict[str, JsonObject] = {
        "200": answer(_HANDSHAKE_CODES, reference("OwnCredentials"), CONFIGURATION_HEADERS),
        **errors("NotJson", "Unauthorized", "MethodNotAllowed", configuration=True),
    }
    other = errors("Unauthorized", "MethodNotAllowed", configuration=True)
    return {
        "get": Operation(
            name=_named("getCredentials", version),
            summary="Our Credentials, with the token that was presented (7.2.1).",
            tag="credentials",
            parameters=CONFIGURATION_HEADERS,
            answers={
                "200": answer("Our Credentials.", reference("OwnCredentials"), CONFIGURATION_HEADERS),
                **other,
            },
            security=_TOKEN,
        ),
        "post": Operation(
            name=_named("postCredentials", version),
            summary="Register with a registration token (7.2.2).",
            tag="credentials",
            parameters=CONFIGURATION_HEADERS,
            body="Credentials",
            answers=handshake,
            description="We call the partner's versions with its token before we answer. 405 if it is registered.",
            security=_TOKEN,
        ),
        "put": Operation(
            name=_named("putCredentials", version),
            summary="Renew the registration: a new token, and the endpoints read again (7.2.3).",
            tag="credentials",
            parameters=CONFIGURATION_HEADERS,
            body="Credentials",
            answers=handshake,
            description="The former token is good until the new one is first used. 405 if it is not registered.",
            security=_TOKEN,
        ),
        "delete": Operation(
            name=_named("deleteCredentials", version),
            summary="End the registration (7.2.4).",
            tag="credentials",
            parameters=CONFIGURATION_HEADERS,
            answers={"200": answer("It ended.", None, CONFIGURATION_HEADERS), **other},
            description="Plans of the partner that charge points still follow are cleared. 405 if it is not registered.",
            security=_TOKEN,
        ),
    }


def _sessions(version: str) -> Operation:
    session = "Session" if version == "2.2.1" else "TaxedSession"
    page = answer(
        "A page, oldest change first. 2001 without data where a parameter is wrong.",
        {"type": "array", "items": reference(session)},
        (*FUNCTIONAL_HEADERS, *PAGE_HEADERS),
    )
    return Operation(
        name=_named("getSessions", version),
        summary="The sessions that the partner may see (9.2.1.1).",
        tag="sessions",
        parameters=("date_from", "date_to", "offset", "limit", "cursor", *FUNCTIONAL_HEADERS),
        answers={"200": page, **errors("Unauthorized", "MethodNotAllowed")},
        security=_TOKEN,
    )


def _charging_preferences(version: str) -> Operation:
    taken = answer(
        "What becomes of the wishes, as a string. 2001 without data where a field is wrong.",
        reference("ChargingPreferencesResponse"),
        FUNCTIONAL_HEADERS,
    )
    return Operation(
        name=_named("putChargingPreferences", version),
        summary="The driver's wishes for a session (9.2.1.2).",
        tag="sessions",
        parameters=("session_id", *FUNCTIONAL_HEADERS),
        body="ChargingPreferences",
        answers={"200": taken, **errors("NotJson", "Unauthorized", "NotFound", "MethodNotAllowed")},
        description="404 for a session that the partner does not see, and for an EVSE that takes no preferences.",
        security=_TOKEN,
    )


def _charging_profiles(version: str) -> Mapping[str, Operation]:
    taken = answer(
        "ChargingProfileResponse; 2001 without data where a field or parameter is wrong, 3000 where we fail.",
        reference("ChargingProfileResponse"),
        FUNCTIONAL_HEADERS,
    )
    refused = errors("Unauthorized", "MethodNotAllowed")
    in_query = "{$request.query.response_url}"
    return {
        "get": Operation(
            name=_named("getActiveChargingProfile", version),
            summary="Ask for the profile that the charge point follows (14.4.1.1).",
            tag="chargingprofiles",
            parameters=("session_id", "duration", "response_url", *FUNCTIONAL_HEADERS),
            answers={"200": taken, **refused},
            description=_LATER,
            callbacks=result_callback(in_query, "ActiveChargingProfileResult"),
            security=_TOKEN,
        ),
        "put": Operation(
            name=_named("putChargingProfile", version),
            summary="Set or replace the session's charging profile (14.4.1.2).",
            tag="chargingprofiles",
            parameters=("session_id", *FUNCTIONAL_HEADERS),
            body="SetChargingProfile",
            answers={"200": taken, **refused, **errors("NotJson")},
            description=_LATER,
            callbacks=result_callback("{$request.body#/response_url}", "ProfileResult"),
            security=_TOKEN,
        ),
        "delete": Operation(
            name=_named("deleteChargingProfile", version),
            summary="Clear the session's charging profile (14.4.1.3).",
            tag="chargingprofiles",
            parameters=("session_id", "response_url", *FUNCTIONAL_HEADERS),
            answers={"200": taken, **refused},
            description=_LATER,
            callbacks=result_callback(in_query, "ProfileResult"),
            security=_TOKEN,
        ),
    }
