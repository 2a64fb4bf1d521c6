"""How a run ends: with 0 when every step was observed, else with 1 and a text that says what was not."""

import io
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from tools.counterparts.journal import NotObservedError
from tools.demo.__main__ import main, run
from tools.demo.narrator import Narrator
from tools.demo.outcomes import Verdict
from tools.demo.play import perform
from tools.demo.programme import PROGRAMME, Step
from tools.demo.scene import Bound, Scene, Setup, StepFailed
from tools.local_stack import DeploymentFailed

SETUP = Setup(stack_directory=Path("nowhere"))


def step(title: str, act: Callable[[Scene, Bound], str]) -> Step:
    return Step(title, f"what {title} leads to", 5.0, act)


def seen(title: str) -> Step:
    return step(title, lambda _scene, _within: f"{title} was seen")


def broken(title: str, error: Exception) -> Step:
    def act(_scene: Scene, _within: Bound) -> str:
        raise error

    return step(title, act)


def played(tmp_path: Path, *programme: Step, terminal: bool = False) -> tuple[int, str]:
    """The exit status, and what the terminal showed."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=100, highlight=False, markup=False)
    with Narrator(tmp_path / "demo.log", console) as narrator:
        status = run(SETUP, programme, narrator, tmp_path)
    return status, shown.getvalue()


@pytest.mark.parametrize("terminal", [False, True])
def test_a_run_in_which_every_step_is_seen_ends_with_0(tmp_path: Path, terminal: bool) -> None:
    status, shown = played(tmp_path, seen("booting"), seen("charging"), terminal=terminal)

    assert status == 0
    assert "booting was seen" in shown
    assert "All 2 steps were observed at the far end" in shown


@pytest.mark.parametrize("terminal", [False, True])
def test_a_broken_step_ends_the_run_with_1_and_says_what_was_expected_and_seen(tmp_path: Path, terminal: bool) -> None:
    failure = StepFailed("22000 W from 17:05:00 UTC", "11000 W from 17:05:00 UTC")

    status, shown = played(tmp_path, seen("booting"), broken("comparing", failure), seen("clearing"), terminal=terminal)

    assert status == 1
    assert "FAILED: step 2, comparing." in shown
    assert "expected: 22000 W from 17:05:00 UTC" in shown
    assert "seen: 11000 W from 17:05:00 UTC" in shown
    assert "demo.log" in shown
    assert "clearing was seen" not in shown


def test_silence_is_told_with_the_step_s_own_expectation_and_its_bound(tmp_path: Path) -> None:
    status, shown = played(tmp_path, broken("waiting", NotObservedError("newest entries: a very long record")))

    assert status == 1
    assert "expected: what waiting leads to" in shown
    assert "seen: nothing like it within 5 s" in shown
    assert "very long record" not in shown
    assert "very long record" in (tmp_path / "demo.log").read_text()


def test_a_stack_that_cannot_be_deployed_is_a_failed_step_and_no_traceback(tmp_path: Path) -> None:
    status, shown = played(tmp_path, broken("deploying", DeploymentFailed("cdk deploy ended with status 1")))

    assert status == 1
    assert "seen: DeploymentFailed: cdk deploy ended with status 1" in shown


def test_a_defect_of_the_demo_itself_is_not_told_as_a_failed_step(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        played(tmp_path, broken("dividing", ZeroDivisionError()))


def test_steps_after_a_broken_one_are_not_tried(tmp_path: Path) -> None:
    tried: list[str] = []

    def act(_scene: Scene, _within: Bound) -> str:
        tried.append("clearing")
        return ""

    with Narrator(tmp_path / "demo.log", Console(file=io.StringIO())) as narrator:
        programme = (broken("comparing", StepFailed("this", "that")), step("clearing", act))
        play = perform(programme, Scene(SETUP, ExitStack(), narrator.detail), narrator)

    assert [outcome.verdict for outcome in play.outcomes] == [Verdict.FAILED, Verdict.NOT_REACHED]
    assert tried == []


def test_a_broken_run_leaves_a_report_that_names_the_step(tmp_path: Path) -> None:
    played(tmp_path, seen("booting"), broken("comparing", StepFailed("<22 kW>", "<11 kW>")), seen("clearing"))

    report = (tmp_path / "report.html").read_text()
    assert "Step 2 was not observed: comparing" in report
    assert "&lt;11 kW&gt;" in report
    assert "not reached" in report


@pytest.mark.parametrize("error", [StepFailed("this", "that"), ZeroDivisionError(), KeyboardInterrupt()])
def test_what_a_step_has_started_ends_however_the_run_ends(tmp_path: Path, error: BaseException) -> None:
    ended: list[str] = []

    def act(scene: Scene, _within: Bound) -> str:
        scene.resources.callback(ended.append, "the stack")
        raise error

    with ExitStack() as whatever:
        if not isinstance(error, StepFailed):
            whatever.enter_context(pytest.raises(type(error)))
        played(tmp_path, step("deploying", act))

    assert ended == ["the stack"]


def test_each_step_of_the_programme_is_bounded_and_says_what_it_looks_for() -> None:
    assert all(0 < one.seconds <= 720 and one.title and one.expected for one in PROGRAMME)


def test_the_log_tells_each_step_with_its_time(tmp_path: Path) -> None:
    played(tmp_path, seen("booting"))

    lines = (tmp_path / "demo.log").read_text().splitlines()
    assert lines[0].endswith("Z [ 1/1] booting")
    assert any("booting was seen" in line for line in lines)


@pytest.mark.parametrize("arguments", [["--repeat", "0"], ["--repeat", "many"], ["--keep", "--stack", ".local"]])
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(arguments)

    assert refused.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_the_help_teaches_what_is_shown_and_what_the_exit_status_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as told:
        main(["--help"])

    assert told.value.code == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("Exit status", "report.html", "--repeat", "kirby-ocpp"))


def test_two_demos_in_one_directory_do_not_end_each_other_s_stack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def another(_scene: Scene, _within: Bound) -> str:
        assert main(["--output", str(tmp_path)]) == 1
        return "refused"

    monkeypatch.setattr("tools.demo.__main__.PROGRAMME", (step("starting another", another),))

    assert main(["--output", str(tmp_path)]) == 0
    assert "another demo runs in" in capsys.readouterr().err


def test_a_stack_that_does_not_run_is_a_failed_step_that_says_how_to_start_one(tmp_path: Path) -> None:
    setup = Setup(stack_directory=tmp_path / "none", attach=True)
    shown = io.StringIO()
    with Narrator(tmp_path / "demo.log", Console(file=shown, width=200)) as narrator:
        status = run(setup, PROGRAMME[:1], narrator, tmp_path)

    assert status == 1
    assert "`make up` starts one" in shown.getvalue()
