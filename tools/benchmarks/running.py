"""Starts a program of what is measured, and reads the one line that it prints."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.benchmarks.lambda_place import LambdaPlace
from tools.benchmarks.scenes import Scene
from tools.benchmarks.world import World

PROGRAMS: Final = Path(__file__).parent / "programs"

LONGEST_RUN: Final = 180.0
"""Seconds; the longest program takes some ten on an idle machine."""

Measured = dict[str, Any]


class ProgramFailed(Exception):
    """A program ended without its line; the message has what it complained of."""


@dataclass(frozen=True, slots=True)
class Programs:
    """Runs programs where Lambda's things are, with a folder for their input."""

    place: LambdaPlace
    scratch: Path

    def play(self, program: str, scene: Scene, world: World, *, calls: int = 0, **told: object) -> Measured:
        """What a program measured with the scene's function, which it finds first; `told` comes on top of the scene."""
        return self.run(
            program,
            paths=(self.place.folder(scene.function), *self.place.paths),
            environment={**self.place.environment(scene.function), **scene.environment},
            scene={**scene.document(world), **told},
            calls=calls,
        )

    def run(
        self,
        program: str,
        *,
        paths: Sequence[Path] | None = None,
        environment: Mapping[str, str] | None = None,
        scene: object = None,
        calls: int = 0,
    ) -> Measured:
        """What a program measured. Raises ProgramFailed.

        It sees `paths` (the layers and the runtime's packages) and the standard library and nothing else (-I, -S), and
        writes no bytecode (-B). A program with a scene is told it, and how many warm calls to make.
        """
        given: list[str] = []
        if scene is not None:
            file = self.scratch / f"{program}.json"
            file.write_text(json.dumps(scene), encoding="utf-8")
            given = [str(file), str(calls)]
        command = [str(self.place.python), "-I", "-S", "-B", str(PROGRAMS / f"{program}.py"), *given]
        try:
            done = subprocess.run(
                [*command, *map(str, self.place.paths if paths is None else paths)],
                env=self.place.environment() if environment is None else dict(environment),
                capture_output=True,
                text=True,
                check=False,
                timeout=LONGEST_RUN,
            )
        except subprocess.TimeoutExpired as error:
            raise ProgramFailed(f"{program} took longer than {LONGEST_RUN:.0f} s") from error
        if done.returncode != 0 or not done.stdout:
            raise ProgramFailed(f"{program} ended with status {done.returncode}:\n{done.stderr[-4000:]}")
        measured: Measured = json.loads(done.stdout)
        return measured
