"""docs/command-line.md, from the commands themselves: `python -m tools.bridge.reference` writes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from tools.bridge.cli import app

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "command-line.md"

_HEAD: Final = """# The command line

All commands of `bridge`, as `bridge COMMAND --help` tells them. This page is made from them by `make reference`; what the
files that they take look like, what an operator must be allowed to do, and the order of the first steps are in
[configuration.md](configuration.md).

Every command but `rehearse` and `cost` takes these:

| option | |
|---|---|
| `--stage NAME` | the stage on AWS, by your AWS credentials and region |
| `--local` | the stack on this machine (`make up`); `--stack-file PATH` names the file that describes it |
| `--json` | writes one JSON document to stdout, for scripts |

The exit code is 0 (done), 1 (refused or failed), 2 (wrong usage) or 3 (done in part: run it again). What takes long says so
on a terminal; colour and tables are for people, and pipes get plain text. `bridge --install-completion` teaches your shell
the commands and options, `--show-completion` shows what it would install. Ids are not completed: that would ask AWS at each
key.
"""
# Said once, above.
_SHARED: Final = frozenset({"stage", "local", "stack_file", "as_json", "help"})


@dataclass(frozen=True, slots=True)
class Described:
    """One command: its name with all groups before it, its arguments as usage shows them, its help, its parameters."""

    name: str
    usage: str
    text: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def summary(self) -> str:
        """The first sentence."""
        return self.text.split("\n\n")[0].replace("\n", " ")

    @property
    def anchor(self) -> str:
        """Where it stands in the page, as GitHub names headings."""
        return self.name.replace(" ", "-")


def commands() -> tuple[Described, ...]:
    """All commands, in the order of `bridge --help`."""
    return tuple(_below(typer.main.get_command(app), "bridge"))


def page() -> str:
    """The page."""
    return "\n".join([_HEAD, "| command | |", "|---|---|", *map(_row, commands()), *map(_section, commands())]) + "\n"


def _below(command: object, name: str) -> Iterator[Described]:
    below = getattr(command, "commands", None)
    if below is None:
        yield _described(command, name)
        return
    for each, one in below.items():
        yield from _below(one, f"{name} {each}")


def _described(command: object, name: str) -> Described:
    parameters = [one for one in getattr(command, "params", ()) if not getattr(one, "hidden", False)]
    shared = _SHARED if any(one.name == "stage" for one in parameters) else {"help"}
    shown = [one for one in parameters if one.name not in shared]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    options = [one for one in shown if one.param_type_name == "option"]
    usage = " ".join([name, *(_argument(one) for one in arguments)])
    told = [(_argument(one), one.help or "") for one in arguments] + [(_option(one), one.help or "") for one in options]
    return Described(name, usage, str(getattr(command, "help", "") or "").strip(), tuple(told))


def _argument(one: object) -> str:
    metavar = str(getattr(one, "metavar", None) or str(getattr(one, "name", "")).upper())
    return metavar if getattr(one, "required", True) else f"[{metavar}]"


def _option(one: object) -> str:
    name = max(getattr(one, "opts", ()), key=len)
    if getattr(one, "is_flag", False):
        return str(name)
    choices = getattr(getattr(one, "type", None), "choices", None)
    metavar = getattr(one, "metavar", None) or ("|".join(map(_choice, choices)) if choices else "VALUE")
    return f"{name} {metavar}"


def _choice(one: object) -> str:
    return str(getattr(one, "value", one))


def _row(one: Described) -> str:
    return f"| [`{_cell(one.usage)}`](#{one.anchor}) | {_cell(one.summary)} |"


def _section(one: Described) -> str:
    lines = ["", f"## {one.name}", "", f"    {one.usage} [OPTIONS]", "", one.text]
    if one.parameters:
        lines += ["", "| | |", "|---|---|"]
        lines += [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in one.parameters]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
