"""What the functions of a stack say in their logs."""

import json
from collections.abc import Iterator

from tests.support.e2e_waiting import eventually
from tools.counterparts.json_types import JsonObject
from tools.local_stack import LocalStack


class FunctionLog:
    """The JSON lines that the functions logged, from the moment on at which it is made."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self._since = len(stack.log())

    def lines(self, **fields: object) -> list[JsonObject]:
        """The lines with these values."""
        return [line for line in self._all() if all(line.get(name) == value for name, value in fields.items())]

    def wait_for(self, timeout: float, count: int = 1, **fields: object) -> list[JsonObject]:
        """The lines with these values, once there are so many."""

        def enough() -> list[JsonObject] | None:
            found = self.lines(**fields)
            return found if len(found) >= count else None

        return eventually(enough, timeout, what=f"{count} log lines with {fields}")

    def text(self) -> str:
        """All of it, also what the embedded AWS itself says."""
        return self._stack.log()[self._since :]

    def _all(self) -> Iterator[JsonObject]:
        for text in self.text().splitlines():
            if text.startswith("{"):
                try:
                    yield json.loads(text)
                except ValueError:
                    # The last line may be half-written.
                    continue
