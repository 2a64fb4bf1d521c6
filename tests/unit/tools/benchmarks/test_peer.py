"""The peer's environment: made once, and where it cannot be, its rows have the reason."""

from pathlib import Path

import pytest

from tools.benchmarks import peer
from tools.benchmarks.peer import PeerUnavailable, install, nearest_put

# A Python that makes an environment as `python -m venv FOLDER` does, and writes down what it is asked.
PYTHON = """#!/bin/sh
echo "$@" >> {log}
if [ "$2" = venv ]; then
    mkdir -p "$3/bin" "$3/lib/python3.99/site-packages"
    cp "$0" "$3/bin/python"
fi
"""
WITHOUT_REGISTRY = """#!/bin/sh
echo "WARNING: retrying" >&2
echo "ERROR: No matching distribution found for anyio==4.16.0" >&2
exit 1
"""


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_environment_is_made_once_and_anew_for_other_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    python = program(tmp_path / "python", PYTHON.format(log=log))
    made = install(python, tmp_path / "environment")
    asked = log.read_text().splitlines()
    assert [line.split()[1] for line in asked] == ["venv", "pip", "import"]
    assert made.packages == tmp_path / "environment" / "lib" / "python3.99" / "site-packages"
    assert install(python, tmp_path / "environment") == made
    assert log.read_text().splitlines() == asked
    other = tmp_path / "requirements.txt"
    other.write_text("extrawest_ocpi==2026.1.1\n")
    monkeypatch.setattr(peer, "REQUIREMENTS", other)
    install(python, tmp_path / "environment")
    assert len(log.read_text().splitlines()) == 2 * len(asked)


def test_what_pip_says_last_is_the_reason(tmp_path: Path) -> None:
    python = program(tmp_path / "python", WITHOUT_REGISTRY)
    with pytest.raises(PeerUnavailable, match="No matching distribution found for anyio"):
        install(python, tmp_path / "environment")


def test_a_python_that_is_not_there_is_a_reason_too(tmp_path: Path) -> None:
    with pytest.raises(PeerUnavailable, match="No such file"):
        install(tmp_path / "python", tmp_path / "environment")


def test_the_nearest_put_differs_from_the_guides_in_what_the_peer_cannot_read_only() -> None:
    periods = [{"start_period": 0, "limit": 22_000}, {"start_period": 1800, "limit": 0}]
    profile = {"charging_rate_unit": "W", "charging_profile_period": periods}
    given = {"charging_profile": profile, "response_url": "https://www.jedlix.com/r"}
    assert nearest_put(given, "https://localhost/r") == {
        "charging_profile": {
            "charging_rate_unit": "W",
            "charging_profile_period": {"start_period": 0, "limit": 22_000},
            "min_charge_rate": 0,
        },
        "response_url": "https://localhost/r",
    }


def test_every_version_of_the_peer_is_pinned() -> None:
    lines = peer.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    assert all("==" in line for line in lines if not line.startswith("#"))
    assert f"{peer.NAME.replace(' ', '==').replace('-', '_')}" in lines
