"""The servers of partner and CSMS, in this process and so outside of what is measured."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tools.counterparts.clock import utc_now, write_datetime
from tools.counterparts.http_service import HttpService, Request, Response
from tools.local_stack.certificate import write_certificate


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where they are: `plain` by http, as the stage `local` may call them; `secure` by https, with this certificate."""

    plain: str
    secure: str
    certificate: Path


@contextmanager
def neighbours(scratch: Path) -> Iterator[Neighbours]:
    """Both servers, for as long as the context lasts."""
    certificate, key = scratch / "server.crt", scratch / "server.key"
    write_certificate(certificate, key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with (
        HttpService(_answer_once, name="neighbours", records=False) as plain,
        HttpService(_answer, name="secure-neighbours", records=False, tls=tls) as secure,
    ):
        yield Neighbours(plain.url, secure.url, certificate)


def _answer_once(request: Request) -> Response:
    """Over HTTP a function is asked for one request only; nothing need stay open after it."""
    answer = _answer(request)
    return replace(answer, headers={**answer.headers, "Connection": "close"})


def _answer(request: Request) -> Response:
    if request.path.startswith("/ocpp/"):
        # CitrineOS: the station will answer at the callback URL.
        return Response.json(200, [{"success": True}])
    return Response.json(
        200, {"status_code": 1000, "status_message": "Success", "timestamp": write_datetime(utc_now())}
    )
