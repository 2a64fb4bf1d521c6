"""Every command teaches: its help, the page of all commands, and what a shell completes."""

import pytest
from typer.testing import CliRunner

from tools.bridge import reference
from tools.bridge.cli import app


def test_the_page_of_all_commands_is_what_the_commands_say() -> None:
    assert reference.PAGE.read_text("utf-8") == reference.page(), "`make reference` writes it"


@pytest.mark.parametrize("one", reference.commands(), ids=lambda one: one.name)
def test_every_command_and_every_option_says_what_it_is_for(one: reference.Described) -> None:
    assert one.summary.endswith(".")
    assert [name for name, text in one.parameters if not text] == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("bridge sess", "session"),
        ("bridge session cl", "close"),
        ("bridge trace --ho", "--hours"),
        ("bridge assignment add --right st", "steer"),
    ],
)
def test_a_shell_completes_commands_options_and_choices(typed: str, offered: str) -> None:
    asked = {"_BRIDGE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    answered = CliRunner().invoke(app, [], prog_name="bridge", env=asked)
    assert offered in answered.stdout.split()
