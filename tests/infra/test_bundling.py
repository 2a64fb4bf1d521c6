"""Bundles: named by what they are made from, the same every time, with bytecode that the runtime takes as it is."""

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.bundling import (
    FUNCTION_ROOT,
    BundlingError,
    Dependencies,
    Sources,
    Target,
    find_python,
    fingerprint,
    host_target,
    materialise,
)

UNCHECKED_HASH = 0b01
THIS_PYTHON = Target(platform="test", pip_options=(), compiler=Path(sys.executable))
NO_COMPILER = Target(platform="test", pip_options=(), compiler=None)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "function"
    (folder / "package").mkdir(parents=True)
    (folder / "handler.py").write_text("def lambda_handler(event, context):\n    raise ValueError\n")
    (folder / "package" / "data.json").write_text("{}")
    return folder


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@dataclass(frozen=True)
class Made:
    """A bundle of files that are given, with modes that only their maker could read."""

    files: tuple[str, ...]

    def identity(self) -> Iterator[bytes]:
        yield from (file.encode() for file in self.files)

    def build(self, folder: Path) -> None:
        for name in self.files:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file.touch(mode=0o600)


def test_the_name_follows_content_place_and_target(sources: Path) -> None:
    before = fingerprint(Sources(sources, FUNCTION_ROOT, NO_COMPILER))

    assert fingerprint(Sources(sources, FUNCTION_ROOT, NO_COMPILER)) == before
    assert fingerprint(Sources(sources, "/elsewhere", NO_COMPILER)) != before
    assert fingerprint(Sources(sources, FUNCTION_ROOT, THIS_PYTHON)) != before
    (sources / "handler.py").write_text("changed = True\n")
    assert fingerprint(Sources(sources, FUNCTION_ROOT, NO_COMPILER)) != before


def test_a_file_that_moves_changes_the_name(sources: Path) -> None:
    before = fingerprint(Sources(sources, FUNCTION_ROOT, NO_COMPILER))
    (sources / "package" / "data.json").rename(sources / "package" / "other.json")

    assert fingerprint(Sources(sources, FUNCTION_ROOT, NO_COMPILER)) != before


def test_caches_and_hidden_files_are_left_out(sources: Path, tmp_path: Path) -> None:
    before = fingerprint(Sources(sources, FUNCTION_ROOT, NO_COMPILER))
    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "handler.cpython-313.pyc").write_bytes(b"stale")
    (sources / ".DS_Store").write_bytes(b"")

    bundle = Sources(sources, FUNCTION_ROOT, NO_COMPILER)
    materialise(bundle, tmp_path / "made")

    assert fingerprint(bundle) == before
    assert set(_contents(tmp_path / "made")) == {"handler.py", "package/data.json"}


def test_a_checkout_below_a_hidden_folder_is_bundled_whole(tmp_path: Path) -> None:
    folder = tmp_path / ".home" / "function"
    folder.mkdir(parents=True)
    (folder / "handler.py").touch()
    materialise(Sources(folder, FUNCTION_ROOT, NO_COMPILER), tmp_path / "made")

    assert set(_contents(tmp_path / "made")) == {"handler.py"}


def test_requirements_name_a_bundle_by_their_content(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("one==1\n")
    before = fingerprint(Dependencies(requirements, NO_COMPILER))
    requirements.write_text("one==2\n")

    assert fingerprint(Dependencies(requirements, NO_COMPILER)) != before


def test_a_function_without_a_file_is_an_error_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundlingError, match="nothing to deploy"):
        materialise(Sources(tmp_path / "empty", FUNCTION_ROOT, NO_COMPILER), tmp_path / "bundles" / "made")

    assert list((tmp_path / "bundles").iterdir()) == []


def test_a_finished_bundle_is_used_as_it_is(sources: Path, tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    materialise(Sources(sources, FUNCTION_ROOT, NO_COMPILER), tmp_path / "made")

    assert _contents(tmp_path / "made") == {}


def test_whoever_makes_a_bundle_the_runtime_can_read_it(tmp_path: Path) -> None:
    materialise(Made(("package/module.py",)), tmp_path / "made")

    modes = {path.name: path.stat().st_mode & 0o777 for path in [tmp_path / "made", *(tmp_path / "made").rglob("*")]}
    assert modes == {"made": 0o755, "package": 0o755, "module.py": 0o644}


@pytest.mark.integration
def test_bytecode_is_never_checked_against_file_times_and_shows_the_path_on_lambda(
    sources: Path, tmp_path: Path
) -> None:
    materialise(Sources(sources, FUNCTION_ROOT, THIS_PYTHON), tmp_path / "made")
    cached = importlib.util.cache_from_source(str(tmp_path / "made" / "handler.py"))
    bytecode = Path(cached).read_bytes()

    assert bytecode[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(bytecode[4:8], "little") == UNCHECKED_HASH
    assert b"/var/task/handler.py" in bytecode
    assert str(tmp_path).encode() not in bytecode


@pytest.mark.integration
def test_the_same_sources_make_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        materialise(Sources(sources, FUNCTION_ROOT, THIS_PYTHON), tmp_path / name)

    assert _contents(tmp_path / "one") == _contents(tmp_path / "two")


@pytest.mark.integration
def test_a_syntax_error_is_found_before_anything_is_deployed(sources: Path, tmp_path: Path) -> None:
    (sources / "handler.py").write_text("def lambda_handler(:\n")

    with pytest.raises(BundlingError, match=r"handler\.py"):
        materialise(Sources(sources, FUNCTION_ROOT, THIS_PYTHON), tmp_path / "made")


@pytest.mark.integration
def test_an_interpreter_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = (3, 99)
    broken, wrong, right = (tmp_path / name for name in ("broken", "wrong", "right"))
    for folder, script in ((broken, "exit 127"), (wrong, "echo '(3, 98)'"), (right, "echo '(3, 99)'")):
        folder.mkdir()
        (folder / "python3.99").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "python3.99").chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    find_python.cache_clear()

    monkeypatch.setenv("PATH", f"{broken}:{wrong}")
    assert find_python(version) is None
    find_python.cache_clear()
    monkeypatch.setenv("PATH", f"{broken}:{wrong}:{right}")
    assert find_python(version) == right / "python3.99"
    find_python.cache_clear()


def test_the_embedded_stage_is_compiled_by_the_interpreter_that_will_run_it() -> None:
    assert host_target().compiler == Path(sys.executable)
    assert host_target().pip_options == ()
