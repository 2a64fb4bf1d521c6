"""The end of a function's start (docs/decisions/0025-starting-fast.md)."""

import gc
from collections.abc import Callable
from typing import TypeVar

Handler = TypeVar("Handler", bound=Callable[..., object])


def started(handler: Handler) -> Handler:
    """The handler, now that everything is loaded: garbage is collected again, and never looked for in what was loaded.

    Every function's handler passes through here. Outside Lambda nothing was switched off, and nothing happens.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    return handler
