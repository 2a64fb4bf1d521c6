"""Every call of a port is counted, and something can be made to happen at one of them: a death, or somebody else's work."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar, cast

_Port = TypeVar("_Port")


class Side(StrEnum):
    """When it happens: before the call does anything, or after it did everything."""

    BEFORE = "before"
    AFTER = "after"


class Died(BaseException):
    """The worker was killed. No Exception, since nobody catches a kill."""


class Hazard:
    """Counts the calls of all ports that it guards. `calls` are their names since the last `reset`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._left = 0
        self._side = Side.BEFORE
        self._act: Callable[[], object] = _die

    @property
    def armed(self) -> bool:
        return self._left > 0

    def arm(self, call: int, side: Side) -> None:
        """The worker dies at its so-maniest call from now on (1 is the next one), whichever worker that is."""
        self._left, self._side, self._act = call, side, _die

    def meanwhile(self, call: int, side: Side, act: Callable[[], object]) -> None:
        """Somebody else acts right before, or after, the so-maniest call from now on."""
        self._left, self._side, self._act = call, side, act

    def disarm(self) -> None:
        self._left = 0

    def reset(self) -> None:
        self.calls.clear()

    def guarded(self, name: str, port: _Port) -> _Port:
        """The port, each of whose calls is counted."""
        return cast("_Port", _Guarded(self, name, port))

    def call(self, name: str, act: Callable[[], object]) -> object:
        self.calls.append(name)
        if not self._left:
            return act()
        self._left -= 1
        fatal = self._left == 0
        if fatal and self._side is Side.BEFORE:
            self._act()
        done = act()
        if fatal and self._side is Side.AFTER:
            self._act()
        return done


def _die() -> None:
    raise Died


class _Guarded:
    def __init__(self, hazard: Hazard, name: str, port: object) -> None:
        self._hazard, self._name, self._port = hazard, name, port

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port has
        method = getattr(self._port, name)

        def called(*args: object, **named: object) -> object:
            return self._hazard.call(f"{self._name}.{name}", lambda: method(*args, **named))

        return called

    def __call__(self, *args: object, **named: object) -> object:
        function = cast("Callable[..., object]", self._port)
        return self._hazard.call(self._name, lambda: function(*args, **named))
