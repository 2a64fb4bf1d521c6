"""The peer, extrawest-ocpi 2025.7.16 under Mangum, installed beside the bridge and never into it.

Its versions stand in requirements.txt. What it cannot read of the guide's PUT it is spared (`nearest_put`).
"""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.benchmarks import world as w
from tools.benchmarks.scenes import GUIDE_PERIODS, json_event, put_body, token_header
from tools.benchmarks.world import World

NAME: Final = "extrawest-ocpi 2025.7.16"
REQUIREMENTS: Final = Path(__file__).with_name("requirements.txt")

STATED_CALLBACK_MS: Final = 21.0
"""What a callback of the peer took on another machine; only compared with where the peer cannot be run."""

_INSTALL_SECONDS: Final = 300.0
_FINISHED: Final = "installed"


class PeerUnavailable(Exception):
    """The peer could not be installed, or does not start; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Peer:
    """An environment with the peer."""

    packages: Path

    def scene(self, world: World, certificate: Path, callbacks: int) -> dict[str, Any]:
        """What its program is given: the guide's PUT, the nearest that it reads, and how many callbacks to measure.

        They go to `world.peers`, which shows `certificate`.
        """
        path = f"/ocpi/cpo/2.2.1/chargingprofiles/{world.session.session_id}"
        headers = token_header(w.TOKEN)
        guide = put_body(world, GUIDE_PERIODS)
        return {
            "guide": json_event("PUT", path, headers=headers, body=guide),
            "put": json_event("PUT", path, headers=headers, body=nearest_put(guide, f"{world.peers}/response")),
            "certificate": str(certificate),
            "callbacks": callbacks,
        }


def nearest_put(guide: dict[str, Any], response_url: str) -> dict[str, Any]:
    """The guide's PUT as the peer reads it: one period where OCPI has a list, and a `min_charge_rate`, which is optional."""
    profile = guide["charging_profile"]
    nearest = {"charging_profile_period": profile["charging_profile_period"][0], "min_charge_rate": 0}
    return {"charging_profile": profile | nearest, "response_url": response_url}


def install(python: Path, folder: Path) -> Peer:
    """The peer in an environment of this Python, made unless it is there already. Raises PeerUnavailable."""
    identity = hashlib.sha256(f"{python}\n{REQUIREMENTS.read_text(encoding='utf-8')}".encode()).hexdigest()
    finished = folder / _FINISHED
    if not finished.exists() or finished.read_text(encoding="utf-8") != identity:
        shutil.rmtree(folder, ignore_errors=True)
        _run(str(python), "-m", "venv", str(folder))
        _run(
            str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
            "--requirement", str(REQUIREMENTS),
        )  # fmt: skip
        # Installed is not yet usable: it pins packages that newer Pythons do not import.
        _run(str(folder / "bin" / "python"), "-c", "import py_ocpi, mangum")
        finished.write_text(identity, encoding="utf-8")
    [packages] = folder.glob("lib/python*/site-packages")
    return Peer(packages)


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerUnavailable(str(error)) from error
    if done.returncode != 0:
        *_, complaint = ["no reason was given", *done.stderr.splitlines()]
        raise PeerUnavailable(f"{' '.join(command[1:4])}: {complaint}")
