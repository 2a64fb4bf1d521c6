"""The API that CSMSs call: events in three forms, and answers to commands on one-time URLs."""

from collections.abc import Mapping
from typing import Final

from ocpi_bridge.adapters.csms.events import MAX_BODY_BYTES
from ocpi_bridge.adapters.csms.frames import posts
from ocpi_bridge.ports.json_values import JsonObject
from tools.openapi.parts import FUNCTIONAL_HEADERS, GATEWAY_ERRORS, Operation, answer, errors, plain_answer

PARAMETERS: Final[Mapping[str, JsonObject]] = {
    "X-CSMS-Id": {
        "name": "X-CSMS-Id",
        "in": "header",
        "required": True,
        "description": "The CSMS's id in the registry.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$"},
    },
    "csms_id": {
        "name": "csms_id",
        "in": "path",
        "required": True,
        "description": "The CSMS's id in the registry.",
        "schema": {"type": "string"},
    },
    "country_code": {
        "name": "country_code",
        "in": "path",
        "required": True,
        "description": "The CPO's own, as the registry has it for the CSMS; compared without case.",
        "schema": {"type": "string", "maxLength": 2},
    },
    "party_id": {
        "name": "party_id",
        "in": "path",
        "required": True,
        "description": "The CPO's own, as the registry has it for the CSMS; compared without case.",
        "schema": {"type": "string", "maxLength": 3},
    },
    "token": {
        "name": "token",
        "in": "path",
        "required": True,
        "description": "Ours, for this CSMS: the URL is the credential (`bridge csms connect-citrineos`).",
        "schema": {"type": "string"},
    },
    "command_id": {
        "name": "command_id",
        "in": "path",
        "required": True,
        "description": "The command that is answered, and whose it is: as it stands in the URL that the CSMS was given.",
        "schema": {"type": "string"},
    },
    "signature": {
        "name": "signature",
        "in": "path",
        "required": True,
        "description": "Ours, over the command's id: the URL is the credential.",
        "schema": {"type": "string"},
    },
}

# OCPP's own payloads, whose schemas are OCPP's; both versions have a status, and a CALLERROR has its code.
_CHARGE_POINTS_ANSWER: Final[JsonObject] = {
    "type": "object",
    "anyOf": [{"required": ["status"]}, {"required": ["_errorCode"]}],
    "properties": {
        "status": {
            "type": "string",
            "description": "Of SetChargingProfile, ClearChargingProfile or GetCompositeSchedule.",
        },
        "scheduleStart": {"type": "string", "format": "date-time", "description": "OCPP 1.6, GetCompositeSchedule."},
        "chargingSchedule": {"type": "object", "description": "OCPP 1.6, GetCompositeSchedule."},
        "schedule": {"type": "object", "description": "OCPP 2.0.1, GetCompositeSchedule."},
        "_errorCode": {"type": "string", "description": "Of a CALLERROR."},
        "_errorDescription": {"type": "string"},
    },
}


# As CitrineOS posts them; the frame itself is OCPP-J's, as text.
_FRAME: Final[JsonObject] = {
    "type": "object",
    "required": ["event"],
    "properties": {
        "stationId": {"type": "string"},
        "ocppConnectionName": {"type": "string", "description": "What newer versions call the station."},
        "event": {"enum": ["connected", "closed", "message"]},
        "origin": {"enum": ["cs", "csms"], "description": "Who sent the frame: the station, or the CSMS."},
        "message": {"type": "string", "description": 'One frame of OCPP-J: `[2,"id","Action",{...}]`.'},
        "info": {"type": "object"},
    },
}
_FRAMES: Final[JsonObject] = {
    "description": "Raw OCPP frames of both directions, as CitrineOS posts them. What cannot be read of it is dropped.",
    "anyOf": [_FRAME, {"type": "array", "items": _FRAME, "minItems": 1, "maxItems": posts.MAX_FRAMES}],
}


