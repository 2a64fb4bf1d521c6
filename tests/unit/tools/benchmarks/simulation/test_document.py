"""The document's tables are what the simulation prints: who changes an assumption or a bound writes them anew."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.benchmarks.simulation import tables
from tools.benchmarks.simulation.bounds import Paper

DOCUMENT = Path("docs/scale-and-cost.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [tables.binding, tables.needs, tables.sweeps])
def test_what_is_reckoned_stands_in_the_document(table: Callable[[Paper], list[str]]) -> None:
    assert "\n".join(table(Paper())) in DOCUMENT


@pytest.mark.prove
def test_what_is_simulated_stands_in_the_document() -> None:
    lines = tables.outage(Paper())

    assert "\n".join(lines[:-2]) in DOCUMENT
    assert lines[-1] in DOCUMENT
