"""A small HTTP/1.1 service, by default on the loopback interface, that records what it gets and misbehaves on request."""

import logging
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tools.counterparts.clock import utc_now
from tools.counterparts.journal import Journal
from tools.counterparts.json_types import write_json
from tools.counterparts.plan import Plan

LOGGER = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
# Load tests open many connections at once; the default of five would make the kernel drop some.
LISTEN_BACKLOG = 128
# Far above any message of OCPI or OCPP; keeps a wrong Content-Length from filling the memory.
MAX_BODY_BYTES = 4 * 1024 * 1024
# How long `stop` waits for handlers that are still at work.
STOP_SECONDS = 5.0
# A slow answer is sent in pieces this often; finer would only cost wake-ups.
SLOW_PIECE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came. Header names are lower case; `target` is the path with its query, undecoded."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    client_port: int
    at: datetime

    @property
    def path(self) -> str:
        """The path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        """The query as sent, without the question mark."""
        return urlsplit(self.target).query

    def header(self, name: str) -> str | None:
        """A header's value by its name in any case."""
        return self.headers.get(name.lower())


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to send; Content-Length is added."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, status: int, value: object, headers: Mapping[str, str] | None = None) -> Self:
        """An answer with a JSON body."""
        return cls(status, write_json(value).encode(), {"Content-Type": "application/json", **(headers or {})})


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer with this instead; `handled` tells whether the service does its work before."""

    response: Response
    handled: bool = False


@dataclass(frozen=True, slots=True)
class AnswerLate:
    """Wait before the answer, after the work."""

    seconds: float
    handled: bool = field(default=True, init=False)


@dataclass(frozen=True, slots=True)
class AnswerSlowly:
    """Send the answer piece by piece at this rate."""

    bytes_per_second: int
    handled: bool = field(default=True, init=False)


@dataclass(frozen=True, slots=True)
class NeverAnswer:
    """Keep the connection open without an answer until the caller or the service ends it."""

    handled: bool = False


@dataclass(frozen=True, slots=True)
class ResetConnection:
    """End the connection with a TCP reset instead of an answer."""

    handled: bool = False


Fault = Answer | AnswerLate | AnswerSlowly | NeverAnswer | ResetConnection


class HttpService:
    """Serves `handle` until it is stopped, on an ephemeral loopback port unless `listen` (address, port) says otherwise.

    `requests` records every request, unless `records` is False; `errors` what `handle` raised (the caller then gets
    500). Planned faults apply in the order planned. With `tls` it serves https. Use as a context manager, or `start`
    and `stop`.
    """

    def __init__(
        self,
        handle: Callable[[Request], Response],
        *,
        name: str,
        host: str = "localhost",
        listen: tuple[str, int] = (LOOPBACK, 0),
        records: bool = True,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: Journal[Request] = Journal()
        self.errors: Journal[Exception] = Journal()
        self._faults: Plan[Request, Fault] = Plan()
        self._handle = handle
        self._name = name
        self._host = host
        self._records = records
        self._stopping = threading.Event()
        self._server = _Server(self, listen)
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The TCP port, known from construction on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Base URL without a trailing slash."""
        return f"{self._scheme}://{self._host}:{self.port}"

    def plan(self, fault: Fault, *, path: str = "", method: str | None = None, times: int | None = 1) -> None:
        """Let a fault hit the next `times` requests (None: all) whose path contains `path` and whose method matches."""
        self._faults.add(
            fault,
            when=lambda request: path in request.path and method in {None, request.method},
            times=times,
        )

    def plan_each(self, choose: Callable[[Request], Fault | None]) -> None:
        """Let `choose` say what hits each request that no planned fault hits."""
        self._faults.otherwise = choose

    def clear_faults(self) -> None:
        """Behave well again."""
        self._faults.clear()

    def start(self) -> Self:
        """Serve in a background thread."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name=self._name, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End open connections and the listening socket; harmless when repeated."""
        self._stopping.set()
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(STOP_SECONDS)
            self._thread = None
        self._server.end_connections()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _respond(self, request: Request) -> Response:
        try:
            return self._handle(request)
        except Exception as error:
            self.errors.record(error)
            LOGGER.exception("%s failed on %s %s", self._name, request.method, request.path)
            return Response(500)

    def _serve(self, request: Request, connection: "_Connection") -> None:
        if self._records:
            self.requests.record(request)
        fault = self._faults.take(request)
        handled = fault is None or fault.handled
        response = self._respond(request) if handled else Response(500)
        match fault:
            case None:
                connection.send(response)
            case Answer(instead):
                connection.send(instead)
            case AnswerLate(seconds):
                if not self._stopping.wait(seconds):
                    connection.send(response)
            case AnswerSlowly(bytes_per_second):
                connection.send_slowly(response, bytes_per_second, self._stopping)
            case NeverAnswer():
                connection.wait_for_end(self._stopping)
            case ResetConnection():
                connection.reset()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = LISTEN_BACKLOG

    def __init__(self, service: HttpService, listen: tuple[str, int]) -> None:
        self.service = service
        self._open: dict[threading.Thread, socket.socket] = {}
        self._open_lock = threading.Lock()
        super().__init__(listen, _Connection)

    @contextmanager
    def tracked(self, connection: socket.socket) -> Iterator[None]:
        thread = threading.current_thread()
        with self._open_lock:
            self._open[thread] = connection
        try:
            yield
        finally:
            with self._open_lock:
                self._open.pop(thread, None)

    def end_connections(self) -> None:
        with self._open_lock:
            still_open = dict(self._open)
        for connection in still_open.values():
            _shut(connection)
        for thread in still_open:
            thread.join(STOP_SECONDS)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    connection: socket.socket

    def handle(self) -> None:
        with self.server.tracked(self.connection):
            try:
                super().handle()
            except (ConnectionError, TimeoutError):
                LOGGER.debug("the peer went away")

    def __getattr__(self, name: str) -> Callable[[], None]:
        # BaseHTTPRequestHandler looks for do_GET, do_PUT ...: every method is served, whatever its name.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        LOGGER.debug(format, *args)

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self.send(Response(411))
            return
        request = Request(
            method=self.command,
            target=self.path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
            client_port=int(self.client_address[1]),
            at=utc_now(),
        )
        self.server.service._serve(request, self)  # noqa: SLF001 - two halves of one thing

    def send(self, response: Response) -> None:
        self._send_head(response)
        if self.command != "HEAD":
            self.wfile.write(response.body)

    def send_slowly(self, response: Response, bytes_per_second: int, stopping: threading.Event) -> None:
        self._send_head(response)
        size = max(1, int(bytes_per_second * SLOW_PIECE_SECONDS))
        for piece in _pieces(response.body, size):
            if stopping.wait(size / bytes_per_second):
                return
            self.wfile.write(piece)

    def reset(self) -> None:
        # Linger of zero seconds turns the close into a reset; shutdown() by the server would send an ordinary end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        os.close(self.connection.detach())

    def wait_for_end(self, stopping: threading.Event) -> None:
        self.close_connection = True
        self.connection.settimeout(SLOW_PIECE_SECONDS)
        while not stopping.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue

    def _send_head(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()


def _pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        LOGGER.debug("the connection was closed already")
