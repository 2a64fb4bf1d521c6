"""The door for CSMSs that speak OCPI: the envelope in every answer (4.1.7), whoever made the error."""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ocpi_bridge.domain.errors import BridgeError, InvalidInput
from ocpi_bridge.ocpi.transport import OcpiRequest, StatusCode, TransportError, dumps, envelope, routing_headers
from ocpi_bridge.ports.clock import Clock
from ocpi_bridge.ports.json_values import JsonValue
from ocpi_bridge.runtime import gateway
from ocpi_bridge.runtime.metrics import log_failure
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.ocpi_requests import ocpi_request
from ocpi_bridge.runtime.request_bounds import check_bounds
from ocpi_bridge.runtime.start import started

Endpoint = Callable[[OcpiRequest], None]
Handler = Callable[[gateway.Event, object], dict[str, JsonValue]]

_UNAUTHORIZED = 401
# What a 401 must carry (RFC 9110, 15.5.2).
_CHALLENGE: Mapping[str, str] = MappingProxyType({"WWW-Authenticate": "Token"})


class UnknownPlace(BridgeError):
    """The object is about an EVSE or connector that the registry does not have: 2003."""


def unauthorized() -> TransportError:
    """401, the same for whoever cannot show the token of a CSMS that there is."""
    return TransportError(_UNAUTHORIZED, "unknown token")


def csms_ocpi_endpoint(clock: Clock) -> Callable[[Endpoint], Handler]:
    """Makes a Lambda handler of an endpoint that takes what a CSMS tells and has no data to answer.

    3000 tells the CSMS that nothing was kept, and that it may try again.
    """

    def decorate(endpoint: Endpoint) -> Handler:
        @functools.wraps(endpoint)
        def handle(event: gateway.Event, _context: object) -> dict[str, JsonValue]:
            request = ocpi_request(event)
            http_status, code, message, headers = _outcome(endpoint, request)
            logger.info(
                "csms.answered",
                extra={
                    "resource": event.get("resource"),
                    "method": request.method,
                    "http_status": http_status,
                    "status_code": int(code),
                    "reason": None if code is StatusCode.SUCCESS else message,
                    "x_request_id": request.ids.request_id,
                },
            )
            ids = {"X-Request-ID": request.ids.request_id, "X-Correlation-ID": request.ids.correlation_id}
            return gateway.answer(
                http_status, dumps(envelope(clock.now(), code, message)), {**ids, **_routing(request), **headers}
            )

        return started(handle)

    return decorate


def _outcome(endpoint: Endpoint, request: OcpiRequest) -> tuple[int, StatusCode, str, Mapping[str, str]]:
    try:
        logger.set_correlation_id(request.ids.correlation_id)
        check_bounds(request)
        endpoint(request)
    except TransportError as error:
        challenge = _CHALLENGE if error.http_status == _UNAUTHORIZED else {}
        return error.http_status, error.status_code, str(error), {**challenge, **error.headers}
    except InvalidInput as error:
        problem = f"Invalid or missing parameters: {error.field}: {error.problem}"
        return 200, StatusCode.INVALID_PARAMETERS, problem, {}
    except UnknownPlace as error:
        return 200, StatusCode.UNKNOWN_LOCATION, str(error), {}
    except Exception:  # noqa: BLE001 - the last resort: the CSMS gets the envelope whatever is broken here
        log_failure("csms.failed")
        return 200, StatusCode.SERVER_ERROR, "internal error; try again", {}
    return 200, StatusCode.SUCCESS, "Success", {}


def _routing(request: OcpiRequest) -> Mapping[str, str]:
    """The request's routing headers swapped (4.1.8); a CSMS beside the bridge may well leave them out."""
    if request.to_party is None:
        return {}
    return routing_headers(request.to_party, request.from_party)