def paths() -> dict[str, Mapping[str, Operation]]:
    """All paths with their operations."""
    return {
        "/csms/v1/events": {"post": _events()},
        "/csms/v1/citrineos/{csms_id}/{token}": {"post": _frames()},
        "/csms/v1/ocpi/{csms_id}/sessions/{country_code}/{party_id}/{session_id}": {
            "put": _session("put", "ReportedSession", "A whole session (9.2.2.2)."),
            "patch": _session("patch", "ReportedSessionPatch", "What changed of a session (9.2.2.3)."),
        },
        "/csms/v1/callback/{command_id}/{signature}": {"post": _callback()},
    }


def schemas() -> dict[str, JsonObject]:
    """Those that only this API has."""
    return {"ChargePointAnswer": _CHARGE_POINTS_ANSWER, "Frames": _FRAMES}


def _events() -> Operation:
    return Operation(
        name="postEvents",
        summary="What happened at stations.",
        tag="csms",
        parameters=("X-CSMS-Id",),
        body="Events",
        answers={
            "202": plain_answer("All events of the post are kept.", "EventsTaken"),
            "400": plain_answer("The named field is wrong; nothing of the post was kept.", "CsmsError"),
            "401": plain_answer("An unknown CSMS, or not signed with its key.", "CsmsError"),
            "405": plain_answer("Only POST is defined here.", "CsmsError"),
            "409": plain_answer("This signature was used before.", "CsmsError"),
            "503": plain_answer("Try again, signed anew; nothing was kept.", "CsmsError"),
            **GATEWAY_ERRORS,
        },
        description=f"At most {MAX_BODY_BYTES} bytes. All or nothing; each attempt has a signature of its own.",
        security=({"signature": []},),
    )


def _frames() -> Operation:
    return Operation(
        name="postFrames",
        summary="Raw OCPP frames of stations, from a CitrineOS.",
        tag="csms",
        parameters=("csms_id", "token"),
        body="Frames",
        answers={
            "202": plain_answer("All frames of the post are kept.", "EventsTaken"),
            "400": plain_answer("No JSON, too long, or too many frames; nothing was kept.", "CsmsError"),
            "403": plain_answer("Not an address that was given to a CSMS.", "CsmsError"),
            "405": plain_answer("Only POST is defined here.", "CsmsError"),
            "503": plain_answer("Nothing was kept.", "CsmsError"),
            **GATEWAY_ERRORS,
        },
        description=f"At most {posts.MAX_BODY_BYTES} bytes and {posts.MAX_FRAMES} frames.",
        security=(),
    )


def _session(method: str, body: str, summary: str) -> Operation:
    return Operation(
        name=f"{method}CsmsSession",
        summary=summary,
        tag="csms",
        parameters=("csms_id", "country_code", "party_id", "session_id", *FUNCTIONAL_HEADERS),
        body=body,
        answers={
            "200": answer(
                "1000: kept, and taken in some moments later. 2001: the named field is wrong. 2003: no such EVSE or "
                "connector of this CSMS in the registry. 3000: try again. But for 1000 nothing was kept.",
                None,
                FUNCTIONAL_HEADERS,
            ),
            **errors("NotJson", "Unauthorized", "MethodNotAllowed"),
        },
        description="A Receiver of sessions for a CSMS that speaks OCPI 2.1.1, 2.2.1 or 2.3.0. Its token is the event key.",
        security=({"token": []},),
    )


def _callback() -> Operation:
    return Operation(
        name="postChargePointAnswer",
        summary="A charge point's answer to a command.",
        tag="csms",
        parameters=("command_id", "signature"),
        body="ChargePointAnswer",
        answers={
            "200": plain_answer("Recorded, or too late.", "AnswerTaken"),
            "400": plain_answer("The body is too long.", "CsmsError"),
            "403": plain_answer("Not a callback URL of ours.", "CsmsError"),
            "405": plain_answer("Only POST is defined here.", "CsmsError"),
            "503": plain_answer("Try again.", "CsmsError"),
            **GATEWAY_ERRORS,
        },
        security=(),
    )
