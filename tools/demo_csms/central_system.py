"""The OCPP 1.6J WebSocket endpoint: which stations are connected, and every frame that passed."""

import logging
import threading
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote, urlsplit

from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from tools.counterparts.http_service import LOOPBACK
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import JsonObject
from tools.counterparts.ocpp_json import SUBPROTOCOL_16, OcppVersion, check_request
from tools.demo_csms.errors import NoConnectionError
from tools.demo_csms.records import PendingCall, RecordedFrame
from tools.demo_csms.station_connection import CallHandler, StationConnection

LOGGER = logging.getLogger(__name__)

OCPP_PATH = "/ocpp/"
# Far above any OCPP 1.6 message; keeps a station from filling the memory.
MAX_FRAME_BYTES = 256 * 1024


class StationObserver(CallHandler, Protocol):
    """Answers calls, and is told who comes and goes."""

    def connected(self, station_id: str) -> None:
        """A station has connected, before its first call is read."""

    def disconnected(self, station_id: str) -> None:
        """A station's newest connection has ended."""


class CentralSystem:
    """Serves OCPP 1.6J at `ws://127.0.0.1:<port>/ocpp/<station id>` until it is stopped.

    `frames` records every frame in both directions. A new connection of a station replaces its old one.
    """

    def __init__(
        self, observer: StationObserver, *, call_seconds: float, frames: Journal[RecordedFrame] | None = None
    ) -> None:
        self.frames: Journal[RecordedFrame] = Journal() if frames is None else frames
        self.arrivals: Journal[str] = Journal()
        self._observer = observer
        self._call_seconds = call_seconds
        self._connections: dict[str, StationConnection] = {}
        self._lock = threading.Lock()
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """What a charge point is configured with; it appends its own name. Raises RuntimeError before the start."""
        if self._server is None:
            raise RuntimeError("the central system has not been started")
        port = int(self._server.socket.getsockname()[1])
        return f"ws://{LOOPBACK}:{port}{OCPP_PATH.rstrip('/')}"

    def start(self) -> None:
        """Serve on an ephemeral port in a background thread."""
        self._server = serve(
            self._serve,
            LOOPBACK,
            0,
            subprotocols=[Subprotocol(SUBPROTOCOL_16)],
            process_request=_refuse_other_paths,
            compression=None,
            max_size=MAX_FRAME_BYTES,
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="demo-csms-ocpp", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the listening socket; harmless when repeated."""
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.shutdown()
            self._thread.join()

    def connection(self, station_id: str) -> StationConnection:
        """The station's connection; raises NoConnectionError."""
        with self._lock:
            connection = self._connections.get(station_id)
        if connection is None:
            raise NoConnectionError(f"{station_id} is not connected")
        return connection

    def call(self, station_id: str, action: str, payload: JsonObject, *, wait: float = 0.0) -> PendingCall:
        """Send a CALL that is valid by its official schema; errors as `StationConnection.call`, and PayloadError."""
        check_request(OcppVersion.V16, action, payload)
        return self.connection(station_id).call(action, payload, wait=wait)

    def _serve(self, socket: ServerConnection) -> None:
        station_id = _station_id(socket.request)
        connection = StationConnection(station_id, socket, self._observer, self.frames, call_seconds=self._call_seconds)
        with self._lock:
            replaced = self._connections.get(station_id)
            self._connections[station_id] = connection
        if replaced is not None:
            replaced.close()
        self._observer.connected(station_id)
        self.arrivals.record(station_id)
        connection.serve()
        with self._lock:
            newest = self._connections.get(station_id) is connection
            if newest:
                del self._connections[station_id]
        if newest:
            self._observer.disconnected(station_id)


def _station_id(request: Request | None) -> str:
    path = urlsplit(request.path).path if request is not None else ""
    return unquote(path.removeprefix(OCPP_PATH)) if path.startswith(OCPP_PATH) else ""


def _refuse_other_paths(connection: ServerConnection, request: Request) -> Response | None:
    station_id = _station_id(request)
    if station_id and "/" not in station_id:
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, "no charge point of that name\n")
