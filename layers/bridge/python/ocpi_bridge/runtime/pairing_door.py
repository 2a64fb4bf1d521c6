"""The door for pairing: plain JSON as Jedlix publishes it, with a `message` where something is wrong.

It is no module of OCPI, so there is no envelope and the HTTP status says it all; token, ids and parties are OCPI's.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import field

from ocpi_bridge.domain.errors import Contended, InvalidInput
from ocpi_bridge.domain.pairing import CodeUnknown, TooManyAttempts
from ocpi_bridge.domain.registration import RegistrationRefused
from ocpi_bridge.domain.values import dataclass
from ocpi_bridge.ocpi.transport import TransportError, dumps
from ocpi_bridge.ports.callers import Caller
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from ocpi_bridge.runtime import gateway
from ocpi_bridge.runtime.metrics import log_failure
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.ocpi_door import Access, Handler, OcpiService, PartnerCall, authenticated
from ocpi_bridge.runtime.ocpi_requests import method_not_allowed, ocpi_request
from ocpi_bridge.runtime.request_bounds import check_bounds
from ocpi_bridge.runtime.start import started

Endpoint = Callable[[PartnerCall], JsonObject]

# Both schemes are taken, the second where the partner's entry says so (RFC 9110, 15.5.2).
_CHALLENGE = {"WWW-Authenticate": "Token, Bearer"}
# Other writers hold an item for milliseconds; a second later it is free.
_BUSY = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is answered."""

    http_status: int
    body: JsonObject
    headers: Mapping[str, str] = field(default_factory=dict)


def pairing_endpoint(service: OcpiService) -> Callable[[Endpoint], Handler]:
    """Makes a Lambda handler of an endpoint that takes a POST; what it raises becomes the HTTP status.

    401 without a token that opens functional modules, 405, 400 for a body that is no such request, 404 for a code that
    opens nothing, 409 where the registry cannot take the pairing, 429 with Retry-After, 503 for what passes.
    """

    def decorate(endpoint: Endpoint) -> Handler:
        @functools.wraps(endpoint)
        def handle(event: gateway.Event, _context: object) -> dict[str, JsonValue]:
            request, caller = ocpi_request(event), Caller(None)
            logger.set_correlation_id(request.ids.correlation_id)
            try:
                check_bounds(request)
                caller = authenticated(service, request, Access())
                if request.method != "POST":
                    raise method_not_allowed("POST")
                outcome = _Outcome(200, endpoint(PartnerCall(request, caller)))
            except Exception as error:  # noqa: BLE001 - the last resort is among what it becomes
                outcome = _refusal_of(error, caller)
            logger.info(
                "pairing.answered",
                extra={
                    "method": request.method,
                    "resource": event.get("resource"),
                    "partner_id": caller.partner_id,
                    "http_status": outcome.http_status,
                    "reason": outcome.body.get("message"),
                    "x_request_id": request.ids.request_id,
                },
            )
            ids = {"X-Request-ID": request.ids.request_id, "X-Correlation-ID": request.ids.correlation_id}
            return gateway.answer(outcome.http_status, dumps(outcome.body), {**ids, **outcome.headers})

        return started(handle)

    return decorate


def _refusal_of(error: Exception, caller: Caller) -> _Outcome:
    match error:
        case TransportError():
            challenge = _CHALLENGE if error.http_status == 401 else {}
            return _refusal(error.http_status, str(error), {**challenge, **error.headers})
        case InvalidInput():
            return _refusal(400, str(error))
        case CodeUnknown():
            return _refusal(404, str(error))
        case TooManyAttempts():
            return _refusal(429, str(error), {"Retry-After": str(error.retry_after)})
        case RegistrationRefused():
            # Its text names the other partner, which is not for this one, and may name a token, which is for no log.
            fields = [problem.field for problem in error.problems]
            logger.warning("pairing.refused", extra={"partner_id": caller.partner_id, "fields": fields})
            return _refusal(409, "this charge point cannot be paired: its operator has to end another assignment first")
        case Contended():
            return _refusal(503, "busy; try again", _BUSY)
        case _:
            log_failure("pairing.failed", {"partner_id": caller.partner_id}, error)
            return _refusal(503, "internal error; try again", _BUSY)


def _refusal(http_status: int, message: str, headers: Mapping[str, str] | None = None) -> _Outcome:
    return _Outcome(http_status, {"message": message}, dict(headers or {}))
