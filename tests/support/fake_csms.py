"""CSMSs in front of one charge point: one over HTTP, as the description of an API has it, and one on the bus.

How a CSMS says that a charge point is offline, busy or broken is its own business. For CitrineOS it is here as it was
measured; for the others as HTTP servers say such things, since their documents do not tell.
"""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from ocpi_bridge.domain.csms_api import CsmsApi, Operation
from ocpi_bridge.domain.requests import RequestKind
from ocpi_bridge.ocpi.transport import dumps
from ocpi_bridge.ports.bus import BusEvent
from ocpi_bridge.ports.json_values import JsonObject, JsonValue
from tests.support.charge_point_behind_a_csms import Busy, CallError, ChargePoint, Knob, Offline, Silent

# How long a CSMS keeps a caller waiting for a charge point that says nothing; tests ask for less patience themselves.
PATIENCE = 10.0
_KINDS = {
    "SetChargingProfile": RequestKind.SET,
    "ClearChargingProfile": RequestKind.CLEAR,
    "GetCompositeSchedule": RequestKind.GET,
    "GetConfiguration": RequestKind.LEARN,
    "GetVariables": RequestKind.LEARN,
}


@dataclass(frozen=True, slots=True)
class Answered:
    """An HTTP answer; None as the body is an empty one."""

    status: int
    body: JsonValue = None


class HttpCsms:
    """Serves the operations of a description on the loopback. `reports` are the bodies that it would post later."""

    def __init__(self, api: CsmsApi, charge_point: ChargePoint, parameters: Sequence[tuple[str, str]]) -> None:
        self._api = api
        self._charge_point = charge_point
        values = {**api.parameters, **dict(parameters), "ocpp_version": charge_point.version}
        self._routes = [(one, _route(one, values)) for one in api.operations if charge_point.version in one.versions]
        self._stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.reports: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method: str, target: str, body: bytes) -> Answered:
        url = urlsplit(target)
        found = [one for one, route in self._routes if one.method == method and route.fullmatch(unquote(url.path))]
        if len(found) != 1:
            return Answered(404, {"message": f"no operation at {url.path}"})
        asked = parse_qs(url.query, strict_parsing=True) if url.query else {}
        if self._api.verdict_at is not None:
            return self._verdict(found[0], json.loads(body), later="callbackUrl" in asked)
        return self._plainly(found[0], json.loads(body))

    def _verdict(self, operation: Operation, command: JsonValue, *, later: bool) -> Answered:
        """As CitrineOS: HTTP 200 always; `success` says whether the frame was written."""
        try:
            response: JsonObject = self._charge_point.take(operation.kind, command)
        except Offline:
            said = "No connection found for identifier: 1:CP-001"
            return Answered(200, [{"success": False, "payload": said}])
        except Busy:
            return Answered(200, [{"success": False, "payload": "Call already in progress"}])
        except Silent:
            if not later:
                self._stopped.wait(PATIENCE)
            return Answered(200, [{"success": True}])
        except CallError as error:
            response = {"_messageId": "1", "_errorCode": error.code, "_errorDetails": {}, "name": "OcppError"}
        if not later:
            return Answered(200, [{"success": True, "payload": response}])
        # What its schemas do not know is never posted.
        if response.get("status") != "NotImplemented":
            twice = self._charge_point.knob is Knob.ANSWERS_TWICE
            self.reports += [dumps(response).encode()] * (2 if twice else 1)
        return Answered(200, [{"success": True}])

    def _plainly(self, operation: Operation, command: JsonValue) -> Answered:
        """As other HTTP servers: what went wrong is an HTTP error."""
        try:
            response = self._charge_point.take(operation.kind, command)
        except Offline:
            return Answered(409, {"message": "the charger is offline"})
        except Busy:
            return Answered(429, {"message": "Too Many Attempts."})
        except Silent:
            self._stopped.wait(PATIENCE)
            return Answered(504)
        except CallError:
            return Answered(500, {"message": "the charger answered with an error"})
        by_status = {status: int(code) for code, status in operation.http_answers.items()}
        if by_status:
            return Answered(by_status["Accepted" if response["status"] == "Accepted" else "Rejected"])
        return Answered(200, response)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        csms = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._serve()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answered = csms.answer(self.command, self.path, body)
                content = b"" if answered.body is None else dumps(answered.body).encode()
                try:
                    self.send_response(answered.status)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    # A caller that lost patience is gone.
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
                pass

        return Handler


@dataclass
class BusCsms:
    """Takes commands from the bus. `reports` are the bodies of the `command.result` events that it would send."""

    charge_point: ChargePoint
    reports: list[bytes] = field(default_factory=list)

    def publish(self, events: Sequence[BusEvent]) -> None:
        for event in events:
            # As it arrives: JSON, and nothing of ours behind it.
            detail = json.loads(dumps(event.detail))
            self.reports += list(self._reports(_KINDS[detail["action"]], detail["payload"]))

    def _reports(self, kind: RequestKind, payload: JsonObject) -> Iterator[bytes]:
        try:
            response: JsonObject = self.charge_point.take(kind, payload)
        except Silent:
            return
        except (Offline, Busy) as error:
            response = {"_errorCode": f"Station{type(error).__name__}", "_errorDescription": "nothing was sent"}
        except CallError as error:
            response = {"_errorCode": error.code, "_errorDescription": "it has no smart charging"}
        yield from [dumps(response).encode()] * (2 if self.charge_point.knob is Knob.ANSWERS_TWICE else 1)


def _route(operation: Operation, values: dict[str, str]) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\})", operation.path)
    return re.compile(
        "".join(
            (re.escape(values[part[1:-1]]) if part[1:-1] in values else "[^/]+")
            if part.startswith("{")
            else re.escape(part)
            for part in parts
        )
    )
