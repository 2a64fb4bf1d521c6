"""No fixture is forgotten: each one belongs to a kind of message, and each kind has its tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.catalogue import CATALOGUE, NOT_OURS, Message, everything, matches

HERE = Path(__file__).parent


def kinds_of(name: str) -> list[str]:
    return [pattern for pattern in CATALOGUE if name in matches(pattern)]


def kinds_named_in(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Message":
            yield node.attr


@pytest.mark.parametrize("name", everything())
def test_every_fixture_is_of_one_kind_or_is_not_ours_for_a_reason(name: str) -> None:
    assert len(kinds_of(name)) == (0 if name in NOT_OURS else 1), f"{name} is of kinds {kinds_of(name)}"


@pytest.mark.parametrize("pattern", [*CATALOGUE, *NOT_OURS])
def test_every_entry_of_the_catalogue_is_about_a_file_that_exists(pattern: str) -> None:
    assert matches(pattern)


def test_every_kind_of_message_has_a_test() -> None:
    tested = {
        kind for path in HERE.glob("test_*_messages.py") for kind in kinds_named_in(path.read_text(encoding="utf-8"))
    }
    assert tested == {message.name for message in Message}
