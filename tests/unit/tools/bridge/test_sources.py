import io
from pathlib import Path

import pytest
import typer

from tools.bridge.sources import SourceFailed, parse_source


def test_a_secret_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_TOKEN", "from:env")
    assert parse_source("env:PARTNER_TOKEN").read("token") == "from:env"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_a_file_without_the_line_break_of_an_editor(end: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b" from file " + end.encode())
    assert parse_source(f"file:{tmp_path / 'token'}").read("token") == " from file "


def test_secrets_are_read_from_stdin_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("first\nsecond"))
    assert [parse_source("-").read("token"), parse_source("-").read("key")] == ["first", "second"]


@pytest.mark.parametrize("text", ["hunter2", "literal:hunter2", "env:", "file:", ":hunter2", "-:hunter2"])
def test_a_literal_secret_is_wrong_usage_and_not_repeated(text: str) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        parse_source(text)
    assert "hunter2" not in refused.value.message
    assert "env:NAME" in refused.value.message


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="NO_SUCH_VARIABLE is not set"):
        parse_source("env:NO_SUCH_VARIABLE").read("token")
    with pytest.raises(SourceFailed, match="No such file"):
        parse_source(f"file:{tmp_path / 'none'}").read("token")


def test_an_empty_secret_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    monkeypatch.setenv("EMPTY", "")
    for source in ("-", "env:EMPTY", f"file:{tmp_path / 'empty'}"):
        with pytest.raises(SourceFailed, match="is empty"):
            parse_source(source).read("token")
