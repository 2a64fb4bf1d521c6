"""Pairing as Jedlix publishes it, beside OCPI's modules: plain JSON, where the HTTP status says it all."""

from collections.abc import Mapping

from tools.openapi.parts import CONFIGURATION_HEADERS, GATEWAY_ERRORS, Operation, plain_answer


def paths() -> dict[str, Mapping[str, Operation]]:
    """All paths with their operations."""
    return {"/v1/cpo/ocpi2.2/pair": {"post": _pair()}}


def _pair() -> Operation:
    ids = CONFIGURATION_HEADERS
    return Operation(
        name="postPair",
        summary="Pair a driver's charge point by the code that the driver has from the CPO.",
        tag="pairing",
        parameters=ids,
        body="PairRequest",
        answers={
            **GATEWAY_ERRORS,
            "200": plain_answer("The EVSE, which the partner may steer from now on.", "PairAnswer", ids),
            "400": plain_answer("The body is no such request.", "PairRefusal", ids),
            "401": plain_answer("No token that opens this.", "PairRefusal", (*ids, "WWW-Authenticate")),
            "404": plain_answer("The code is wrong, used or expired.", "PairRefusal", ids),
            "405": plain_answer("Only POST is defined here.", "PairRefusal", (*ids, "Allow")),
            "409": plain_answer("The charge point is another partner's to steer.", "PairRefusal", ids),
            "429": plain_answer(
                "Too many codes that were wrong, or too many requests.", "PairRefusal", (*ids, "Retry-After")
            ),
            "503": plain_answer("Try again.", "PairRefusal", (*ids, "Retry-After")),
        },
        security=({"bearer": []}, {"token": []}),
    )
