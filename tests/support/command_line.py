"""The operator's command line, run in this process on a deployment of the test."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from tools.bridge.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: its exit code, what it wrote, and the JSON document in that."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.stdout)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Runs commands with `--stage prod`."""

    app: typer.Typer
    deployment: Deployment

    def __call__(self, *arguments: str | Path, stdin: str = "") -> Done:
        given = CliRunner().invoke(
            self.app,
            [*map(str, arguments), "--stage", "prod"],
            input=stdin,
            obj=lambda _: self.deployment,
            catch_exceptions=False,
        )
        return Done(given.exit_code, given.stdout, given.stderr)
