"""The operator's command line on a deployed stack, as `bridge ... --local` reaches it."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from tools.bridge.cli import app
from tools.local_stack import LocalStack


class DeployedBridge:
    """Runs commands in this process; `credentials` replace those of the stack's description."""

    def __init__(self, stack: LocalStack, folder: Path, **credentials: str) -> None:
        self._description = folder / "stack.json"
        self._description.write_text(json.dumps({**asdict(stack.description), **credentials}))

    def __call__(self, *arguments: str, exit_code: int = 0) -> Any:  # noqa: ANN401 - JSON
        """The document that a command writes; its exit code is looked at."""
        done = self._run(*arguments, "--json")
        assert done[0] == exit_code, done
        return json.loads(done[1])

    def refusal(self, *arguments: str) -> str:
        """What a command says that is refused."""
        exit_code, _, said = self._run(*arguments, "--json")
        assert exit_code == 1, said
        return said

    def text(self, *arguments: str) -> str:
        """What a command shows to people."""
        exit_code, shown, said = self._run(*arguments)
        assert exit_code == 0, said
        return shown

    def _run(self, *arguments: str) -> tuple[int, str, str]:
        options = ("--local", "--stack-file", str(self._description))
        done = CliRunner().invoke(app, [*arguments, *options], catch_exceptions=False)
        return done.exit_code, done.stdout, done.stderr


def by_subject(findings: list[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """What `bridge doctor` found, by check and subject."""
    return {(one["check"], one["about"]): one for one in findings}
