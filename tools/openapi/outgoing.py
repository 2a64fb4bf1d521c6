"""What the bridge calls at a partner: results on `response_url`, and pushes to the interfaces of its versions."""

from collections.abc import Mapping, Sequence
from typing import Final

from ocpi_bridge.ports.json_values import JsonObject
from tools.openapi.parts import CONFIGURATION_HEADERS, FUNCTIONAL_HEADERS, content, plain_answer
from tools.openapi.schemas import reference

# What the partner's registration says: a token of OCPI, a static bearer, or an OAuth 2.0 access token with an API key.
_PRESENTED: Final[tuple[JsonObject, ...]] = ({"token": []}, {"bearer": []})

_RECEIVED: Final[Mapping[str, JsonObject]] = {
    "2XX": {
        "description": "Taken, where status_code is 1xxx; `data` is not looked at, and an answer without a readable "
        "envelope counts as taken."
    },
    "default": {
        "description": "Not taken. 401, 408, 425, 429 and 5xx are tried again, all else is final; redirects are not "
        "followed."
    },
}


_ANSWERED: Final[Mapping[str, JsonObject]] = {
    "2XX": {"description": "The envelope, `data` as the specification has it; what is unknown in it is passed over."},
    "default": {"description": "The handshake led to nothing: what was registered before still is."},
}


def result_callback(expression: str, body: str) -> JsonObject:
    """The result that follows an ACCEPTED request: the bare object, once (14.4.2.1)."""
    return {
        "result": {expression: {"post": _call("The result (14.4.2.1): the bare object, without an envelope.", body)}}
    }


def webhooks() -> JsonObject:
    """The handshake and the pushes, by interface."""
    return {
        **_handshake(),
        "session": {
            "description": "The partner's sessions RECEIVER: {sessions}/{country_code}/{party_id}/{session_id}.",
            "put": _call("The whole session (9.2.2.2): the first push, and after every doubt.", "Session"),
            "patch": _call(
                "What changed of it, always with last_updated; charging_periods are appended (9.2.2.3).", "SessionPatch"
            ),
        },
        "session_2_3_0": {
            "description": "The same interface of a partner of OCPI 2.3.0.",
            "put": _call("The whole session (9.2.2.2).", "TaxedSession"),
            "patch": _call("What changed of it (9.2.2.3).", "TaxedSessionPatch"),
        },
        "activeChargingProfile": {
            "description": "The partner's chargingprofiles SENDER: {chargingprofiles}/{session_id}.",
            "put": _call(
                "The profile that the charge point follows changed (14.4.2.4): the bare object. Only for sessions on "
                "which the partner once had a PUT accepted.",
                "ActiveChargingProfile",
            ),
        },
        "pair": {
            "description": "The partner's pairing endpoint, as Jedlix publishes it; no module of OCPI.",
            "post": _pairing(),
        },
    }


def _pairing() -> JsonObject:
    answered: Mapping[str, JsonObject] = {
        "200": plain_answer("The pair exists.", "PairAnswer"),
        "404": plain_answer("The code is wrong.", "PairRefusal"),
        "default": {"description": "No pair; nothing is written here."},
    }
    return _call(
        "A driver's charge point, by the code that the driver has from the partner.", "PairCall", answers=answered
    )


def _call(
    summary: str,
    body: str | None,
    headers: Sequence[str] = FUNCTIONAL_HEADERS,
    answers: Mapping[str, JsonObject] = _RECEIVED,
) -> JsonObject:
    """One operation; the partner serves it, so it has no name of ours."""
    sent: JsonObject = {} if body is None else {"requestBody": {"required": True, "content": content(reference(body))}}
    return {
        "summary": summary,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in headers],
        **sent,
        "responses": dict(answers),
        "security": list(_PRESENTED),
    }


def _handshake() -> JsonObject:
    ids = CONFIGURATION_HEADERS
    return {
        "versions": {
            "description": "The partner's version list, then the details of the version that both speak (6).",
            "get": _call("What the partner serves, read in every handshake.", None, ids, _ANSWERED),
        },
        "credentials": {
            "description": "The partner's credentials endpoint (7), where the CPO begins the registration.",
            "post": _call("Register with the partner's registration token (7.2.2).", "OwnCredentials", ids, _ANSWERED),
            "put": _call("Renew: a new token, and the endpoints read again (7.2.3).", "OwnCredentials", ids, _ANSWERED),
            "delete": _call("End the registration (7.2.4).", None, ids, _ANSWERED),
        },
    }
