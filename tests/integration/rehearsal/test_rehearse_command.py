"""`bridge rehearse` with a Receiver in this process."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from tests.support.rehearsals import BRIEF
from tests.support.rehearsed_receiver import TOKEN_A, Fault, RehearsedReceiver
from tools.bridge import cli
from tools.rehearsal import Options

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCPI_TOKEN", TOKEN_A)


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[RehearsedReceiver]:
    with RehearsedReceiver(*getattr(request, "param", ())) as running:
        yield running


def rehearse(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["rehearse", *map(str, arguments)], obj=BRIEF)


def at(receiver: RehearsedReceiver) -> tuple[str, ...]:
    return "--versions-url", receiver.versions_url, "--token", "env:OCPI_TOKEN"


def test_a_receiver_without_fault_is_exit_code_0_and_both_reports_are_written(
    receiver: RehearsedReceiver, tmp_path: Path
) -> None:
    html, junit = tmp_path / "report.html", tmp_path / "report.xml"

    done = rehearse(*at(receiver), "--unregister", "--html", html, "--junit", junit)

    assert done.exit_code == 0, done.output
    assert "no rule of OCPI 2.2.1 broken" in done.stdout
    assert html.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert ET.parse(junit).getroot().findall("testsuite/testcase/failure") == []
    assert receiver.tokens == []


@pytest.mark.parametrize("receiver", [(Fault.NO_TIMEOUT,)], indirect=True)
def test_a_broken_demand_is_exit_code_1(receiver: RehearsedReceiver) -> None:
    done = rehearse(*at(receiver), "--json")

    assert done.exit_code == 1
    document = json.loads(done.stdout)
    assert [one["id"] for one in document["rules"] if one["verdict"] == "failed"] == ["profiles.timeout"]


@pytest.mark.parametrize("receiver", [(Fault.NEGATIVE_LIMIT_IGNORED,)], indirect=True)
@pytest.mark.parametrize(("more", "exit_code"), [((), 0), (("--strict",), 1)])
def test_another_decision_is_a_note_and_counts_only_where_it_is_strict(
    receiver: RehearsedReceiver, more: tuple[str, ...], exit_code: int
) -> None:
    done = rehearse(*at(receiver), *more)

    assert (done.exit_code, "1 note" in done.stdout) == (exit_code, True)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--versions-url", "http://localhost:1/versions"),
        ("--versions-url", "http://localhost:1/versions", "--local"),
        ("--versions-url", "http://localhost:1/versions", "--token", "a-token-on-the-command-line"),
        ("--versions-url", "http://localhost:1/versions", "--token", "env:OCPI_TOKEN", "--listen", "8080"),
        ("--versions-url", "http://localhost:1/versions", "--token", "env:OCPI_TOKEN", "--cpo", "ABC"),
        ("--versions-url", "https://cpo.example/versions", "--token", "env:OCPI_TOKEN", "--listen", "127.0.0.1:0"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    assert rehearse(*arguments).exit_code == 2


def test_without_a_local_stack_it_is_said_how_to_start_one(tmp_path: Path) -> None:
    done = rehearse("--local", "--stack-file", tmp_path / "stack.json")

    assert done.exit_code == 1
    assert "make up" in done.stderr


def test_steering_is_off_by_default() -> None:
    assert not Options().steer
