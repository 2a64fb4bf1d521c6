"""An address that nobody may ever dial."""

import contextlib
import socket
import threading
from typing import Self

from tools.counterparts.http_service import LOOPBACK


class Tripwire:
    """Listens on a loopback port and counts who comes. Use as a context manager."""

    def __init__(self) -> None:
        self.dials = 0
        self._listener = socket.create_server((LOOPBACK, 0))
        self._thread = threading.Thread(target=self._watch, name="tripwire", daemon=True)

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Closing alone would not wake the thread that accepts.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _watch(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.dials += 1
            connection.close()
