"""The API that CSMSs call: signed events, and answers to commands on one-time URLs."""

from collections.abc import Mapping
from typing import Final

from ocpi_bridge.adapters.csms.events import MAX_BODY_BYTES
from ocpi_bridge.ports import JsonObject
from tools.openapi.parts import GATEWAY_ERRORS, Operation, plain_answer

PARAMETERS: Final[Mapping[str, JsonObject]] = {
    "X-CSMS-Id": {
        "name": "X-CSMS-Id",
        "in": "header",
        "required": True,
        "description": "The CSMS's id in the registry.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$"},
    },
    "command_id": {
        "name": "command_id",
        "in": "path",
        "required": True,
        "description": "The command that is answered; it stands in the URL that the CSMS was given.",
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


def paths() -> dict[str, Mapping[str, Operation]]:
    """All paths with their operations."""
    return {
        "/csms/v1/events": {"post": _events()},
        "/csms/v1/callback/{command_id}/{signature}": {"post": _callback()},
    }


def schemas() -> dict[str, JsonObject]:
    """Those that only this API has."""
    return {"ChargePointAnswer": _CHARGE_POINTS_ANSWER}


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
