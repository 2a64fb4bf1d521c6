"""A TCP (or TLS) server on the loopback that does to a client whatever its script says, byte by byte."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

# A client under test is done long before; it keeps a broken test from hanging.
PATIENCE = 20.0


class Peer:
    """One connection, as the server sees it."""

    def __init__(self, connection: socket.socket, stopped: threading.Event) -> None:
        self._connection = connection
        self._stopped = stopped

    def read_request(self) -> bytes:
        """The next whole request; empty when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = self._connection.recv(65_536)
            if not part:
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += self._connection.recv(65_536)
        return head + b"\r\n\r\n" + body

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def drip(self, data: bytes, every: float) -> None:
        """Sends one byte, waits, sends the next."""
        for index in range(len(data)):
            self.send(data[index : index + 1])
            if self._stopped.wait(every):
                return

    def wait(self, seconds: float = PATIENCE) -> None:
        """Does nothing for a while, at most until the server is closed."""
        self._stopped.wait(seconds)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Ends the connection with RST."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()


class RawServer:
    """Runs `script` for each connection. `connections` counts them; `requests` is for the script to fill."""

    def __init__(self, script: Callable[["RawServer", Peer], None], tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(PATIENCE)
        for connection in self._open:
            # What a client keeps open for its next call must not keep the server.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        # A client that goes away is what most tests are about.
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                self._script(self, Peer(connection, self._stopped))
                return
            with self._tls.wrap_socket(connection, server_side=True) as secure:
                self._open.append(secure)
                self._script(self, Peer(secure, self._stopped))


def answering(*answers: bytes) -> Callable[[RawServer, Peer], None]:
    """A script that reads a request and gives the next answer, on one connection; the last answer is repeated."""

    def script(server: RawServer, peer: Peer) -> None:
        while request := peer.read_request():
            server.requests.append(request)
            peer.send(answers[min(len(server.requests), len(answers)) - 1])

    return script


def http_answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
