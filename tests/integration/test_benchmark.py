"""A benchmark from end to end: programs, bundles, servers and report, without the peer and with too few rounds to quote."""

import json
from pathlib import Path

import pytest

from tools.benchmarks.__main__ import JSON, MARKDOWN, main

pytestmark = [pytest.mark.integration, pytest.mark.prove]


def test_a_quick_run_measures_every_row_but_those_that_need_the_peer(tmp_path: Path) -> None:
    """Whether targets are met is not asked: that is a matter of the machine."""
    assert main(["--quick", "--without-peer", "--output", str(tmp_path)]) in {0, 1}
    report = json.loads((tmp_path / JSON).read_text(encoding="utf-8"))
    rows = [row for section in report["sections"] for row in section["rows"]]
    assert {row["note"] for row in rows if row["status"] == "skipped"} == {"left out (--without-peer)"}
    measured = [row for row in rows if row["status"] != "skipped"]
    assert all(value > 0 for row in measured for value in row["values"])
    assert len(rows) - len(measured) == 2
    assert "too few to quote" in (tmp_path / MARKDOWN).read_text(encoding="utf-8")
