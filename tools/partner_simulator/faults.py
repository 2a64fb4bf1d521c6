"""Answers that a partner should not give, ready to be planned on its HTTP service."""

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import Answer, Response
from tools.counterparts.json_types import JsonObject

JSON = {"Content-Type": "application/json"}


def http_error(status: int, *, handled: bool = False) -> Answer:
    """An HTTP status with an empty body; `handled` tells whether the partner did store what was sent."""
    return Answer(Response(status), handled)


def too_many_requests(retry_after: int | str) -> Answer:
    """HTTP 429 with Retry-After, in seconds or as an HTTP date."""
    return Answer(Response(429, headers={"Retry-After": str(retry_after)}))


def redirect(location: str, status: int = 307) -> Answer:
    """A redirect, which nobody should follow with a token."""
    return Answer(Response(status, headers={"Location": location}))


def ocpi_error(status_code: int, message: str = "refused", *, handled: bool = False) -> Answer:
    """An OCPI error code with HTTP 200."""
    body = {"status_code": status_code, "status_message": message, "timestamp": write_datetime(utc_now())}
    return Answer(Response.json(200, body), handled)


def empty_body() -> Answer:
    """HTTP 200 without a body, after doing the work."""
    return Answer(Response(200, headers=JSON), handled=True)


def huge_body(size: int) -> Answer:
    """HTTP 200 with `size` bytes of white space before a proper envelope, after doing the work."""
    envelope = Response.json(200, {"status_code": 1000, "timestamp": write_datetime(utc_now())})
    return Answer(Response(200, b" " * size + envelope.body, JSON), handled=True)


def odd_data(data: object) -> Answer:
    """A proper success whose `data` is something that nobody defined, after doing the work."""
    body = {"status_code": 1000, "timestamp": write_datetime(utc_now()), "data": data}
    return Answer(Response.json(200, body), handled=True)


def not_json() -> Answer:
    """HTTP 200 with HTML, as a proxy in between gives it."""
    return Answer(Response(200, b"<html>welcome</html>", {"Content-Type": "text/html"}))


def bare(body: JsonObject, *, handled: bool = False) -> Answer:
    """HTTP 200 with JSON that no envelope wraps."""
    return Answer(Response.json(200, body), handled)


def endless_body(size: int) -> Answer:
    """HTTP 200 with `size` bytes that are no JSON yet: for a reader that has to have a bound."""
    return Answer(Response(200, b"[" * size, JSON))
