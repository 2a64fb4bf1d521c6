"""An HTTP exchange without a network: answers as scripted, remembers what it was asked."""

import json
from collections.abc import Callable, Mapping

from ocpi_bridge.adapters.bounded_http.exchange import HttpCall, NoReply, Reply
from ocpi_bridge.ports.json_values import JsonValue


class ScriptedExchange:
    """Gives one answer after the other; `calls` and `budgets` are what it was asked. `on_call` runs before each."""

    def __init__(self, *answers: Reply | NoReply, on_call: Callable[[], None] = lambda: None) -> None:
        self._answers = list(answers)
        self._on_call = on_call
        self.calls: list[HttpCall] = []
        self.budgets: list[float] = []

    def exchange(self, call: HttpCall, budget: float) -> Reply | NoReply:
        self._on_call()
        self.calls.append(call)
        self.budgets.append(budget)
        return self._answers.pop(0)

    def close(self) -> None:
        self._answers.clear()


def reply(status: int, body: JsonValue = None, headers: Mapping[str, str] | None = None) -> Reply:
    content = b"" if body is None else json.dumps(body).encode()
    return Reply(status, dict(headers or {}), content)
