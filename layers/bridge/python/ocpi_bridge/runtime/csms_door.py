"""The doors for CSMSs: plain JSON answers, errors that name the field. A CSMS is no OCPI party."""

import functools
from collections.abc import Callable

from ocpi_bridge.domain.errors import BridgeError, Contended, InvalidInput
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from ocpi_bridge.runtime import gateway
from ocpi_bridge.runtime.metrics import log_failure
from ocpi_bridge.runtime.observability import logger
from ocpi_bridge.runtime.request_bounds import check_bounds
from ocpi_bridge.runtime.start import started


class Refused(BridgeError):
    """A request that is not answered in content: who it is from, or what it is about, is not known to be right."""

    def __init__(self, http_status: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status


Endpoint = Callable[[gateway.HttpRequest], tuple[int, JsonObject]]
Handler = Callable[[gateway.Event, object], dict[str, JsonValue]]


def csms_endpoint(endpoint: Endpoint) -> Handler:
    """Makes a Lambda handler of an endpoint that takes a POST and gives an HTTP status and a JSON body.

    503 tells the CSMS to try again (each attempt signed anew); nothing was kept of the request then.
    """

    @functools.wraps(endpoint)
    def handle(event: gateway.Event, _context: object) -> dict[str, JsonValue]:
        try:
            request = gateway.read(event)
            if request.method != "POST":
                raise Refused(405, "only POST is defined here")
            check_bounds(request)
            status, body = endpoint(request)
        except Refused as error:
            status, body = error.http_status, {"error": str(error)}
        except InvalidInput as error:
            status, body = 400, {"error": error.problem, "field": error.field}
        except Contended as error:
            status, body = 503, {"error": str(error)}
        except Exception:  # noqa: BLE001 - the last resort: the CSMS is told to try again, and the cause is logged
            log_failure("csms.failed")
            status, body = 503, {"error": "internal error; try again"}
        logger.info("csms.answered", extra={"resource": event.get("resource"), "http_status": status})
        return gateway.answer(status, dumps(body))

    return started(handle)
