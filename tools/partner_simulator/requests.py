"""Requests of the bridge: their bodies, and how they are refused."""

from collections.abc import Mapping

from tools.counterparts.http_service import Request
from tools.counterparts.json_types import JsonObject, as_object, read_json

CLIENT_ERROR = 2000
INVALID_PARAMETERS = 2001


class RequestRefusedError(Exception):
    """A request that is answered with an error; `finding` is the rule that it broke, None when it broke none."""

    def __init__(
        self,
        message: str,
        *,
        http_status: int = 200,
        status_code: int = CLIENT_ERROR,
        headers: Mapping[str, str] | None = None,
        finding: str | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.status_code = status_code
        self.headers = dict(headers or {})
        self.finding = finding


def body_object(request: Request) -> JsonObject:
    """The body as a JSON object; raises NotJsonError and RequestRefusedError."""
    value = read_json(request.body)
    if not isinstance(value, dict):
        message = "the body is no JSON object"
        raise RequestRefusedError(message, status_code=INVALID_PARAMETERS, finding=message)
    return as_object(value)
