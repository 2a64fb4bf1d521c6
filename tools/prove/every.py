"""Something that is done over and over beside everything else."""

import threading
from collections.abc import Callable
from typing import Self


class Every:
    """Calls `do` every so many seconds, from now until it is left; `do` gets the event that tells when that is.

    What `do` raises is raised when it is left. Use as a context manager.
    """

    def __init__(self, seconds: float, do: Callable[[threading.Event], None], *, name: str) -> None:
        self._seconds = seconds
        self._do = do
        self._over = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._over.set()
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    def _work(self) -> None:
        try:
            while not self._over.wait(self._seconds):
                self._do(self._over)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where somebody can see it
            self._error = error
