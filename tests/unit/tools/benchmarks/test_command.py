"""The command line of the benchmark: what it is asked for, and its exit status."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from tools.benchmarks import __main__ as command
from tools.benchmarks.samples import Sample
from tools.benchmarks.verdict import Limit, Row, Section, Verdict

Asked = list[tuple[command.Effort, argparse.Namespace]]


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Callable[[Row], Asked]:
    """Lets a run end with a verdict on one row; what was asked for."""

    def conclude(row: Row) -> Asked:
        asked: Asked = []

        def measure(effort: command.Effort, options: argparse.Namespace, _console: Console) -> Verdict:
            asked.append((effort, options))
            return Verdict([Section("Section", "", [row])], options.without_peer)

        monkeypatch.setattr(command, "measure", measure)
        return asked

    return conclude


def memory(megabytes: float) -> Row:
    return Row("door", "MB", Sample.of([megabytes]), limit=Limit(128, times=False))


@pytest.mark.parametrize(("megabytes", "status"), [(60, 0), (200, 1)])
def test_the_exit_status_says_whether_every_target_is_met(
    judge: Callable[[Row], Asked], tmp_path: Path, megabytes: float, status: int
) -> None:
    judge(memory(megabytes))
    assert command.main(["--output", str(tmp_path)]) == status


def test_a_target_that_could_not_be_looked_at_is_excused_by_its_own_option_only(
    judge: Callable[[Row], Asked], tmp_path: Path
) -> None:
    judge(Row("beside the peer", "ms", None, limit=Limit(0.75), note="no registry"))
    assert command.main(["--output", str(tmp_path)]) == 1
    assert command.main(["--output", str(tmp_path), "--without-peer"]) == 0


def test_quick_measures_less(judge: Callable[[Row], Asked], tmp_path: Path) -> None:
    asked = judge(memory(60))
    command.main(["--output", str(tmp_path)])
    command.main(["--output", str(tmp_path), "--quick"])
    (full, _), (quick, _) = asked
    assert full.cold > quick.cold
    assert full.warm * full.calls > quick.warm * quick.calls


def test_a_python_that_is_not_there_is_a_wrong_command_line(
    judge: Callable[[Row], Asked], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = judge(memory(60))
    command.main(["--output", str(tmp_path), "--python", sys.executable])
    assert asked[0][1].python == Path(sys.executable)
    with pytest.raises(SystemExit) as ended:
        command.main(["--output", str(tmp_path), "--python", str(tmp_path / "python3.99")])
    assert ended.value.code == 2
    assert "python3.99" in capsys.readouterr().err
