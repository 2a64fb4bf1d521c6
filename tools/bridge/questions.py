"""Questions to the person at the terminal, before what cannot be taken back."""

import sys
from typing import Annotated

import typer

from tools.bridge.operations import OperationRefused

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def at_a_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


def agreed(question: str, *, yes: bool) -> None:
    """Returns if `--yes` was given or a person says so; else ends the command (typer.Abort).

    Raises OperationRefused where nobody can be asked: a script must say `--yes` itself.
    """
    if yes:
        return
    if not at_a_terminal():
        raise OperationRefused(f"{question}\nNobody can be asked here: --yes does it.")
    typer.confirm(question, abort=True, err=True)
