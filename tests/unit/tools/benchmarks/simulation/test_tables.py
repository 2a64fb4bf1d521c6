"""The tables say for each size what it needs, and what a sweep has to do."""

import pytest

from tools.benchmarks.simulation import tables
from tools.benchmarks.simulation.__main__ import main
from tools.benchmarks.simulation.bounds import Paper, bounds


def cells(lines: list[str], first: str) -> list[str]:
    (line,) = (line for line in lines if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_bound_has_its_line_and_those_of_the_code_stand_out() -> None:
    lines = tables.binding(Paper())

    assert len(lines) == len(bounds(Paper())) + 2
    assert "**the index feed of one partner**" in cells(lines, "240,000")


def test_the_needs_grow_from_size_to_size() -> None:
    lines = tables.needs(Paper())

    assert cells(lines, "readings a second") == ["readings a second", "167", "1,667", "16,667"]
    assert cells(lines, "write units of the fullest shard of `feed`")[1:] == ["42", "417", "4,167"]


def test_a_sweep_is_told_by_the_ends_of_a_minute_and_the_pages_of_live_sessions() -> None:
    lines = tables.sweeps(Paper())

    assert cells(lines, "10,000")[1:3] == ["56", "1,500"]
    assert cells(lines, "1,000,000")[4] == "120"


def test_an_outage_has_a_line_for_each_size_and_manner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SIZES", (2_000,))
    monkeypatch.setattr(tables, "SIMULATED", 200)
    lines = tables.outage(Paper())

    assert [line.split("|")[2].strip() for line in lines[2:4]] == ["answers nothing", "refuses at once"]
    assert "take all 50 workers that push until the first call has run into its time" in lines[-1]


@pytest.mark.parametrize("text", ["0", "-1", "often"])
def test_an_option_that_is_no_positive_number_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--reading-every", text])

    assert exit_.value.code == 2
    assert "a positive number is needed" in capsys.readouterr().err
