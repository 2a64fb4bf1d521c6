"""A check: something that is done to the Receiver, and the rules that it shows."""

from collections.abc import Callable
from dataclasses import dataclass

from tools.rehearsal.rules import Rule
from tools.rehearsal.stage import Need, Stage

# For a few calls; those that wait for results and pushes say more.
USUAL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Check:
    """`run` exercises `rules`; without one of `needs` they are skipped. It is given up after `seconds`."""

    title: str
    run: Callable[[Stage], None]
    rules: tuple[Rule, ...]
    needs: tuple[Need, ...] = ()
    seconds: float = USUAL_SECONDS
