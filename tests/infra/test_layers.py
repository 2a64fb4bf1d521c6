"""The layers say at synthesis what they could not have."""

import sys
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match

from infra.bundling import SourceTree, Target
from infra.constructs.layers import Layers

pytestmark = pytest.mark.integration


@pytest.fixture
def stack() -> Stack:
    return Stack(App(context={"aws:cdk:bundling-stacks": []}), "Bridge")


def layers(stack: Stack, source_root: Path, compiler: Path | None) -> None:
    Layers(stack, "Layers", SourceTree(source_root), Target(platform="test", pip_options=(), compiler=compiler))


def test_without_the_runtimes_python_it_is_said_what_that_costs_and_how_to_get_it(
    stack: Stack, source_root: Path
) -> None:
    layers(stack, source_root, None)

    said = Match.string_like_regexp(r"no Python 3\.13.*cold starts takes some .* longer.*uv python install 3\.13")
    Annotations.from_stack(stack).has_warning("/Bridge/Layers", said)


def test_with_it_there_is_nothing_to_say(stack: Stack, source_root: Path) -> None:
    layers(stack, source_root, Path(sys.executable))

    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())
