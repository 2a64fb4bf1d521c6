"""A request as documents show it."""

from urllib.parse import urlsplit

from ocpi_bridge.domain.requests import Request
from tools.bridge.files import Json
from tools.bridge.wording import moment


def request_document(request: Request) -> dict[str, Json]:
    """How a request stands; of the `response_url` there is the host only."""
    callback = request.callback
    return {
        "kind": request.kind.value,
        "state": request.state.value,
        "result": request.result.value if request.result is not None else None,
        "reason": request.reason,
        "station": f"{request.csms_id}/{request.station_id}",
        "commands_sent": request.attempts,
        "accepted_at": moment(request.created_at),
        "timeout_at": moment(request.timeout_at),
        "host": urlsplit(callback.response_url).hostname if callback is not None else None,
        "delivery_attempts": request.delivery.attempts,
        "last_error": request.delivery.last_error,
    }
